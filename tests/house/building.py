"""Rules on the building as a whole: loops, floors, shares. Every import counts, hidden or for types only."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from house.tree import Finding, Module, Tree

FLOORS, SHARE_PERCENT = 7, 20
# The door is no floor: it only starts the highest one.
DOORS = {"__main__", ""}


def arrows(tree: Tree) -> dict[str, set[str]]:
    """The modules that each module imports, by dotted name."""
    known = {module.dotted for module in tree.sources}
    return {module.dotted: targets(module, known) - {module.dotted} for module in tree.sources}


def targets(module: Module, known: set[str]) -> set[str]:
    """The modules of ours that one file imports; a member that is a module is the arrow's end."""
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = absolute(module, node)
            members = {f"{source}.{alias.name}" for alias in node.names}
            found |= members & known
            if members - known:
                found.add(source)
    return found & known


def absolute(module: Module, node: ast.ImportFrom) -> str:
    """The absolute name that an import speaks of."""
    if not node.level:
        return node.module or ""
    package = module.dotted.split(".")
    keep = len(package) - node.level + (module.path.stem == "__init__")
    return ".".join([*package[:keep], *([node.module] if node.module else [])])


def loops(tree: Tree) -> Iterator[Finding]:
    """No module reaches itself."""
    try:
        TopologicalSorter(arrows(tree)).prepare()
    except CycleError as error:
        names = error.args[1]
        module = next(m for m in tree.sources if m.dotted == names[0])
        mend = f"import loop {' -> '.join(names)}: move what both need one floor down"
        yield Finding("loop", module.shown, 1, mend)


def rooms(tree: Tree) -> dict[str, set[str]]:
    """The rooms that each room imports."""
    found: dict[str, set[str]] = {}
    by_name = {module.dotted: module.room for module in tree.sources}
    for source, reached in arrows(tree).items():
        room = by_name[source]
        found.setdefault(room, set()).update(by_name[name] for name in reached)
    return {room: reached - {room} - DOORS for room, reached in found.items() if room not in DOORS}


def floors(tree: Tree) -> Iterator[Finding]:
    """The building is low: a room stands one floor above the highest room that it imports."""
    below = rooms(tree)
    try:
        order = list(TopologicalSorter(below).static_order())
    except CycleError as error:
        mend = f"rooms import each other: {' -> '.join(error.args[1])}"
        yield Finding("floors", "src/dirigent", 1, mend)
        return
    height: dict[str, int] = {}
    for room in order:
        height[room] = 1 + max((height[other] for other in below[room]), default=0)
    if height and max(height.values()) > FLOORS:
        plan = ", ".join(f"{room} {floor}" for room, floor in sorted(height.items(), key=lambda p: p[1]))
        yield Finding("floors", "src/dirigent", 1, f"{max(height.values())} floors, at most {FLOORS}: {plan}")


def shares(tree: Tree) -> Iterator[Finding]:
    """No room is most of the house. A house that still lacks rooms is not measured."""
    if missing_rooms(tree):
        return
    lines: dict[str, int] = {}
    for module in tree.sources:
        lines[module.room] = lines.get(module.room, 0) + sum(
            bool(line.strip()) for line in module.text.splitlines()
        )
    whole = sum(lines.values())
    for room, count in sorted(lines.items()):
        if count * 100 > SHARE_PERCENT * whole:
            mend = f"{count} of {whole} lines, at most {SHARE_PERCENT} %: part the room"
            yield Finding("share", f"src/dirigent/{room}", 1, mend)


def missing_rooms(tree: Tree) -> set[str]:
    """The rooms that the floors contract names and that do not exist yet."""
    contract = tree.root / "pyproject.toml"
    if not contract.is_file():
        return set()
    contracts = tomllib.loads(contract.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    named = {room.strip(" ()") for layer in layers for room in layer.split("|")}
    return named - {module.room for module in tree.sources}
