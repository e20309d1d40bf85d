"""Plain scalars by the core schema of YAML 1.2, narrowed to what JSON can hold.

`no`, `on`, `1:30`, `1_000` and dates are text. A number that people would read differently is refused.
"""

from __future__ import annotations

import re
from typing import Final

from dirigent.model.values import Scalar

_WORDS: Final[dict[str, Scalar]] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_NUMBER_STARTS: Final = frozenset("0123456789+-.")
_WHOLE: Final = re.compile(r"[-+]?[0-9]+")
_OTHER_RADIX: Final = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FRACTION: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_JSON: Final = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9]+")

# What a store, a wire and jq can all carry: a signed or unsigned number of 64 bits.
_LEAST: Final = -(2**63)
_MOST: Final = 2**64 - 1
_DIGITS_MAX: Final = 20


class NumberRefused(Exception):
    """A plain scalar that looks like a number we refuse. `code` is its problem; the message says why."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code of the problem."""
        super().__init__(message)
        self.code = code


def resolve(text: str) -> Scalar:
    """Return the value of a plain scalar, or raise `NumberRefused`."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _WHOLE.fullmatch(text):
        return _whole(text)
    if _OTHER_RADIX.fullmatch(text):
        return _bounded(int(text, 0) if len(text) <= _DIGITS_MAX else _MOST + 1, text)
    if _FRACTION.fullmatch(text):
        return _fraction(text)
    if _NOT_JSON.fullmatch(text):
        raise NumberRefused("E1126", f"`{text}` is not a number that JSON can hold")
    return text


def _whole(text: str) -> int:
    if _LEADING_ZERO.fullmatch(text):
        raise NumberRefused(
            "E1125", f"`{_cut(text)}` begins with a zero: some readers take that for an octal number"
        )
    if len(text) > _DIGITS_MAX + 1:
        return _bounded(_MOST + 1, text)
    return _bounded(int(text), text)


def _bounded(value: int, text: str) -> int:
    if not _LEAST <= value <= _MOST:
        raise NumberRefused("E1126", f"the number `{_cut(text)}` does not fit into 64 bits")
    return value


def _fraction(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise NumberRefused("E1126", f"the number `{_cut(text)}` is too large")
    return value


def _cut(text: str) -> str:
    return text if len(text) <= _DIGITS_MAX * 2 else text[: _DIGITS_MAX * 2] + "…"
