"""What differs between two configurations, path by path, as the plan shows it.

Secrets are compared by reference: the same name is no difference. `Unknown` always is one.
A path is dotted, with indexes in brackets; a key that is not plain is quoted: `labels["a.b"]`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from dirigent.model import limits
from dirigent.model.plan import Difference
from dirigent.model.source import Span
from dirigent.model.values import SecretText, Template, Unknown, Value
from dirigent.planning.values.evaluate import template_of

_SEGMENT: Final = re.compile(r'\["([^"]*)"\]|\[([0-9]+)\]|([^.\[\]]+)')
_PLAIN: Final = re.compile(r'[^.\[\]"]+')

# Stands for "there is nothing here", which is not the same as null.
_ABSENT: Final = object()


def differences(
    before: Mapping[str, Value], after: Mapping[str, Value], spans: Mapping[str, Span] | None = None
) -> tuple[Difference, ...]:
    """Return every difference, in the order of `after`, then what is only in `before`.

    A place in the text is that of the path, else of the nearest path above it.
    """
    places = spans or {}
    return tuple(
        Difference(path, old, new, span=span_of(path, places)) for path, old, new in _walk(before, after)
    )


def span_of(path: str, spans: Mapping[str, Span]) -> Span | None:
    """Return the place of a path, or of the nearest one above it, below `with` if it leads further there.

    An index is passed over where one mapping was written in place of a list of one.
    """
    parts = segments(path)
    inside, outside = _deepest(["with"], parts, spans), _deepest([], parts, spans)
    found = outside if len(outside) > len(inside) - 1 else inside if len(inside) > 1 else []
    return spans.get(joined(found))


def _deepest(
    start: list[str | int], parts: Sequence[str | int], spans: Mapping[str, Span]
) -> list[str | int]:
    """Return as much of a path as was written."""
    at, found = start, start
    for part in parts:
        below = [*at, part]
        known = joined(below) in spans
        if known or isinstance(part, str):
            at = below
        if known:
            found = below
    return found


def segments(path: str) -> list[str | int]:
    """Return the keys and indexes of a path."""
    return [
        int(match[2]) if match[2] is not None else match[1] if match[1] is not None else match[3]
        for match in _SEGMENT.finditer(path)
    ]


def joined(parts: Sequence[str | int]) -> str:
    """Return the path of keys and indexes; the inverse of `segments`."""
    path = ""
    for part in parts:
        path = _below(path, part)
    return path


def related(one: str, other: str) -> bool:
    """Return whether two paths are the same, or one lies below the other."""
    short, long = sorted((one, other), key=len)
    return long == short or long.startswith((f"{short}.", f"{short}["))


def forced(found: Sequence[Difference], paths: Sequence[str]) -> tuple[Difference, ...]:
    """Return the differences with those marked that force a replacement."""
    return tuple(
        replace(item, forces_replacement=any(related(item.path, path) for path in paths)) for item in found
    )


def keep_ignored(
    desired: dict[str, Template], standing: Mapping[str, Value], ignore: Sequence[str]
) -> dict[str, Template]:
    """Return the configuration with what stands now at every ignored path, absent where it is absent."""
    for path in ignore:
        parts = segments(path)
        if parts[:1] == ["with"] and "with" not in desired:
            parts = parts[1:]
        if parts:
            desired = _put(desired, parts, standing)
    return desired


def _put(
    desired: dict[str, Template], parts: list[str | int], standing: Mapping[str, Value]
) -> dict[str, Template]:
    """Copy one value from `standing`; only what lies on the path is copied, nothing is changed in place."""
    root = dict(desired)
    node: dict[str, Template] | list[Template] = root
    source: Value | Mapping[str, Value] = standing
    for part in parts[:-1]:
        below = _at(node, part)
        source = _value_at(source, part)
        if isinstance(below, list | dict):
            fresh: dict[str, Template] | list[Template] = below.copy()
        elif isinstance(source, dict):
            fresh = {}
        else:
            return root
        _store(node, part, fresh)
        node = fresh
    last = parts[-1]
    if _has(source, last):
        _store(node, last, template_of(_value_at(source, last)))
    elif isinstance(node, dict) and isinstance(last, str):
        node.pop(last, None)
    return root


def _at(node: dict[str, Template] | list[Template], part: str | int) -> Template:
    if isinstance(node, dict):
        return node.get(str(part))
    return node[part] if isinstance(part, int) and part < len(node) else None


def _has(node: Value | Mapping[str, Value], part: str | int) -> bool:
    if isinstance(node, list):
        return isinstance(part, int) and part < len(node)
    return isinstance(node, Mapping) and part in node


def _value_at(node: Value | Mapping[str, Value], part: str | int) -> Value:
    if isinstance(node, list):
        return node[part] if isinstance(part, int) and part < len(node) else None
    return node.get(str(part)) if isinstance(node, Mapping) else None


def _store(node: dict[str, Template] | list[Template], part: str | int, value: Template) -> None:
    if isinstance(node, dict):
        node[str(part)] = value
    elif isinstance(part, int) and part < len(node):
        node[part] = value


def _walk(before: Mapping[str, Value], after: Mapping[str, Value]) -> Iterator[tuple[str, Value, Value]]:
    """Yield path, old and new value of every difference, without recursion."""
    stack = [(path, old, new, 1) for path, old, new in reversed(list(_pairs("", before, after)))]
    while stack:
        path, old, new, depth = stack.pop()
        if _same_kind(old, new) and depth < limits.VALUE_DEPTH:
            pairs = list(_pairs(path, old, new))
            stack.extend((*pair, depth + 1) for pair in reversed(pairs))
        elif not _same(old, new):
            yield path, _shown(old), _shown(new)


def _pairs(path: str, before: object, after: object) -> Iterator[tuple[str, object, object]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key, value in after.items():
            yield _below(path, key), before.get(key, _ABSENT), value
        for key, value in before.items():
            if key not in after:
                yield _below(path, key), value, _ABSENT
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            old = before[index] if index < len(before) else _ABSENT
            new = after[index] if index < len(after) else _ABSENT
            yield _below(path, index), old, new


def _below(path: str, part: str | int) -> str:
    if isinstance(part, int):
        return f"{path}[{part}]"
    if not _PLAIN.fullmatch(part):
        return f'{path}["{part}"]'
    return f"{path}.{part}" if path else part


def _same_kind(old: object, new: object) -> bool:
    """Return whether both are objects or both are lists, and neither is empty: then look inside."""
    both = (isinstance(old, dict) and isinstance(new, dict)) or (
        isinstance(old, list) and isinstance(new, list)
    )
    return both and (bool(old) or bool(new))


def _same(old: object, new: object) -> bool:
    if isinstance(old, Unknown) or isinstance(new, Unknown):
        return False
    # In Python true equals 1; in a configuration it does not.
    if isinstance(old, bool) is not isinstance(new, bool):
        return False
    return old == new


def _shown(value: object) -> Value:
    if value is _ABSENT or value is None:
        return None
    if isinstance(value, bool | int | float | str | SecretText | Unknown | list | dict):
        return value
    raise TypeError(f"{value!r} is no value")
