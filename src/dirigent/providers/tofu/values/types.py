"""Types of values, read from and written as the JSON that the protocol has for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Final, TypeAlias

from dirigent.model.record import dataclass


class Primitive(Enum):
    """The types without parts; DYNAMIC stands for a type that comes with the value."""

    STRING = "string"
    NUMBER = "number"
    BOOL = "bool"
    DYNAMIC = "dynamic"


class Kind(Enum):
    """What collects elements of one type."""

    LIST = "list"
    SET = "set"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class Collection:
    """A list, set or map of elements of one type."""

    kind: Kind
    element: Type


@dataclass(frozen=True, slots=True)
class Structure:
    """An object: a type for each member. `optional` members may be left out of a configuration."""

    members: Mapping[str, Type]
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Row:
    """A tuple: a type for each place."""

    items: tuple[Type, ...]


Type: TypeAlias = Primitive | Collection | Structure | Row

STRING: Final = Primitive.STRING
NUMBER: Final = Primitive.NUMBER
BOOL: Final = Primitive.BOOL
DYNAMIC: Final = Primitive.DYNAMIC


class NoType(Exception):
    """What a provider calls a type is none; the message shows it."""


def read_type(content: bytes | str) -> Type:
    """Return the type that some JSON stands for. Raises `NoType`."""
    try:
        found: object = json.loads(content)
    except ValueError:
        raise NoType(f"`{content!r}` is no JSON") from None
    return _type(found)


def write_type(given: Type) -> str:
    """Return the JSON of a type; the inverse of `read_type`."""
    return json.dumps(_plain(given), separators=(",", ":"))


def described(given: Type) -> str:
    """Return a type in words: `list of string`, `object with a, b`."""
    match given:
        case Primitive():
            return "any value" if given is DYNAMIC else given.value
        case Collection(kind, element):
            return f"{kind.value} of {described(element)}"
        case Structure(members):
            return f"object with {', '.join(members)}" if members else "empty object"
        case Row(items):
            return f"tuple of {', '.join(map(described, items))}"


def _type(found: object) -> Type:
    match found:
        case "string" | "number" | "bool" | "dynamic":
            return Primitive(found)
        case ["list" | "set" | "map" as kind, element]:
            return Collection(Kind(kind), _type(element))
        case ["object", dict() as members, *rest]:
            optional = rest[0] if rest and isinstance(rest[0], list) else []
            return Structure({str(name): _type(each) for name, each in members.items()}, frozenset(optional))
        case ["tuple", list() as items]:
            return Row(tuple(map(_type, items)))
        case _:
            raise NoType(f"`{json.dumps(found)}` is no type")


def _plain(given: Type) -> object:
    match given:
        case Primitive():
            return given.value
        case Collection(kind, element):
            return [kind.value, _plain(element)]
        case Structure(members, optional):
            shown = {name: _plain(members[name]) for name in sorted(members)}
            return ["object", shown, sorted(optional)] if optional else ["object", shown]
        case Row(items):
            return ["tuple", [_plain(each) for each in items]]
