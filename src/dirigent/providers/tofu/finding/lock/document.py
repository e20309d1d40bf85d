"""The file `dirigent.lock`: read with places, written so that a difference shows what has changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

from dirigent.lang.shape import Field, ListOf, MapOf, Record, Text, Whole, check
from dirigent.lang.source import load_bytes
from dirigent.lang.tree import Items, Leaf, Members, Node
from dirigent.model.problem import Refusal
from dirigent.providers.tofu.finding.lock.shape import Locked

NAME: Final = "dirigent.lock"
FORMAT: Final = 1
_HEAD: Final = """\
# Written by `dirigent providers lock`. Keep it with the stack: it says which providers may run.
"""
_HASH: Final = r"h1:[A-Za-z0-9+/]{43}=|zh:[0-9a-f]{64}"
_SOURCE: Final = r"[a-z0-9.:-]+/[a-z0-9_-]+/[a-z0-9_-]+"
_VERSION: Final = r"[0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*"
SHAPE: Final = Record(
    {
        "lock": Field(Whole(min=FORMAT, max=FORMAT), required=True, description="the format of this file"),
        "providers": Field(
            MapOf(
                Record(
                    {
                        "version": Field(Text(_VERSION, what="a version"), required=True),
                        "constraints": Field(Text()),
                        "hashes": Field(
                            MapOf(ListOf(Text(_HASH, what="`h1:` or `zh:` and a SHA-256")), "[a-z0-9_]+"),
                            required=True,
                        ),
                    },
                    title="a locked provider",
                ),
                _SOURCE,
                "HOST/NAMESPACE/TYPE",
            ),
            required=True,
        ),
    },
    title="a lock",
)


def read_lock(content: bytes, file: str) -> dict[str, Locked]:
    """Return what is locked, by source. Raises `Refusal` with every mistake (E1xxx)."""
    root, problems = load_bytes(content, file)
    if root is None:
        raise Refusal(problems)
    check(root, SHAPE, problems)
    if any(each.severity == "error" for each in problems):
        raise Refusal(problems)
    entries = root.get("providers") if isinstance(root, Members) else None
    found = [_entry(each.key, each.node, file) for each in entries] if isinstance(entries, Members) else []
    return {each.source: each for each in found}


def write_lock(locked: Iterable[Locked]) -> str:
    """Return the text of a lock, the same for the same content."""
    lines = [f"{_HEAD}lock: {FORMAT}", "providers:"]
    entries = sorted(locked, key=lambda each: each.source)
    if not entries:
        lines[-1] = "providers: {}"
    for each in entries:
        lines += [f"  {each.source}:", f"    version: {json.dumps(each.version)}"]
        if each.constraints:
            lines.append(f"    constraints: {json.dumps(each.constraints)}")
        lines.append("    hashes:" if each.hashes else "    hashes: {}")
        for platform, hashes in sorted(each.hashes.items()):
            lines.append(f"      {platform}:")
            lines += [f"        - {one}" for one in sorted(hashes)]
    return "\n".join(lines) + "\n"


def _entry(source: str, node: Node, file: str) -> Locked:
    entry = _texts(node)
    hashes = node.get("hashes") if isinstance(node, Members) else None
    return Locked(
        source,
        entry.get("version", ""),
        entry.get("constraints", ""),
        {each.key: _list(each.node) for each in hashes} if isinstance(hashes, Members) else {},
        file,
    )


def _texts(node: Node) -> Mapping[str, str]:
    members = node if isinstance(node, Members) else ()
    leaves = {each.key: each.node for each in members}
    return {key: str(leaf.value) for key, leaf in leaves.items() if isinstance(leaf, Leaf)}


def _list(node: Node) -> tuple[str, ...]:
    items = node.items if isinstance(node, Items) else ()
    return tuple(str(each.value) for each in items if isinstance(each, Leaf))
