"""Numbers: exact integers of any practical size, finite floats, and how jq writes them."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Final

from dirigent.ports import ExpressionFailed

# A double holds every integer up to here exactly; beyond it an integral float stays a float.
EXACT: Final = 2**53
# Larger integers would not survive a conversion to a double, and their digits cost memory.
_BITS: Final = 1023
# Where jq changes to an exponent: so many places before or behind the digits.
_PLAIN_DIGITS: Final = 15
_PLAIN_ZEROS: Final = -4
_WRITTEN: Final = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DIGITS_MAX: Final = 400


def settle(number: float) -> int | float:
    """Return a result as jq prints it: integral floats that are exact become integers."""
    if isinstance(number, int):
        if number.bit_length() > _BITS:
            raise ExpressionFailed("the result has too many digits")
        return number
    if not math.isfinite(number):
        raise ExpressionFailed("the result is not a finite number")
    return int(number) if number.is_integer() and -EXACT <= number <= EXACT else number


def literal_number(text: str) -> int | float:
    """Return the number that a text spells, or raise `ExpressionFailed` if no finite number can hold it."""
    if len(text) > _DIGITS_MAX:
        raise ExpressionFailed(f"the number `{text[:20]}...` has too many digits")
    return settle(int(text) if text.lstrip("-").isdecimal() else float(text))


def parse_number(text: str) -> int | float | None:
    """Return the number that a string holds, or None."""
    return literal_number(text) if _WRITTEN.fullmatch(text) else None


def number_text(number: float) -> str:
    """Return a number as jq writes it: the shortest digits, `1e-05`, `1e+17`, no needless `.0`."""
    if isinstance(number, int):
        return str(number)
    if not math.isfinite(number):
        raise ExpressionFailed("the value is not a finite number")
    sign, digits, exponent = Decimal(repr(number)).normalize().as_tuple()
    if not isinstance(exponent, int):
        raise ExpressionFailed("the value is not a finite number")
    shown = "".join(map(str, digits))
    point = len(shown) + exponent
    minus = "-" if sign else ""
    if point <= _PLAIN_ZEROS or point > len(shown) + _PLAIN_DIGITS:
        mantissa = shown[0] + ("." + shown[1:] if len(shown) > 1 else "")
        return f"{minus}{mantissa}e{point - 1:+03d}"
    if point <= 0:
        return f"{minus}0.{'0' * -point}{shown}"
    if point >= len(shown):
        return minus + shown + "0" * (point - len(shown))
    return f"{minus}{shown[:point]}.{shown[point:]}"
