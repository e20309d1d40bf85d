"""Jq's total order: null, false, true, numbers, strings, arrays, objects. And what counts as true."""

from __future__ import annotations

from functools import cmp_to_key
from typing import Final

from dirigent.jq.evaluation.frame import Frame, Stopped, Undetermined
from dirigent.jq.evaluation.shown import ONLY_JOINED, pay_text
from dirigent.model.limits import VALUE_DEPTH
from dirigent.model.values import SecretText, Unknown, Value

_RANKS: Final = {bool: 1, int: 3, float: 3, str: 4, list: 5, dict: 6}


def truth(value: Value) -> bool:
    """Return whether a value counts as true: everything but `null` and `false`."""
    if isinstance(value, Unknown):
        raise Undetermined(value)
    if isinstance(value, SecretText):
        raise Stopped(ONLY_JOINED)
    return value is not None and value is not False


def compare(left: Value, right: Value, frame: Frame) -> int:
    """Return a negative number, zero or a positive one. Containers cost a step for each member."""
    return _compare(left, right, frame, VALUE_DEPTH)


def equal(left: Value, right: Value, frame: Frame) -> bool:
    """Return whether two values are the same to jq."""
    if type(left) is int and type(right) is int:
        return left == right
    if isinstance(left, str) and isinstance(right, str):
        # Texts of different lengths are told apart without a look at them.
        if len(left) == len(right):
            pay_text(len(left), frame)
        return left == right
    return _compare(left, right, frame, VALUE_DEPTH) == 0


def _rank(value: Value) -> int:
    if value is None:
        return 0
    if value is True:
        return 2
    if isinstance(value, SecretText):
        raise Stopped(f"a secret cannot be compared: {ONLY_JOINED}")
    if isinstance(value, Unknown):
        raise Undetermined(value)
    return _RANKS[type(value)]


def _sign(left: float | str, right: float | str, frame: Frame) -> int:
    """Compare two numbers or two texts."""
    if isinstance(left, str) and isinstance(right, str):
        pay_text(min(len(left), len(right)), frame)
        return (left > right) - (left < right)
    if isinstance(left, str) or isinstance(right, str):
        return 0
    return (left > right) - (left < right)


def _compare(left: Value, right: Value, frame: Frame, depth: int) -> int:
    if isinstance(left, Unknown) and isinstance(right, Unknown):
        raise Undetermined(left, right)
    ranks = _rank(left), _rank(right)
    if ranks[0] != ranks[1]:
        return ranks[0] - ranks[1]
    if isinstance(left, int | float | str) and isinstance(right, int | float | str):
        return _sign(left, right, frame)
    if depth < 0:
        raise Stopped(f"a value is nested deeper than {VALUE_DEPTH} levels")
    if isinstance(left, list) and isinstance(right, list):
        return _compare_lists(left, right, frame, depth)
    if isinstance(left, dict) and isinstance(right, dict):
        return _compare_objects(left, right, frame, depth)
    return 0


def _compare_objects(left: dict[str, Value], right: dict[str, Value], frame: Frame, depth: int) -> int:
    """The sorted names decide first, then the values in the order of the names."""
    names, others = sorted(left), sorted(right)
    frame.spend(len(names) + len(others))
    if names != others:
        return -1 if names < others else 1
    return _compare_lists([left[n] for n in names], [right[n] for n in names], frame, depth)


def _compare_lists(left: list[Value], right: list[Value], frame: Frame, depth: int) -> int:
    for one, other in zip(left, right, strict=False):
        frame.spend(1)
        if difference := _compare(one, other, frame, depth - 1):
            return difference
    return len(left) - len(right)


def sorted_values(values: list[Value], frame: Frame) -> list[Value]:
    """Return the values in order; equal ones keep theirs."""
    return [values[place] for place in places_in_order(values, frame)]


def places_in_order(keys: list[Value], frame: Frame) -> list[int]:
    """Return the positions of the keys as sorting would put them; equal ones keep their order."""
    frame.spend(len(keys))
    places = range(len(keys))
    texts = [key for key in keys if isinstance(key, str)]
    if len(texts) == len(keys):
        pay_text(sum(map(len, texts)), frame)
        return sorted(places, key=texts.__getitem__)
    numbers = [key for key in keys if isinstance(key, int | float) and not isinstance(key, bool)]
    if len(numbers) == len(keys):
        return sorted(places, key=numbers.__getitem__)

    def difference(one: int, other: int) -> int:
        frame.spend(1)
        return compare(keys[one], keys[other], frame)

    return sorted(places, key=cmp_to_key(difference))
