"""Resources that wait for each other: every cycle is found and named whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from dirigent.model import limits
from dirigent.model.problem import Label, Problem
from dirigent.model.source import Span

Edges: TypeAlias = Mapping[str, Mapping[str, Span]]


def cycle_problems(edges: Edges) -> Iterator[Problem]:
    """Yield one problem (E1405) for each of the first cycles, the shortest through its first member."""
    left = _knotted({name: dict(needs) for name, needs in edges.items()})
    for _ in range(limits.PROBLEMS_SHOWN):
        found = next((path for name in left if (path := _way_back(left, name))), None)
        if found is None:
            return
        yield _problem(found, edges)
        left = _knotted({name: needs for name, needs in left.items() if name not in found})


def _knotted(edges: dict[str, dict[str, Span]]) -> dict[str, dict[str, Span]]:
    """Return what is left when everything that waits for nothing is taken away, again and again."""
    waiting = {
        name: [need for need in needs if need in edges and need != name] for name, needs in edges.items()
    }
    dependents: dict[str, list[str]] = {name: [] for name in edges}
    for name, needs in waiting.items():
        for need in needs:
            dependents[need].append(name)
    missing = {name: len(needs) for name, needs in waiting.items()}
    free = deque(name for name, count in missing.items() if count == 0)
    while free:
        for dependent in dependents[free.popleft()]:
            missing[dependent] -= 1
            if missing[dependent] == 0:
                free.append(dependent)
    return {
        name: {need: span for need, span in edges[name].items() if missing.get(need) and need != name}
        for name in edges
        if missing[name]
    }


def _way_back(edges: dict[str, dict[str, Span]], start: str) -> list[str]:
    """Return the shortest path from a resource to itself, without its second mention; empty if none."""
    came_from: dict[str, str] = {}
    queue = deque([start])
    while queue:
        name = queue.popleft()
        for need in edges.get(name, ()):
            if need == start:
                path = [name]
                while path[-1] != start:
                    path.append(came_from[path[-1]])
                return path[::-1]
            if need not in came_from:
                came_from[need] = name
                queue.append(need)
    return []


def _problem(path: list[str], edges: Edges) -> Problem:
    steps = list(zip(path, [*path[1:], path[0]], strict=True))
    shown = " → ".join(f"`{name}`" for name in (*path, path[0]))
    first, *rest = (edges[name][need] for name, need in steps)
    others = tuple(
        Label(span, f"`{name}` needs `{need}`") for span, (name, need) in zip(rest, steps[1:], strict=True)
    )
    return Problem(
        "E1405",
        f"these resources wait for each other: {shown}",
        at=first,
        label=f"`{steps[0][0]}` needs `{steps[0][1]}`",
        others=others,
        help=("remove one of these references",),
    )
