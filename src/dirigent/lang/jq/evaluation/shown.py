"""Values as text: JSON as jq writes it, and the short form that messages show."""

from __future__ import annotations

import json
from typing import Final, assert_never

from dirigent.lang.jq.evaluation.frame import Frame, Stopped, Undetermined
from dirigent.lang.jq.numbers import number_text
from dirigent.model.limits import PAYLOAD_BYTES, VALUE_DEPTH
from dirigent.model.values import SecretRef, SecretText, Unknown, Value
from dirigent.ports import ExpressionFailed

SECRET: Final = "a secret can only be joined into text: with `+`, in a string, or carried as it is"
_SHOWN_CHARACTERS: Final = 60
_SHOWN_NODES: Final = 20
_SHOWN_DEPTH: Final = 4
# Text is paid for by the block: copying is cheaper than walking.
_BLOCK: Final = 8


def kind(value: Value) -> str:
    """Return the word of jq for a value's type; a secret counts as a string in messages."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str() | SecretText():
            return "string"
        case list():
            return "array"
        case dict():
            return "object"
        case Unknown():
            return "unknown"
        case _:
            assert_never(value)


def shown(value: Value) -> str:
    """Return a value for a message, as `string ("abc")`, shortened, secrets by name only."""
    text = _sketch(value, _SHOWN_DEPTH)
    if len(text) > _SHOWN_CHARACTERS:
        text = text[: _SHOWN_CHARACTERS - 3] + "..."
    return f"{kind(value)} ({text})"


def _sketch(value: Value, depth: int) -> str:
    match value:
        case SecretText():
            return str(value)
        case Unknown():
            return "known after apply"
        case str():
            return json.dumps(value[: _SHOWN_CHARACTERS * 2], ensure_ascii=False)
        case list() if depth:
            return "[" + ",".join(_sketch(item, depth - 1) for item in value[:_SHOWN_NODES]) + "]"
        case dict() if depth:
            pairs = list(value.items())[:_SHOWN_NODES]
            return "{" + ",".join(f"{json.dumps(k[:99])}:{_sketch(v, depth - 1)}" for k, v in pairs) + "}"
        case list() | dict():
            return "..."
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            return number_text(value)
        case _:
            assert_never(value)


def pay_text(length: int, frame: Frame) -> None:
    """Pay for a text of this many characters before it is built; refuse one that is too long."""
    if length > PAYLOAD_BYTES:
        raise Stopped(f"the text would have {length} characters, {PAYLOAD_BYTES} are allowed")
    if length > 1 << _BLOCK:
        frame.spend(length >> _BLOCK)


def quoted(text: str) -> str:
    """Return a string as JSON, escaped as jq does."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def json_text(value: Value, frame: Frame) -> str:
    """Return a value as compact JSON. A secret in it is refused, an unknown leaf makes it unknown."""
    if isinstance(value, str):
        pay_text(len(value), frame)
        return quoted(value)
    parts: list[str] = []
    _write(value, parts, frame, VALUE_DEPTH)
    pay_text(sum(map(len, parts)), frame)
    return "".join(parts)


def _write(value: Value, parts: list[str], frame: Frame, depth: int) -> None:
    """Append the pieces of a value's JSON; each costs a step, depth is counted down."""
    if depth < 0:
        raise Stopped(f"the value is nested deeper than {VALUE_DEPTH} levels")
    match value:
        case str():
            pay_text(len(value), frame)
            parts.append(quoted(value))
        case None | bool():
            parts.append(json.dumps(value))
        case int() | float():
            parts.append(number_text(value))
        case list():
            frame.spend(len(value))
            separator = "["
            for item in value:
                parts.append(separator)
                _write(item, parts, frame, depth - 1)
                separator = ","
            parts.append("]" if value else "[]")
        case dict():
            frame.spend(len(value))
            separator = "{"
            for name, item in value.items():
                parts.append(f"{separator}{quoted(name)}:")
                _write(item, parts, frame, depth - 1)
                separator = ","
            parts.append("}" if value else "{}")
        case SecretText():
            raise Stopped(SECRET)
        case Unknown():
            raise Undetermined(value)
        case _:
            assert_never(value)


def text_of(value: Value, frame: Frame) -> str | SecretText:
    """Return what `tostring` gives: text and secrets as they are, anything else as JSON."""
    if isinstance(value, str | SecretText):
        return value
    return json_text(value, frame)


def joined(parts: list[str | SecretText], frame: Frame) -> str | SecretText:
    """Return texts in a row as one; with a secret among them, the whole is secret."""
    length, secret = 0, False
    for part in parts:
        if isinstance(part, str):
            length += len(part)
        else:
            secret = True
            length += sum(len(piece) for piece in part.parts if isinstance(piece, str)) + len(part.parts)
    pay_text(length, frame)
    if not secret:
        return "".join(part for part in parts if isinstance(part, str))
    return joined_secret(parts)


def joined_secret(parts: list[str | SecretText]) -> SecretText:
    """Return one secret text; literal neighbours become one part, empty ones vanish."""
    merged: list[str | SecretRef] = []
    for part in parts:
        for piece in (part,) if isinstance(part, str) else part.parts:
            if isinstance(piece, str) and merged and isinstance(merged[-1], str):
                merged[-1] += piece
            elif piece != "":
                merged.append(piece)
    return SecretText(tuple(merged))
