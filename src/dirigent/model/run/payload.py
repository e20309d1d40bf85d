"""How a value looks whose content lies in a file: an object with one member, which names it.

Expressions see its size and digest; its content comes back only where an effect is given it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Final

from dirigent.model.run.journal import Fact
from dirigent.model.values import Value

NAME: Final = "$payload"
TEXT: Final = "text"
JSON: Final = "json"
PREVIEW_CHARACTERS: Final = 80


def reference(digest: str, size: int, form: str, preview: str = "") -> dict[str, Value]:
    """Return what stands for content of `size` bytes; `form` is `text` or `json`."""
    return {NAME: {"sha256": digest, "bytes": size, "form": form, "preview": preview[:PREVIEW_CHARACTERS]}}


def parts_of(value: Value) -> tuple[str, str] | None:
    """Return the digest and the form of a reference; None for any other value."""
    if not isinstance(value, dict) or len(value) != 1:
        return None
    inner = value.get(NAME)
    if not isinstance(inner, dict):
        return None
    digest, form = inner.get("sha256"), inner.get("form")
    return (digest, form) if isinstance(digest, str) and isinstance(form, str) else None


def references(value: Value) -> Iterator[tuple[str, str]]:
    """Yield the digest and form of every reference in a value, without recursion."""
    nodes = [value]
    for node in nodes:
        if isinstance(node, dict):
            found = parts_of(node) if NAME in node else None
            if found is None:
                nodes += node.values()
            else:
                yield found
        elif isinstance(node, list):
            nodes += node


def replaced(value: Value, change: Callable[[Value], Value | None]) -> Value:
    """Return a value with every node exchanged for which `change` gives something else than None."""
    root: list[Value] = [value]
    places: list[tuple[list[Value] | dict[str, Value], int | str]] = [(root, 0)]
    while places:
        box, key = places.pop()
        node = box[int(key)] if isinstance(box, list) else box[str(key)]
        other = change(node)
        fresh: Value = node if other is None else other
        if other is None and isinstance(node, list):
            fresh = list(node)
            places.extend((fresh, index) for index in range(len(fresh)))
        elif other is None and isinstance(node, dict):
            fresh = dict(node)
            places.extend((fresh, name) for name in fresh)
        if isinstance(box, list):
            box[int(key)] = fresh
        else:
            box[str(key)] = fresh
    return root[0]


def referenced(facts: Iterable[Fact]) -> set[str]:
    """Return the digests that facts name, wherever in them: these must not be swept."""
    found: set[str] = set()
    for fact in facts:
        for each in fields(fact):
            value = getattr(fact, each.name)
            if isinstance(value, dict | list):
                found.update(digest for digest, _ in references(value))
    return found
