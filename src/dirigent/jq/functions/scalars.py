"""Functions on any value or on numbers: types, truth, conversion, rounding."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dirigent.jq.evaluation.arithmetic import negate
from dirigent.jq.evaluation.code import Operation, Run
from dirigent.jq.evaluation.frame import Frame, Raised, Undetermined
from dirigent.jq.evaluation.order import compare, truth
from dirigent.jq.evaluation.paths import refusal
from dirigent.jq.evaluation.shown import ONLY_JOINED, json_text, kind, pay_text, shown, text_of
from dirigent.jq.numbers import literal_number, parse_number, settle
from dirigent.model.limits import VALUE_DEPTH
from dirigent.model.values import SecretText, Unknown, Value
from dirigent.ports import ExpressionFailed

_NESTED: Final = re.compile(r'(?s)"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]')
_HALF: Final = 0.5
_LONE: Final = re.compile("[\ud800-\udfff]")


def type_of(value: Value, frame: Frame) -> Value:
    """Return the name of the type."""
    del frame
    if isinstance(value, SecretText | Unknown):
        raise refusal(value, ONLY_JOINED)
    return kind(value)


def length(value: Value, frame: Frame) -> Value:
    """Return characters, elements, members; the magnitude of a number; 0 for null."""
    del frame
    if isinstance(value, str | list | dict):
        return len(value)
    if value is None:
        return 0
    if isinstance(value, int | float) and not isinstance(value, bool):
        return abs(value)
    raise refusal(value, f"{shown(value)} has no length")


def number_of(value: Value, frame: Frame) -> Value:
    """Return a number as it is, a text as the number that it spells."""
    del frame
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    number = parse_number(value) if isinstance(value, str) else None
    if number is None:
        raise refusal(value, f"{shown(value)} cannot be parsed as a number")
    return number


def parsed(value: Value, frame: Frame) -> Value:
    """Return the value that a JSON text holds; each of its characters is paid for."""
    if not isinstance(value, str):
        raise refusal(value, f"{shown(value)}: only strings can be parsed")
    pay_text(len(value), frame)
    frame.spend(len(value) >> 6)
    deepest = nested = 0
    for found in _NESTED.finditer(value):
        nested += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found.group(), 0)
        deepest = max(deepest, nested)
    if deepest > VALUE_DEPTH:
        raise ExpressionFailed(f"the JSON text is nested deeper than {VALUE_DEPTH} levels")
    try:
        made: Value = json.loads(value, parse_constant=_constant, parse_float=_float, parse_int=_integer)
    except ValueError as reason:
        raise ExpressionFailed(f"{shown(value)} is not JSON: {reason}") from None
    if "\\u" in value and _LONE.search(json.dumps(made, ensure_ascii=False)):
        raise ExpressionFailed(f"{shown(value)} holds half a surrogate pair")
    return made


def _constant(name: str) -> Value:
    if name == "NaN":
        return None
    raise ValueError(f"{name} is not a number of JSON")


def _float(text: str) -> float:
    return settle(float(text))


def _integer(text: str) -> float:
    return literal_number(text)


def magnitude(value: Value, frame: Frame) -> Value:
    """Return the value without its sign; what is not below zero stays as it is, whatever its type."""
    return negate(value) if compare(value, 0, frame) < 0 else value


def _rounded(function: Run) -> Run:
    def run(value: Value, frame: Frame) -> Value:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise refusal(value, f"{shown(value)} number required")
        return settle(value) if isinstance(value, int) or value.is_integer() else function(value, frame)

    return run


def _half_away(value: Value, frame: Frame) -> Value:
    """Round halves away from zero, as C does."""
    del frame
    if not isinstance(value, float):
        return value
    whole = math.floor(abs(value))
    whole += abs(value) - whole >= _HALF
    return int(math.copysign(whole, value))


def fail(value: Value, frame: Frame) -> Value:
    """Raise the value as an error."""
    if isinstance(value, Unknown):
        raise Undetermined(value)
    message = shown(value) if isinstance(value, SecretText) else text_of(value, frame)
    raise Raised(f"error: {message}", value)


def fail_with(value: Value, message: Value, frame: Frame) -> Value:
    """Raise the argument as an error."""
    del value
    return fail(message, frame)


PLAIN: Final[Mapping[str, Run]] = MappingProxyType(
    {
        "type/0": type_of,
        "length/0": length,
        "not/0": lambda value, _: not truth(value),
        "tonumber/0": number_of,
        "tostring/0": text_of,
        "tojson/0": json_text,
        "fromjson/0": parsed,
        "abs/0": magnitude,
        "floor/0": _rounded(lambda value, _: math.floor(value) if isinstance(value, float) else value),
        "ceil/0": _rounded(lambda value, _: math.ceil(value) if isinstance(value, float) else value),
        "round/0": _rounded(_half_away),
        "error/0": fail,
    }
)
WITH_VALUE: Final[Mapping[str, Operation]] = MappingProxyType({"error/1": fail_with})
