"""What the lowering of one document carries along: the text, what was found so far, what is in scope.

The lowering trusts nothing about the structure: the shapes have reported that already, so a node of
the wrong kind is passed over in silence here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from typing import Final, TypeAlias

from dirigent.lang.shape import nearest, shortened
from dirigent.lang.tree import Items, Leaf, Member, Members, Node
from dirigent.lang.workflow.words import NEWEST_PATCH
from dirigent.model.problem import Label, Problem
from dirigent.model.program import Node as Work
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.ports import Language

# Which arguments an expression sees at each place (DSL 1.0, "Runtime Expression Arguments"); `secret` is the
# reference implementation's spelling of `secrets`.
WORKFLOW_INPUT: Final = ("secrets", "secret", "workflow", "runtime")
WORKFLOW_OUTPUT: Final = ("context", *WORKFLOW_INPUT)
TASK_INPUT: Final = ("context", "secrets", "secret", "task", "workflow", "runtime")
DEFINITION: Final = ("context", "input", "secrets", "secret", "task", "workflow", "runtime", "authorization")
EXPORT: Final = (*DEFINITION, "output")
RESERVED: Final = EXPORT


@dataclass(frozen=True, slots=True)
class Uses:
    """The section `use`: what a document refers to by name."""

    authentications: Mapping[str, Member]
    errors: Mapping[str, Member]
    functions: Mapping[str, Member]
    retries: Mapping[str, Member]
    timeouts: Mapping[str, Member]
    secrets: tuple[str, ...]
    extensions: tuple[Member, ...] = ()
    catalogs: Mapping[str, Member] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a task stands.

    `pointer` is the JSON pointer of the list or task at hand, `names` the tasks that a directive may
    name, `variables` the loop and error variables in sight, `calls` the custom functions that are
    being expanded, `depth` how many tasks stand inside one another here. An `open` scope is that of a
    definition, whose variables only its use can tell. `arguments` are those of the standard that the
    expressions at hand see. No extension is put round the tasks of a `bare` scope.
    """

    pointer: str = ""
    names: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    depth: int = 0
    open: bool = False
    bare: bool = False
    arguments: tuple[str, ...] = DEFINITION

    def at(self, *parts: str | int) -> Scope:
        """Return the scope further down in the document."""
        pointer = self.pointer
        for part in parts:
            step = part.replace("~", "~0").replace("/", "~1") if isinstance(part, str) else part
            pointer = f"{pointer}/{step}"
        return self._with(pointer, self.names, self.variables, self.depth, self.arguments)

    def seeing(self, *variables: str) -> Scope:
        """Return the scope with further variables."""
        seen = (*self.variables, *variables)
        return self._with(self.pointer, self.names, seen, self.depth, self.arguments)

    def given(self, arguments: tuple[str, ...]) -> Scope:
        """Return the scope of a place with other arguments."""
        return self._with(self.pointer, self.names, self.variables, self.depth, arguments)

    def among(self, names: tuple[str, ...]) -> Scope:
        """Return the scope of tasks that a directive may name."""
        return self._with(self.pointer, names, self.variables, self.depth, self.arguments)

    def deeper(self) -> Scope:
        """Return the scope inside one more task."""
        return self._with(self.pointer, self.names, self.variables, self.depth + 1, self.arguments)

    def _with(
        self,
        pointer: str,
        names: tuple[str, ...],
        variables: tuple[str, ...],
        depth: int,
        arguments: tuple[str, ...],
    ) -> Scope:
        # Each task makes six of these, and `replace` takes four times as long.
        return Scope(pointer, names, variables, self.calls, depth, self.open, self.bare, arguments)


@dataclass(slots=True)
class Reading:
    """One document being read. `kinds` says how each kind of task is lowered, `loose` how freely."""

    file: str
    lines: list[str]
    language: Language
    uses: Uses
    kinds: Mapping[str, Lowering]
    problems: list[Problem] = field(default_factory=list)
    hosts: dict[str, None] = field(default_factory=dict)
    tasks: int = 0
    loose: bool = False
    elsewhere: dict[str, None] = field(default_factory=dict)
    patch: int = NEWEST_PATCH

    def report(self, problem: Problem) -> None:
        """Note a problem. The same one found again, in a function used twice, is shown once."""
        self.problems.append(problem)


Lowering: TypeAlias = Callable[[Reading, Members, Scope], Work]


def complain(
    reading: Reading, code: str, message: str, at: Span | None, *help_lines: str, label: str = ""
) -> None:
    """Note a problem with one place."""
    reading.report(Problem(code, message, at=at, label=label, help=help_lines))


def complain_beside(reading: Reading, problem: Problem, *others: Label) -> None:
    """Note a problem that has further places."""
    reading.report(replace(problem, others=others))


def of_patch(
    reading: Reading, what: str, at: Span | None, *, since: int = 0, until: int = NEWEST_PATCH
) -> None:
    """Warn (W1943) of a form that the version of the DSL which the document names does not have."""
    if since <= reading.patch <= until:
        return
    other = f"from 1.0.{since} on" if reading.patch < since else f"up to 1.0.{until}"
    complain(
        reading,
        "W1943",
        f"{what} is a form of the DSL {other}, and the document names 1.0.{reading.patch}",
        at,
        "it is read all the same; another runtime may refuse it",
        label="of another version",
    )


def member_of(node: Node | None, *path: str) -> Node | None:
    """Return the node under a path of keys, or None where there is none."""
    for key in path:
        if not isinstance(node, Members):
            return None
        node = node.get(key)
    return node


def text_of(node: Node | None) -> str | None:
    """Return the text of a node, or None when it is none."""
    return node.value if isinstance(node, Leaf) and isinstance(node.value, str) else None


def whole_of(node: Node | None) -> int | None:
    """Return the whole number of a node, or None when it is none."""
    if isinstance(node, Leaf) and isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    return None


def flag_of(node: Node | None, *, default: bool) -> bool:
    """Return the flag of a node, or the default."""
    return node.value if isinstance(node, Leaf) and isinstance(node.value, bool) else default


def entries_of(node: Node | None) -> Mapping[str, Member]:
    """Return the entries of a mapping; nothing has none."""
    return node.members if isinstance(node, Members) else {}


def steps_of(node: Node | None) -> list[tuple[int, Member]]:
    """Return the named elements of a list of single-key mappings, each with its index."""
    if not isinstance(node, Items):
        return []
    found: list[tuple[int, Member]] = []
    for index, item in enumerate(node.items):
        first = next(iter(item), None) if isinstance(item, Members) else None
        if first is not None:
            found.append((index, first))
    return found


def named(
    reading: Reading, section: str, node: Leaf, known: Mapping[str, Member], *, also: tuple[str, ...] = ()
) -> Node | None:
    """Return what `use.SECTION` holds under the name that a node gives; an unknown name is E1306.

    `also` are further names that may have been meant.
    """
    name = text_of(node)
    if name is None:
        return None
    if name in known:
        return known[name].node
    meant = nearest(name, (*known, *also))
    remedy = f"change it to `{meant}`" if meant else f"define it under `use.{section}`"
    complain(
        reading,
        "E1306",
        f"`{shortened(name)}` is not defined in `use.{section}`",
        node.span,
        remedy,
        label=f"did you mean `{meant}`?" if meant else "no such name",
    )
    return None
