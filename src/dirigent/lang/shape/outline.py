"""A shape as people want it told: what may stand where, what must, and one example.

Shapes of other rooms tell it of themselves (`Outlined`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Protocol, runtime_checkable

from dirigent.lang.shape.choices import ByKey, ByKind, OrExpression, Templates
from dirigent.lang.shape.containers import Field, ListOf, MapOf, Record
from dirigent.lang.shape.place import Fixed, Shape
from dirigent.lang.shape.scalars import Flag, Number, Text, Whole, matches
from dirigent.model.record import dataclass
from dirigent.model.values import Value

ANY_TEXT: Final = "..."
_QUOTED: Final = re.compile("`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Outline:
    """One key: what may stand under it in words, what is to be `said` of it, and what lies inside.

    `said` is of `required`, `optional`, `computed`, `sensitive`, `write-only` and `deprecated`.
    """

    name: str
    what: str
    said: tuple[str, ...] = ()
    description: str = ""
    deprecated: str = ""
    inside: tuple[Outline, ...] = ()
    example: Value = None


@runtime_checkable
class Outlined(Protocol):
    """A shape that tells of itself."""

    def outlines(self) -> tuple[Outline, ...]:
        """Return what may stand in it, by keys."""
        ...

    def example(self) -> Value:
        """Return the least that fits."""
        ...


def outlines_of(shape: Shape) -> tuple[Outline, ...]:
    """Return the keys below a shape: those of its elements, for a list or a mapping with free names."""
    match shape:
        case Outlined():
            return shape.outlines()
        case Record(fields):
            return tuple(outline_of(name, field) for name, field in fields.items())
        case ByKey(alternatives):
            return _merged([outlines_of(each) for each in alternatives.values()])
        case ByKind():
            every = [each for each in (shape.map, shape.list) if each is not None]
            return _merged([outlines_of(each) for each in every])
        case ListOf(item=inner) | MapOf(value=inner) | Templates(inner) | OrExpression(inner) | Fixed(inner):
            return outlines_of(inner)
        case _:
            return ()


def outline_of(name: str, field: Field) -> Outline:
    """Return one key of a record."""
    return Outline(
        name,
        field.shape.what,
        ("required",) if field.required else ("optional",),
        field.description,
        inside=outlines_of(field.shape),
        example=example_of(field.shape),
    )


def example_of(shape: Shape) -> Value:
    """Return the least that fits a shape, with `...` where any text will do."""
    match shape:
        case Outlined():
            return shape.example()
        case Record(fields):
            return least_of({name: (each.shape, each.required) for name, each in fields.items()})
        case ListOf(item):
            return [example_of(item)]
        case MapOf(value):
            return {"name": example_of(value)}
        case Templates(inner) | OrExpression(inner) | Fixed(inner):
            return example_of(inner)
        case _:
            chosen = _first(shape)
            return _scalar(shape) if chosen is None else example_of(chosen)


def least_of(members: Mapping[str, tuple[Shape, bool]]) -> dict[str, Value]:
    """Return an example of those members that are required."""
    return {name: example_of(shape) for name, (shape, required) in members.items() if required}


def _first(shape: Shape) -> Shape | None:
    """Return the alternative of a choice that an example shows, None where there is no choice."""
    match shape:
        case ByKey(alternatives):
            return next(iter(alternatives.values()), None)
        case ByKind():
            every = (shape.text, shape.map, shape.list, shape.number, shape.flag)
            return next((each for each in every if each is not None), None)
        case _:
            return None


def _scalar(shape: Shape) -> Value:
    match shape:
        case Text(choices=(first, *_)):
            return first
        case Text(pattern, what=what) if pattern:
            # The words of a shape show a text that fits, as `/health`.
            quoted = (each.strip('"') for each in _QUOTED.findall(what))
            return next((each for each in quoted if matches(pattern, each)), ANY_TEXT)
        case Number(min=least) | Whole(min=least):
            return 1 if least is None else max(1, int(least))
        case Flag():
            return True
        case _:
            return ANY_TEXT


def _merged(every: list[tuple[Outline, ...]]) -> tuple[Outline, ...]:
    """Return the keys of alternatives; what only one of them demands is not demanded."""
    found: dict[str, Outline] = {}
    for alternative in every:
        for outline in alternative:
            found.setdefault(outline.name, outline)
    alone = len(every) == 1
    return tuple(each if alone else replace(each, said=("optional",)) for each in found.values())
