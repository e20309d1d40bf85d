"""Steps into a value: a member, an index, a slice, every element."""

from __future__ import annotations

import math
from typing import Final

from dirigent.jq.evaluation.frame import Frame, Stopped, Undetermined
from dirigent.jq.evaluation.order import equal
from dirigent.jq.evaluation.shown import ONLY_JOINED, kind, pay_text, shown
from dirigent.model.values import SecretRef, SecretText, Unknown, Value
from dirigent.ports import ExpressionFailed

_SLICE: Final = "array and string slice indices must be numbers"


def member(value: Value, name: str) -> Value:
    """Return the member of an object; null has every member, and it is null.

    A member of a secret is a reference too: whether there is one is found out where it is revealed.
    """
    match value:
        case dict():
            return value.get(name)
        case None:
            return None
        case SecretText((SecretRef(secret),)):
            return SecretText((SecretRef(f"{secret}.{name}"),))
        case _:
            raise refusal(value, f"cannot index {kind(value)} with `{name}`: it is {shown(value)}")


def at(value: Value, key: Value, frame: Frame) -> Value:
    """Return what an object has under a name, or an array at a position or where a part begins."""
    match value, key:
        case (dict() | None | SecretText(), str()):
            return member(value, key)
        case (list() | None, int() | float()) if not isinstance(key, bool):
            return None if value is None else _item(value, key)
        case list(), list():
            return positions(value, key, frame)
        case (list() | str(), dict()) if "start" in key and "end" in key:
            return part(value, key["start"], key["end"], frame)
        case None, dict():
            return None
        case _:
            raise refusal(value, f"cannot index {kind(value)} with {shown(key)}", key)


def part(value: Value, start: Value, end: Value, frame: Frame) -> Value:
    """Return a slice of an array or a text; the bounds are rounded outwards."""
    if value is None:
        return None
    if not isinstance(value, list | str):
        raise refusal(value, f"cannot slice {shown(value)}")
    length = len(value)
    first = min(max(_bound(start, 0, length, up=False), 0), length)
    last = min(max(_bound(end, length, length, up=True), first), length)
    if isinstance(value, list):
        frame.spend(last - first)
    else:
        pay_text(last - first, frame)
    return value[first:last]


def elements(value: Value) -> list[Value]:
    """Return the elements of an array or the values of an object."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        return list(value.values())
    raise refusal(value, f"cannot iterate over {shown(value)}")


def positions(value: list[Value], wanted: list[Value], frame: Frame) -> list[Value]:
    """Return where an array occurs in another."""
    if not wanted:
        return []
    found: list[Value] = []
    for start in range(len(value) - len(wanted) + 1):
        frame.spend(1)
        if all(equal(value[start + i], item, frame) for i, item in enumerate(wanted)):
            found.append(start)
    return found


def refusal(value: Value, sentence: str, *others: Value) -> Exception:
    """Return what to raise when an operation does not suit its values."""
    values = (value, *others)
    unknown = [one for one in values if isinstance(one, Unknown)]
    if unknown:
        return Undetermined(*unknown)
    if any(isinstance(one, SecretText) for one in values):
        return Stopped(ONLY_JOINED)
    return ExpressionFailed(sentence)


def _item(value: list[Value], index: float) -> Value:
    place = math.trunc(index)  # towards zero, as libjq casts it
    place = place + len(value) if place < 0 else place
    return value[place] if 0 <= place < len(value) else None


def _bound(bound: Value, default: int, length: int, *, up: bool) -> int:
    if bound is None:
        return default
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        raise refusal(bound, f"{_SLICE}, not {shown(bound)}")
    if isinstance(bound, float):
        bound = bound + length if bound < 0 else bound
        return math.ceil(bound) if up else math.floor(bound)
    return bound + length if bound < 0 else bound
