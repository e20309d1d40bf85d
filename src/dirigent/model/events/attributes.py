"""What the attributes of an event may be (CloudEvents 1.0): one rule for documents, tasks and the outside."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from datetime import datetime
from types import MappingProxyType
from typing import Final

from dirigent.model.values import Value

VERSION: Final = "1.0"

_TIME: Final = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?"
    r"([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_MEDIA: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+\s*(;.*)?", re.ASCII)
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", re.ASCII)
_REFERENCE: Final = re.compile(r"\S+")
NAME: Final = re.compile(r"[a-z0-9]{1,64}", re.ASCII)
INTEGERS: Final = range(-(2**31), 2**31)


def attribute_complaint(name: str, value: Value) -> str:
    """Return what is wrong with one attribute of an event, or with its data; empty when nothing is."""
    if name in _RULES:
        what, holds = _RULES[name]
        return "" if isinstance(value, str) and holds(value) else f"its `{name}` must be {what}"
    if name != "data" and not NAME.fullmatch(name):
        return f"`{name[:64]}` is no attribute: names are lower-case letters and digits"
    if name == "data" or isinstance(value, bool | str) or (isinstance(value, int) and value in INTEGERS):
        return ""
    return f"its `{name}` must be text, a whole number of 32 bits, or a boolean"


def _date(text: str) -> bool:
    if not _TIME.fullmatch(text):
        return False
    try:
        # A leap second has no place in this calendar, but it is a time all the same.
        datetime.fromisoformat(text[:10] + "T" + text[11:16])
    except ValueError:
        return False
    return True


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


_RULES: Final = MappingProxyType[str, tuple[str, Callable[[str], object]]](
    {
        "id": ("text that is not empty", bool),
        "type": ("text that is not empty", bool),
        "subject": ("text that is not empty", bool),
        "source": ("a URI, or the end of one, without spaces", _REFERENCE.fullmatch),
        "dataschema": ("a URI such as `https://example.com/order.json`", _URI.fullmatch),
        "datacontenttype": ("a media type such as `application/json`", _MEDIA.fullmatch),
        "time": ("a time such as `2026-03-09T12:00:00Z`", _date),
        "specversion": (f"`{VERSION}`", bool),
        "data_base64": ("bytes in base 64", _is_base64),
    }
)
