"""Schemas of a provider as values, and the type that each implies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import IntEnum
from typing import Final

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.providers.tofu.values.types import DYNAMIC, Collection, Kind, Primitive, Row, Structure, Type

# What stands for the words of a deprecation where a provider gives none.
DEPRECATED: Final = "it is deprecated"


class Nesting(IntEnum):
    """How often a block stands, and under what. The numbers are those of the protocol."""

    SINGLE = 1
    LIST = 2
    SET = 3
    MAP = 4
    GROUP = 5


@dataclass(frozen=True, slots=True)
class Nested:
    """The attributes of an attribute that is itself an object, or a collection of them (version 6)."""

    attributes: Mapping[str, Attribute]
    nesting: Nesting


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. `type` is what it implies; `nested` says more of the members, where there are."""

    name: str
    type: Type
    nested: Nested | None = None
    required: bool = False
    optional: bool = False
    computed: bool = False
    sensitive: bool = False
    write_only: bool = False
    description: str = ""
    deprecated: str = ""

    @property
    def settable(self) -> bool:
        """Return whether a configuration may hold it."""
        return self.required or self.optional


@dataclass(frozen=True, slots=True)
class NestedBlock:
    """A block inside of another. At least `least` of them stand there, at most `most` (0: any number)."""

    name: str
    block: Block
    nesting: Nesting
    least: int = 0
    most: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """Attributes and blocks by name."""

    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    blocks: Mapping[str, NestedBlock] = field(default_factory=dict)
    description: str = ""
    deprecated: str = ""


@dataclass(frozen=True, slots=True)
class Schema:
    """One type of resources, data sources and so on, or the provider's own configuration."""

    version: int
    block: Block


def implied(block: Block) -> Structure:
    """Return the type of a value of a block: every attribute and block is a member."""
    members: dict[str, Type] = {name: each.type for name, each in block.attributes.items()}
    return Structure(members | {name: implied_of(each) for name, each in block.blocks.items()})


def implied_of(nested: NestedBlock) -> Type:
    """Return the type of a nested block as a member.

    Where an element holds a value of any type, its elements differ in type: then the provider's own
    framework takes a tuple for a list and an object for a map, which only a value tells.
    """
    element = implied(nested.block)
    match nested.nesting:
        case Nesting.SINGLE | Nesting.GROUP:
            return element
        case Nesting.SET:
            return Collection(Kind.SET, element)
        case Nesting.LIST:
            return DYNAMIC if _holds_any(element) else Collection(Kind.LIST, element)
        case Nesting.MAP:
            return DYNAMIC if _holds_any(element) else Collection(Kind.MAP, element)


def collected(attributes: Mapping[str, Attribute], nesting: Nesting) -> Type:
    """Return the type of an attribute that has attributes of its own."""
    element = Structure({name: each.type for name, each in attributes.items()})
    kinds = {Nesting.LIST: Kind.LIST, Nesting.SET: Kind.SET, Nesting.MAP: Kind.MAP}
    return Collection(kinds[nesting], element) if nesting in kinds else element


def empty(block: Block) -> dict[str, Value]:
    """Return the value of a block in which nothing is set."""
    found: dict[str, Value] = dict.fromkeys(block.attributes)
    return found | {name: empty_of(each) for name, each in block.blocks.items()}


def empty_of(nested: NestedBlock) -> Value:
    """Return what stands for a nested block that was not written."""
    match nested.nesting:
        case Nesting.SINGLE:
            return None
        case Nesting.GROUP:
            return empty(nested.block)
        case Nesting.MAP:
            return {}
        case Nesting.LIST | Nesting.SET:
            return []


def sensitive_paths(block: Block, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the paths of sensitive attributes; every element of a collection is meant."""
    for name, attribute in block.attributes.items():
        if attribute.sensitive:
            yield (*prefix, name)
        elif attribute.nested is not None:
            yield from sensitive_paths(Block(attribute.nested.attributes), (*prefix, name))
    for name, nested in block.blocks.items():
        yield from sensitive_paths(nested.block, (*prefix, name))


def _holds_any(given: Type) -> bool:
    match given:
        case Primitive():
            return given is DYNAMIC
        case Collection(_, element):
            return _holds_any(element)
        case Structure(members):
            return any(map(_holds_any, members.values()))
        case Row(items):
            return any(map(_holds_any, items))
