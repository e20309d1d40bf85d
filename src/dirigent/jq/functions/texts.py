"""Functions on texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from dirigent.jq.evaluation.arithmetic import split
from dirigent.jq.evaluation.code import Operation, Run
from dirigent.jq.evaluation.frame import Frame
from dirigent.jq.evaluation.paths import refusal
from dirigent.jq.evaluation.shown import pay_text, shown
from dirigent.model.values import Value

_UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TO_LOWER: Final = str.maketrans(_UPPER, _UPPER.lower())
_TO_UPPER: Final = str.maketrans(_UPPER.lower(), _UPPER)
# What jq trims: the white space of Unicode.
_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


def texts(value: Value, other: Value, function: str) -> tuple[str, str]:
    """Return both as texts, or fail as jq does."""
    if isinstance(value, str) and isinstance(other, str):
        return value, other
    wrong = other if isinstance(value, str) else value
    raise refusal(value, f"{function} requires string inputs, not {shown(wrong)}", other)


def split_by(value: Value, separator: Value, frame: Frame) -> Value:
    """Return the pieces between separators."""
    text, mark = texts(value, separator, "split")
    return split(text, mark, frame)


def starts_with(value: Value, other: Value, frame: Frame) -> Value:
    """Return whether a text begins with another."""
    del frame
    text, mark = texts(value, other, "startswith()")
    return text.startswith(mark)


def ends_with(value: Value, other: Value, frame: Frame) -> Value:
    """Return whether a text ends with another."""
    del frame
    text, mark = texts(value, other, "endswith()")
    return text.endswith(mark)


def without_prefix(value: Value, other: Value, frame: Frame) -> Value:
    """Return the text without a beginning."""
    text, mark = texts(value, other, "startswith()")
    pay_text(len(text), frame)
    return text.removeprefix(mark)


def without_suffix(value: Value, other: Value, frame: Frame) -> Value:
    """Return the text without an ending."""
    text, mark = texts(value, other, "endswith()")
    pay_text(len(text), frame)
    return text.removesuffix(mark)


def without_both(value: Value, other: Value, frame: Frame) -> Value:
    """Return the text without that beginning and ending."""
    return without_suffix(without_prefix(value, other, frame), other, frame)


def _on_text(function: Callable[[str], Value], words: str) -> Run:
    def run(value: Value, frame: Frame) -> Value:
        if not isinstance(value, str):
            raise refusal(value, f"{shown(value)} {words}")
        pay_text(len(value), frame)
        return function(value)

    return run


PLAIN: Final[Mapping[str, Run]] = MappingProxyType(
    {
        "ascii_downcase/0": _on_text(lambda text: text.translate(_TO_LOWER), "is not a string"),
        "ascii_upcase/0": _on_text(lambda text: text.translate(_TO_UPPER), "is not a string"),
        "utf8bytelength/0": _on_text(
            lambda text: len(text.encode("utf-8", "replace")), "only strings have UTF-8 byte length"
        ),
        "trim/0": _on_text(lambda text: text.strip(_SPACE), "cannot be trimmed: it is not a string"),
        "ltrim/0": _on_text(lambda text: text.lstrip(_SPACE), "cannot be trimmed: it is not a string"),
        "rtrim/0": _on_text(lambda text: text.rstrip(_SPACE), "cannot be trimmed: it is not a string"),
    }
)
WITH_VALUE: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        "split/1": split_by,
        "startswith/1": starts_with,
        "endswith/1": ends_with,
        "ltrimstr/1": without_prefix,
        "rtrimstr/1": without_suffix,
        "trimstr/1": without_both,
    }
)
