"""The same shapes over computed values: what an expression gave must fit where it stood."""

from __future__ import annotations

from collections.abc import Mapping

from dirigent.lang.shape.place import Shape, Survey, run
from dirigent.lang.tree import Items, Leaf, Member, Members, Node
from dirigent.model import limits
from dirigent.model.problem import Problem
from dirigent.model.source import Span
from dirigent.model.values import SecretText, Unknown, Value

# Fits every shape, as an expression does whose value is not known yet.
_OPEN = "${ . }"


def check_value(
    value: Value,
    shape: Shape,
    problems: list[Problem],
    at: Span,
    *,
    path: str = "",
    places: Mapping[str, Span],
) -> None:
    """Append every problem of a computed value; unknown values and secrets fit everything.

    `places` gives the span of a dotted path where there is one (`with.health.http`), else that of
    the nearest path above it holds, at last `at`. Values deeper than the limit are refused (E1105).
    """
    node = _node(value, at, path, places, 0)
    if node is None:
        message = f"`{path}` is nested more than {limits.VALUE_DEPTH} levels deep"
        problems.append(Problem("E1105", message, at=at, label="one level too many"))
        return
    run(Survey(problems, {}), node, shape, path=path, where=at, templates=True)


def _node(value: Value, at: Span, path: str, places: Mapping[str, Span], depth: int) -> Node | None:
    span = places.get(path, at)
    if isinstance(value, Unknown | SecretText):
        return Leaf(_OPEN, span)
    if not isinstance(value, list | dict):
        return Leaf(value, span, quoted=True)
    if depth >= limits.VALUE_DEPTH:
        return None
    if isinstance(value, list):
        items = [_node(item, span, f"{path}[{index}]", places, depth + 1) for index, item in enumerate(value)]
        known = tuple(item for item in items if item is not None)
        return Items(known, span) if len(known) == len(items) else None
    members: dict[str, Member] = {}
    for key, item in value.items():
        inner = f"{path}.{key}" if path else key
        node = _node(item, span, inner, places, depth + 1)
        if node is None:
            return None
        members[key] = Member(key, places.get(inner, span), node)
    return Members(members, span)
