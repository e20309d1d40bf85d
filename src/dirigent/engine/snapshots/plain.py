"""What a run has come to, as plain data and back: a long journal need not be folded from its beginning.

Law: to restore a snapshot and fold the facts after it is to fold all of them. A snapshot is a cache: what
cannot be captured (a coroutine) is not, and what this release does not understand is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Final, TypeAlias, cast

from dirigent.core import frame as frames
from dirigent.core.frame import Frame, GraphState
from dirigent.core.machine import Ask, Run, Tools
from dirigent.core.nodes.graph import binding, within
from dirigent.core.status import Phase, Status
from dirigent.model.events.listening import Link, Quorum, Sought, Test, Want
from dirigent.model.fault import Fault
from dirigent.model.ids import RunId
from dirigent.model.program import Graph, Program
from dirigent.model.record import dataclass
from dirigent.model.run.command import Hears, Question
from dirigent.model.run.journal import Created, Resumed, Suspended
from dirigent.model.run.origin import Origin
from dirigent.model.run.ticket import Ticket
from dirigent.model.source import Span
from dirigent.model.values import SCALARS, Expression, SecretText, Unknown, UriTemplate

VERSION: Final = 4
Plain: TypeAlias = list[object]

_LEAVES: Final = (SecretText, Unknown, Expression, UriTemplate, Span)
_ENUMS: Final[Mapping[str, type[Enum]]] = {
    each.__name__: each for each in (frames.Step, frames.Stage, Status, Phase, Quorum)
}
_STATES: Final = (
    *(frames.Thread, frames.Earlier, frames.Ledger, frames.SequenceState, frames.LoopState),
    *(frames.ForkState, frames.TryState, frames.GraphState, frames.ExtendedState, Frame, Ask),
    *(frames.ListenState, frames.ConsumeState, Want, Sought, Test, Link, Hears),
    *(Fault, Question, Ticket, Origin, Created, Suspended, Resumed),
)
_CLASSES: Final[Mapping[str, type]] = {each.__name__: each for each in _STATES}
# What is made again, not kept: `lazy` are closures over the frames themselves, `views` a cache.
_MADE: Final = frozenset({"lazy", "views"})
_FIELDS: Final = {
    name: tuple(each.name for each in fields(kind) if each.name not in _MADE)
    for name, kind in _CLASSES.items()
}
_RUN: Final = (
    *("phase", "created", "now", "facts", "entered", "asks", "stopping", "root", "result", "cancel_reason"),
    *("heard", "ears"),
    *("halted", "followed"),
)


class _Unfit(Exception):
    """Something that a snapshot cannot hold. Raised and caught here."""


@dataclass(slots=True, eq=False)
class Numbers:
    """The numbers of the parts of one program: to find them takes longer than all the rest of a snapshot."""

    _program: Program | None = None
    _numbers: Mapping[int, int] = field(default_factory=dict)

    def of(self, program: Program) -> Mapping[int, int]:
        """Return the number of each part by its identity."""
        if self._program is not program:
            self._numbers = {id(part): number for number, part in enumerate(_parts(program))}
            self._program = program
        return self._numbers


def capture(run: Run, numbers: Numbers) -> Plain | None:
    """Return what a run has come to, or None when that cannot be told in plain data."""
    if run.script is not None or run.agenda or run.created is None:
        return None
    writing = _Writing(numbers.of(run.program))
    try:
        state = [writing.put(getattr(run, name)) for name in _RUN]
        writing.finish()
    except _Unfit:
        return None
    return [VERSION, run.created.definition, state, writing.objects]


def definition_of(plain: Plain) -> str | None:
    """Return the digest of the definition that a snapshot needs, None if this release cannot read it."""
    match plain:
        case [version, str(definition), list(), list()] if version == VERSION:
            return definition
        case _:
            return None


def weight_of(plain: Plain) -> int:
    """Return how many objects a snapshot holds: so much does it cost to write it down."""
    return len(cast("list[object]", plain[3]))


def restore(plain: Plain, program: Program, run_id: RunId, tools: Tools) -> Run | None:
    """Return the run of a snapshot; None when it is not one of this release."""
    if definition_of(plain) is None:
        return None
    state, objects = cast("list[object]", plain[2]), cast("list[list[object]]", plain[3])
    run = Run(run_id, program, tools)
    try:
        reading = _Reading(_parts(program), objects)
        for name, form in zip(_RUN, state, strict=True):
            setattr(run, name, reading.get(form))
    except (KeyError, IndexError, TypeError, ValueError):
        return None
    _bind(run)
    return run


def _bind(run: Run) -> None:
    """Make the lazy variables again, from the root down."""
    todo = [run.root] if run.root is not None else []
    for frame in todo:
        above = frame.parent
        inherited = above.lazy if above is not None else None
        task = frame.task
        if task is not None and above is not None and (task.scope or task.of):
            inherited = {**(inherited or {}), **within(above, task)}
        bound = isinstance(frame.node, Graph) and isinstance(frame.state, GraphState)
        frame.lazy = {**(inherited or {}), **binding(frame)} if bound else inherited
        todo.extend(frame.children.values())


def _parts(program: Program) -> list[object]:
    """Return every part of a program, always in one order: what frames and asks refer to."""
    found: list[object] = []
    # A part that stands in two places counts twice: read from the store it would be two.
    todo: list[object] = [program.root]
    for part in todo:
        kind = type(part)
        if kind in SCALARS:
            continue
        inner = _inner(cast("type", kind))
        if inner is tuple:
            todo += cast("tuple[object, ...]", part)
        elif inner is dict:
            todo += cast("dict[str, object]", part).values()
        elif isinstance(inner, list):
            found.append(part)
            todo += [getattr(part, name) for name in inner]
    return found


@cache
def _inner(kind: type) -> list[str] | type | None:
    """Return what to look at in objects of a class: names of fields, `tuple`, `dict`, or nothing."""
    if issubclass(kind, tuple | list):
        return tuple
    if issubclass(kind, dict):
        return dict
    if not is_dataclass(kind) or issubclass(kind, _LEAVES):
        return None
    return [each.name for each in fields(kind)]


class _Writing:
    """Each object is written once, under its number; what refers to it names that."""

    def __init__(self, parts: Mapping[int, int]) -> None:
        self._parts = parts
        self._numbers: dict[int, int] = {}
        self._found: list[object] = []
        self.objects: list[list[object]] = []

    def put(self, value: object) -> object:
        """Return the form of a value: itself, or a tag and what belongs to it."""
        kind = type(value)
        if kind in SCALARS:
            return value
        if isinstance(value, Enum):
            return ["e", kind.__name__, value.value]
        if isinstance(value, _LEAVES):
            return ["v", value]
        part = self._parts.get(id(value))
        if part is not None:
            return ["p", part]
        if kind is tuple:
            return ["t", *(self.put(each) for each in cast("tuple[object, ...]", value))]
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._found)
            self._found.append(value)
        return ["o", number]

    def finish(self) -> None:
        """Write all that was referred to, and all to which that refers."""
        for value in self._found:
            self.objects.append(self._written(value))

    def _written(self, value: object) -> list[object]:
        name = type(value).__name__
        if type(value) is dict:
            pairs = cast("dict[object, object]", value).items()
            return ["d", *([self.put(key), self.put(each)] for key, each in pairs)]
        if type(value) is list:
            return ["l", *(self.put(each) for each in cast("list[object]", value))]
        if _CLASSES.get(name) is not type(value):
            raise _Unfit(name)
        return [name, *(self.put(getattr(value, field)) for field in _FIELDS[name])]


class _Reading:
    """Every object is made first, then filled: they may refer to each other in circles."""

    def __init__(self, parts: list[object], objects: list[list[object]]) -> None:
        self._parts = parts
        self._made = [_empty(str(form[0])) for form in objects]
        for made, (name, *rest) in zip(self._made, objects, strict=True):
            self._fill(made, str(name), rest)

    def get(self, form: object) -> object:
        """Return the value of a form."""
        if type(form) is not list:
            return form
        match form:
            case ["o", int(number)]:
                return self._made[number]
            case ["p", int(number)]:
                return self._parts[number]
            case ["v", value]:
                return value
            case ["e", str(name), value]:
                return _ENUMS[name](value)
            case ["t", *items]:
                return tuple(self.get(item) for item in items)
            case _:
                raise ValueError(form)

    def _fill(self, made: object, name: str, rest: list[object]) -> None:
        if type(made) is dict:
            for pair in rest:
                key, value = cast("list[object]", pair)
                made[self.get(key)] = self.get(value)
        elif type(made) is list:
            made.extend(self.get(item) for item in rest)
        else:
            for field, form in zip(_FIELDS[name], rest, strict=True):
                object.__setattr__(made, field, self.get(form))
            for field in _MADE & {each.name for each in fields(_CLASSES[name])}:
                object.__setattr__(made, field, None)


def _empty(name: str) -> object:
    """Return an object of a kind with nothing in it yet."""
    if name == "d":
        return {}
    return [] if name == "l" else object.__new__(_CLASSES[name])
