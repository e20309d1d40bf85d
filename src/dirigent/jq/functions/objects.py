"""Functions on objects, and on what contains something."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dirigent.jq.evaluation.code import Operation, Run
from dirigent.jq.evaluation.frame import Frame, Stopped
from dirigent.jq.evaluation.order import equal, truth
from dirigent.jq.evaluation.paths import elements, member, refusal
from dirigent.jq.evaluation.shown import kind, pay_text, shown
from dirigent.model.limits import VALUE_DEPTH
from dirigent.model.values import SecretText, Unknown, Value

_KEYS: Final = ("key", "Key", "name", "Name")


def keys(value: Value, frame: Frame) -> Value:
    """Return the names of an object in order, or the positions of an array."""
    if isinstance(value, dict):
        frame.spend(len(value))
        return [*sorted(value)]
    return keys_unsorted(value, frame)


def keys_unsorted(value: Value, frame: Frame) -> Value:
    """Return the names of an object as they come, or the positions of an array."""
    if isinstance(value, list | dict):
        frame.spend(len(value))
        return list(value) if isinstance(value, dict) else list(range(len(value)))
    raise refusal(value, f"{shown(value)} has no keys")


def to_entries(value: Value, frame: Frame) -> Value:
    """Return `{key, value}` for each member."""
    if isinstance(value, dict):
        frame.spend(len(value))
        return [{"key": name, "value": item} for name, item in value.items()]
    if isinstance(value, list):
        frame.spend(len(value))
        return [{"key": place, "value": item} for place, item in enumerate(value)]
    raise refusal(value, f"{shown(value)} has no keys")


def from_entries(value: Value, frame: Frame) -> Value:
    """Return the object with a member for each `{key, value}`."""
    items = elements(value)
    frame.spend(len(items))
    made: dict[str, Value] = {}
    for item in items:
        name: Value = None
        for key in _KEYS:
            name = member(item, key)
            if isinstance(name, SecretText | Unknown) or truth(name):
                break
        if not isinstance(name, str):
            raise refusal(name, f"cannot use {shown(name)} as the key of an object")
        made[name] = member(item, "value" if has(item, "value", frame) else "Value")
    return made


def has(value: Value, key: Value, frame: Frame) -> bool:
    """Return whether an object has a member or an array a position; null has none."""
    del frame
    match value, key:
        case dict(), str():
            return key in value
        case (list(), int() | float()) if not isinstance(key, bool):
            return 0 <= key < len(value)
        case None, _:
            return False
        case _:
            raise refusal(value, f"cannot check whether {kind(value)} has {shown(key)} as a key", key)


def contains(value: Value, part: Value, frame: Frame) -> bool:
    """Return whether all of a part is in a value: sub-texts, members, elements anywhere."""
    return _contains(value, part, frame, VALUE_DEPTH)


def _contains(value: Value, part: Value, frame: Frame, depth: int) -> bool:
    if depth < 0:
        raise Stopped(f"a value is nested deeper than {VALUE_DEPTH} levels")
    frame.spend(1)
    match value, part:
        case dict(), dict():
            return all(
                name in value and _contained(value[name], item, frame, depth) for name, item in part.items()
            )
        case list(), list():
            return all(any(_contained(other, item, frame, depth) for other in value) for item in part)
        case str(), str():
            pay_text(len(value), frame)
            return part in value
        case _:
            plain = not isinstance(value, Unknown | SecretText)
            if plain and kind(value) == kind(part) and (value is part or not isinstance(value, bool)):
                return equal(value, part, frame)
            raise refusal(
                value, f"{shown(value)} and {shown(part)} cannot have their containment checked", part
            )


def _contained(value: Value, part: Value, frame: Frame, depth: int) -> bool:
    """Inside a container values of different types are just not contained."""
    if isinstance(value, Unknown | SecretText | dict | list | str) and kind(value) == kind(part):
        return _contains(value, part, frame, depth - 1)
    return equal(value, part, frame)


PLAIN: Final[Mapping[str, Run]] = MappingProxyType(
    {
        "keys/0": keys,
        "keys_unsorted/0": keys_unsorted,
        "to_entries/0": to_entries,
        "from_entries/0": from_entries,
    }
)
WITH_VALUE: Final[Mapping[str, Operation]] = MappingProxyType({"has/1": has, "contains/1": contains})
