"""Whether a value is what was expected, and where it differs, as people read it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from dirigent.model.values import SecretText, Unknown, Value

_SHOWN: Final = 80
_LINES: Final = 8
# Stands for what two values do not have in common.
_NOTHING: Final[Value] = ["nothing"]
_NAME: Final = re.compile(r"[A-Za-z_]\w*")


def same(wanted: Value, found: Value) -> bool:
    """Return whether two values are equal as JSON: 1 is 1.0, and true is no number."""
    return next(_differences("", wanted, found, exact=True), None) is None


def contains(wanted: Value, found: Value) -> bool:
    """Return whether a value has all that is wanted: other members of objects may stand beside it.

    A text with `*` in it stands for every text that looks so; lists must be equally long.
    """
    return next(_differences("", wanted, found, exact=False), None) is None


def differences(wanted: Value, found: Value, *, exact: bool) -> list[str]:
    """Return where a value differs, a line for each place, at most a few."""
    lines: list[str] = []
    for line in _differences("", wanted, found, exact=exact):
        if len(lines) == _LINES:
            return [*lines, "and more"]
        lines.append(line)
    return lines


def written(value: Value) -> str:
    """Return a value as JSON, cut to a length that a line can show."""
    text = json.dumps(shown(value), ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def alike(one: Value, other: Value) -> Value:
    """Return what two values have in common, as `contains` would have it: None where that is nothing."""
    found = _alike(one, other)
    return None if found is _NOTHING or found in ({}, []) else found


def _alike(one: Value, other: Value) -> Value:
    if isinstance(one, dict) and isinstance(other, dict):
        members = {name: _alike(value, other[name]) for name, value in one.items() if name in other}
        return {name: value for name, value in members.items() if value is not _NOTHING}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        items = [_alike(*pair) for pair in zip(one, other, strict=True)]
        return _NOTHING if any(each is _NOTHING for each in items) else items
    if same(one, other):
        return one
    return "*" if isinstance(one, str) and isinstance(other, str) else _NOTHING


def _differences(path: str, wanted: Value, found: Value, *, exact: bool) -> Iterator[str]:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            inner = f"{path}{_member(name)}"
            if name not in found:
                yield f"{inner}: {written(value)} is missing"
            else:
                yield from _differences(inner, value, found[name], exact=exact)
        for name in found if exact else ():
            if name not in wanted:
                yield f"{path}{_member(name)}: {written(found[name])} is not expected"
    elif isinstance(wanted, list) and isinstance(found, list):
        if len(wanted) != len(found):
            yield f"{path or '.'}: {len(wanted)} elements expected, but there are {len(found)}"
        for index, (one, other) in enumerate(zip(wanted, found, strict=False)):
            yield from _differences(f"{path}[{index}]", one, other, exact=exact)
    elif not (_equal(wanted, found) or (not exact and _like(wanted, found))):
        yield f"{path or '.'}: {written(wanted)} expected, but it is {written(found)}"


def _equal(wanted: Value, found: Value) -> bool:
    if isinstance(wanted, bool) or isinstance(found, bool):
        return wanted is found
    return bool(wanted == found)


def _like(wanted: Value, found: Value) -> bool:
    if not isinstance(wanted, str) or not isinstance(found, str) or "*" not in wanted:
        return False
    pattern = ".*".join(re.escape(part) for part in wanted.split("*"))
    return re.fullmatch(pattern, found, re.DOTALL) is not None


def _member(name: str) -> str:
    return f".{name}" if _NAME.fullmatch(name) else f"[{json.dumps(name, ensure_ascii=False)}]"


def shown(value: Value) -> Value:
    """Return a value with the names of its secrets in place of them, as a test file can write it."""
    if isinstance(value, SecretText | Unknown):
        return str(value)
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, dict):
        return {name: shown(item) for name, item in value.items()}
    return value
