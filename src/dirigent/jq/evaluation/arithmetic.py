"""`+ - * / %` and negation, typed as in jq. Sizes are paid for before anything is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from dirigent.jq.evaluation.frame import Frame, Stopped, Undetermined
from dirigent.jq.evaluation.order import equal
from dirigent.jq.evaluation.shown import ONLY_JOINED, joined, pay_text, shown
from dirigent.jq.numbers import settle
from dirigent.model.limits import VALUE_DEPTH
from dirigent.model.values import SecretText, Unknown, Value
from dirigent.ports import ExpressionFailed

Operation = Callable[[Value, Value, Frame], Value]


def add(left: Value, right: Value, frame: Frame) -> Value:
    """Return the sum: numbers, texts, arrays, objects (the right one wins); null is neutral."""
    if isinstance(left, (int, float)) and isinstance(right, (int, float)) and _numeric(left, right):
        return settle(left + right)
    match left, right:
        case (None, other) | (other, None):
            return other
        case (str() | SecretText(), str() | SecretText()):
            return joined([left, right], frame)
        case list(), list():
            frame.spend(len(left) + len(right))
            return left + right
        case dict(), dict():
            frame.spend(len(left) + len(right))
            return {**left, **right}
        case _:
            raise _refused(left, right, "added")


def subtract(left: Value, right: Value, frame: Frame) -> Value:
    """Return the difference of numbers, or an array without the members of another."""
    if isinstance(left, (int, float)) and isinstance(right, (int, float)) and _numeric(left, right):
        return settle(left - right)
    match left, right:
        case list(), list():
            frame.spend(len(left) * len(right))
            return [item for item in left if not any(equal(item, other, frame) for other in right)]
        case _:
            raise _refused(left, right, "subtracted")


def multiply(left: Value, right: Value, frame: Frame) -> Value:
    """Return the product of numbers, a repeated text, or two objects merged at every level."""
    if isinstance(left, (int, float)) and isinstance(right, (int, float)) and _numeric(left, right):
        return settle(left * right)
    match left, right:
        case (str(), int() | float()) if not isinstance(right, bool):
            return _repeated(left, right, frame)
        case (int() | float(), str()) if not isinstance(left, bool):
            return _repeated(right, left, frame)
        case dict(), dict():
            return _merged(left, right, frame, VALUE_DEPTH)
        case _:
            raise _refused(left, right, "multiplied")


def divide(left: Value, right: Value, frame: Frame) -> Value:
    """Return the quotient, an integer where it is exact, or a text split by another."""
    match left, right:
        case (int() | float(), int() | float()) if _numeric(left, right):
            if right == 0:
                raise _refused(left, right, "divided because the divisor is zero")
            if isinstance(left, int) and isinstance(right, int) and left % right == 0:
                return left // right
            return settle(left / right)
        case str(), str():
            return split(left, right, frame)
        case _:
            raise _refused(left, right, "divided")


def remainder(left: Value, right: Value, frame: Frame) -> Value:
    """Return the remainder of the whole parts; it has the sign of the dividend."""
    del frame
    match left, right:
        case (int() | float(), int() | float()) if _numeric(left, right):
            whole, divisor = int(left), abs(int(right))
            if divisor == 0:
                raise _refused(left, right, "divided (remainder) because the divisor is zero")
            return -(-whole % divisor) if whole < 0 else whole % divisor
        case _:
            raise _refused(left, right, "divided (remainder)")


def negate(value: Value) -> Value:
    """Return the number with its sign turned."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return settle(-value)
    if isinstance(value, Unknown):
        raise Undetermined(value)
    if isinstance(value, SecretText):
        raise Stopped(ONLY_JOINED)
    raise ExpressionFailed(f"{shown(value)} cannot be negated")


def split(text: str, separator: str, frame: Frame) -> list[Value]:
    """Return the pieces of a text; an empty separator gives its characters."""
    if not text:
        return []
    frame.spend(text.count(separator))
    pay_text(len(text), frame)
    return list(text.split(separator)) if separator else list(text)


OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {"+": add, "-": subtract, "*": multiply, "/": divide, "%": remainder}
)


def _numeric(left: Value, right: Value) -> bool:
    return not isinstance(left, bool) and not isinstance(right, bool)


def _repeated(text: str, count: float, frame: Frame) -> Value:
    """Repeat a text; a count below one gives what jq 1.8 gives: nothing for zero, null below."""
    if count < 0:
        return None
    times = int(count)
    pay_text(len(text) * times, frame)
    return text * times


def _merged(left: dict[str, Value], right: dict[str, Value], frame: Frame, depth: int) -> dict[str, Value]:
    if depth < 0:
        raise Stopped(f"an object is nested deeper than {VALUE_DEPTH} levels")
    frame.spend(len(left) + len(right))
    made = dict(left)
    for name, value in right.items():
        before = made.get(name)
        if isinstance(before, Unknown) and isinstance(value, dict):
            made[name] = before
        elif isinstance(before, dict) and isinstance(value, dict):
            made[name] = _merged(before, value, frame, depth - 1)
        else:
            made[name] = value
    return made


def _refused(left: Value, right: Value, done: str) -> Exception:
    """Return why an operation has no value; an unknown operand makes the result unknown instead."""
    unknown = [value for value in (left, right) if isinstance(value, Unknown)]
    if unknown:
        return Undetermined(*unknown)
    if isinstance(left, SecretText) or isinstance(right, SecretText):
        return Stopped(f"{ONLY_JOINED}; {shown(left)} and {shown(right)} cannot be {done}")
    return ExpressionFailed(f"{shown(left)} and {shown(right)} cannot be {done}")
