"""Functions on arrays."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dirigent.jq.evaluation.arithmetic import add
from dirigent.jq.evaluation.code import Operation, Run
from dirigent.jq.evaluation.frame import Frame, Undetermined
from dirigent.jq.evaluation.order import compare, sorted_values, truth
from dirigent.jq.evaluation.paths import at, elements, positions, refusal
from dirigent.jq.evaluation.shown import joined, pay_text, shown, text_of
from dirigent.model.limits import VALUE_DEPTH
from dirigent.model.values import SecretText, Unknown, Value
from dirigent.ports import ExpressionFailed


def array(value: Value, words: str) -> list[Value]:
    """Return the value as an array, or fail."""
    if isinstance(value, list):
        return value
    raise refusal(value, f"{shown(value)} {words}")


def total(values: list[Value], frame: Frame) -> Value:
    """Return the sum of values; texts and arrays are built once, at the end."""
    if values and all(isinstance(value, str | SecretText) for value in values):
        return joined([value for value in values if isinstance(value, str | SecretText)], frame)
    if values and all(isinstance(value, list) for value in values):
        frame.spend(sum(len(value) for value in values if isinstance(value, list)))
        return [item for value in values if isinstance(value, list) for item in value]
    if values and all(isinstance(value, dict) for value in values):
        return _united([value for value in values if isinstance(value, dict)], frame)
    result: Value = None
    unknown: list[Unknown] = []
    for value in values:
        if isinstance(value, Unknown):
            unknown.append(value)
        else:
            result = add(result, value, frame)
    if unknown:
        raise Undetermined(*unknown)
    return result


def _united(objects: list[dict[str, Value]], frame: Frame) -> Value:
    made: dict[str, Value] = {}
    for item in objects:
        frame.spend(len(item))
        made.update(item)
    return made


def join(value: Value, separator: Value, frame: Frame) -> Value:
    """Return the elements as one text; null counts as empty, numbers and booleans as their JSON."""
    items = elements(value)
    frame.spend(len(items))
    pieces: list[str | SecretText] = []
    for index, item in enumerate(items):
        if index and separator is not None:
            pieces.append(_piece(separator, pieces, frame))
        if item is None:
            pieces.append("")
        elif isinstance(item, bool | int | float):
            pieces.append(text_of(item, frame))
        else:
            pieces.append(_piece(item, pieces, frame))
    return joined(pieces, frame)


def _piece(value: Value, before: list[str | SecretText], frame: Frame) -> str | SecretText:
    if isinstance(value, str | SecretText):
        return value
    add(joined(before, frame), value, frame)
    raise refusal(value, f"{shown(value)} cannot be joined")


def flatten(value: Value, frame: Frame) -> Value:
    """Return the elements of all arrays inside each other as one array."""
    made: list[Value] = []
    _flatten(elements(value), -1, made, frame)
    return made


def flatten_to(value: Value, depth: Value, frame: Frame) -> Value:
    """Return the same, down to a depth."""
    if compare(depth, 0, frame) < 0:
        raise ExpressionFailed("flatten depth must not be negative")
    levels = depth if isinstance(depth, int | float) else -1
    items = elements(value)
    if not isinstance(depth, int | float) and any(isinstance(item, list) for item in items):
        raise ExpressionFailed(f"the depth of flatten must be a number, not {shown(depth)}")
    made: list[Value] = []
    _flatten(items, levels, made, frame)
    return made


def _flatten(items: list[Value], levels: float, made: list[Value], frame: Frame, depth: int = 0) -> None:
    if depth > VALUE_DEPTH:
        raise ExpressionFailed(f"the array is nested deeper than {VALUE_DEPTH} levels")
    frame.spend(len(items))
    for item in items:
        if isinstance(item, Unknown):
            raise Undetermined(item)
        if isinstance(item, list) and levels != 0:
            _flatten(item, levels - 1, made, frame, depth + 1)
        else:
            made.append(item)


def reverse(value: Value, frame: Frame) -> Value:
    """Return the elements from the last to the first."""
    if isinstance(value, list):
        frame.spend(len(value))
        return value[::-1]
    # Of a number libjq takes the length, which is its magnitude; `false` is none, though it equals 0 here.
    if value is None or (not isinstance(value, bool) and value in ("", 0)) or value == {}:
        return []
    raise refusal(value, f"cannot reverse {shown(value)}")


def unique(value: Value, frame: Frame) -> Value:
    """Return the elements in order, each once."""
    made: list[Value] = []
    for item in sort(value, frame):
        if not made or compare(made[-1], item, frame):
            made.append(item)
    return made


def sort(value: Value, frame: Frame) -> list[Value]:
    """Return the elements in order."""
    return sorted_values(array(value, "cannot be sorted, as it is not an array"), frame)


def extreme(values: list[Value], keys: list[Value], frame: Frame, *, greatest: bool) -> Value:
    """Return the value with the least or the greatest key: first of the least, last of the greatest."""
    if not values:
        return None
    best = 0
    frame.spend(len(values))
    for index in range(1, len(values)):
        difference = compare(keys[index], keys[best], frame)
        if difference >= 0 if greatest else difference < 0:
            best = index
    return values[best]


def _extreme(value: Value, frame: Frame, *, greatest: bool) -> Value:
    values = array(value, "cannot be iterated over")
    return extreme(values, values, frame, greatest=greatest)


def index(value: Value, wanted: Value, frame: Frame) -> Value:
    """Return the first place of an element, of a run of elements or of a text, else null."""
    if isinstance(value, str) and isinstance(wanted, str):
        pay_text(len(value), frame)
        found = value.find(wanted) if wanted else -1
        return None if found < 0 else found
    if isinstance(value, list):
        places = positions(value, wanted if isinstance(wanted, list) else [wanted], frame)
        return places[0] if places else None
    if value is None and not isinstance(wanted, dict):
        at(value, wanted, frame)
        return None
    if isinstance(value, str) and not isinstance(wanted, dict):
        raise refusal(value, f"cannot index string with {shown(wanted)}", wanted)
    return at(at(value, wanted, frame), 0, frame)


PLAIN: Final[Mapping[str, Run]] = MappingProxyType(
    {
        "add/0": lambda value, frame: total(elements(value), frame),
        "any/0": lambda value, _: any(truth(item) for item in elements(value)),
        "all/0": lambda value, _: all(truth(item) for item in elements(value)),
        "first/0": lambda value, frame: at(value, 0, frame),
        "last/0": lambda value, frame: at(value, -1, frame),
        "min/0": lambda value, frame: _extreme(value, frame, greatest=False),
        "max/0": lambda value, frame: _extreme(value, frame, greatest=True),
        "sort/0": sort,
        "unique/0": unique,
        "reverse/0": reverse,
        "flatten/0": flatten,
    }
)
WITH_VALUE: Final[Mapping[str, Operation]] = MappingProxyType(
    {"join/1": join, "flatten/1": flatten_to, "index/1": index}
)
