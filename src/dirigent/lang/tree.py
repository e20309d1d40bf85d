"""A YAML document with the place of every key and value: what all readers of documents read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Scalar, Value


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar. `span` covers the text as written, quotes included; `quoted` is False for a plain one."""

    value: Scalar
    span: Span
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A sequence."""

    items: tuple[Node, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of a mapping; keys are always text."""

    key: str
    key_span: Span
    node: Node


@dataclass(frozen=True, slots=True)
class Members:
    """A mapping, in the order of the document. Keys are unique: the loader refuses duplicates."""

    members: dict[str, Member]
    span: Span

    def get(self, key: str) -> Node | None:
        """Return the value under a key, or None."""
        member = self.members.get(key)
        return member.node if member else None

    def __iter__(self) -> Iterator[Member]:
        """Iterate over the entries."""
        return iter(self.members.values())


Node: TypeAlias = Leaf | Items | Members


def placed(value: Value, at: Span) -> Node:
    """Return a value as a tree all of which lies at one place; what is no scalar is nothing."""
    if isinstance(value, dict):
        members = {key: Member(key, at, placed(inner, at)) for key, inner in value.items()}
        return Members(members, at)
    if isinstance(value, list):
        return Items(tuple(placed(inner, at) for inner in value), at)
    return Leaf(value if isinstance(value, str | int | float | bool) else None, at)


def plain(node: Node) -> Value:
    """Return the value without its places. Depth is bounded by the loader (`limits.DOCUMENT_DEPTH`)."""
    if isinstance(node, Leaf):
        return node.value
    if isinstance(node, Items):
        return [plain(item) for item in node.items]
    return {member.key: plain(member.node) for member in node}
