"""Formats: `@json`, `@csv` and their like turn a value into text that is safe in its place."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from dirigent.jq.evaluation.frame import Frame, Stopped, Undetermined
from dirigent.jq.evaluation.paths import refusal
from dirigent.jq.evaluation.shown import ONLY_JOINED, json_text, pay_text, shown, text_of
from dirigent.jq.numbers import number_text
from dirigent.model.values import SecretText, Unknown, Value

_HTML: Final = str.maketrans({"<": "&lt;", ">": "&gt;", "&": "&amp;", "'": "&apos;", '"': "&quot;"})
_TSV: Final = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"})


def _plain(value: Value, frame: Frame) -> str:
    text = text_of(value, frame)
    if isinstance(text, SecretText):
        raise Stopped(ONLY_JOINED)
    pay_text(len(text) * 2, frame)
    return text


def _uri(value: Value, frame: Frame) -> str:
    return quote(_plain(value, frame).encode("utf-8", "replace"), safe="-_.~")


def _html(value: Value, frame: Frame) -> str:
    return _plain(value, frame).translate(_HTML)


def _base64(value: Value, frame: Frame) -> str:
    return base64.b64encode(_plain(value, frame).encode("utf-8", "replace")).decode("ascii")


def _row(value: Value, frame: Frame, name: str, text: Callable[[str], str]) -> list[str]:
    if not isinstance(value, list):
        raise refusal(value, f"{shown(value)} cannot be {name}-formatted, only array")
    frame.spend(len(value))
    cells: list[str] = []
    for cell in value:
        match cell:
            case None:
                cells.append("")
            case bool():
                cells.append("true" if cell else "false")
            case int() | float():
                cells.append(number_text(cell))
            case str():
                pay_text(len(cell), frame)
                cells.append(text(cell))
            case Unknown():
                raise Undetermined(cell)
            case _:
                raise refusal(cell, f"{shown(cell)} is not valid in a {name} row")
    pay_text(sum(map(len, cells)) + len(cells), frame)
    return cells


def _csv(value: Value, frame: Frame) -> str:
    return ",".join(_row(value, frame, "csv", lambda cell: '"' + cell.replace('"', '""') + '"'))


def _tsv(value: Value, frame: Frame) -> str:
    return "\t".join(_row(value, frame, "tsv", lambda cell: cell.translate(_TSV)))


def _shell(value: Value, frame: Frame) -> str:
    cells = value if isinstance(value, list) else [value]
    frame.spend(len(cells))
    made: list[str] = []
    for cell in cells:
        if isinstance(cell, list | dict):
            raise refusal(cell, f"{shown(cell)} can not be escaped for shell")
        text = _plain(cell, frame)
        made.append("'" + text.replace("'", "'\\''") + "'" if isinstance(cell, str) else text)
    return " ".join(made)


FORMATS: Final[Mapping[str, Callable[[Value, Frame], str | SecretText]]] = MappingProxyType(
    {
        "@text": text_of,
        "@json": json_text,
        "@csv": _csv,
        "@tsv": _tsv,
        "@html": _html,
        "@uri": _uri,
        "@sh": _shell,
        "@base64": _base64,
    }
)
