"""Values as text: JSON as jq writes it, and the short form that messages show."""

from __future__ import annotations

import json
from typing import Final

from dirigent.jq.evaluation.frame import Frame, Stopped, Undetermined
from dirigent.jq.numbers import number_text
from dirigent.model.limits import PAYLOAD_BYTES, VALUE_DEPTH
from dirigent.model.values import SecretRef, SecretText, Unknown, Value

ONLY_JOINED: Final = "a secret can only be joined into text: with `+`, in a string, or carried as it is"
_SHOWN_CHARACTERS: Final = 60
_SHOWN_NODES: Final = 20
_SHOWN_DEPTH: Final = 4
_KINDS: Final = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    SecretText: "string",
    list: "array",
    dict: "object",
    Unknown: "unknown",
}
# Text is paid for by the block: copying is cheaper than walking.
_BLOCK: Final = 8


def kind(value: Value) -> str:
    """Return the word of jq for a value's type; a secret counts as a string in messages."""
    return _KINDS[type(value)]


def shown(value: Value) -> str:
    """Return a value for a message, as `string ("abc")`, shortened, secrets by name only."""
    text = _sketch(value, _SHOWN_DEPTH)
    if len(text) > _SHOWN_CHARACTERS:
        text = text[: _SHOWN_CHARACTERS - 3] + "..."
    return f"{kind(value)} ({text})"


def _sketch(value: Value, depth: int) -> str:
    if isinstance(value, list | dict):
        return _sketch_inside(value, depth - 1) if depth else "..."
    if isinstance(value, str):
        return json.dumps(value[: _SHOWN_CHARACTERS * 2], ensure_ascii=False)
    if isinstance(value, SecretText):
        return str(value)
    if isinstance(value, Unknown):
        return "known after apply"
    return json.dumps(value) if value is None or isinstance(value, bool) else number_text(value)


def _sketch_inside(value: list[Value] | dict[str, Value], depth: int) -> str:
    if isinstance(value, list):
        return "[" + ",".join(_sketch(item, depth) for item in value[:_SHOWN_NODES]) + "]"
    pairs = list(value.items())[:_SHOWN_NODES]
    names = [json.dumps(name[:_SHOWN_CHARACTERS], ensure_ascii=False) for name, _ in pairs]
    return "{" + ",".join(f"{n}:{_sketch(v, depth)}" for n, (_, v) in zip(names, pairs, strict=True)) + "}"


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
    if isinstance(value, dict | list):
        _write_inside(value, parts, frame, depth - 1)
    elif isinstance(value, str):
        pay_text(len(value), frame)
        parts.append(quoted(value))
    elif isinstance(value, SecretText):
        raise Stopped(ONLY_JOINED)
    elif isinstance(value, Unknown):
        raise Undetermined(value)
    elif value is None or isinstance(value, bool):
        parts.append(json.dumps(value))
    else:
        parts.append(number_text(value))


def _write_inside(value: list[Value] | dict[str, Value], parts: list[str], frame: Frame, depth: int) -> None:
    frame.spend(len(value))
    separator = ""
    if isinstance(value, list):
        parts.append("[")
        for item in value:
            parts.append(separator)
            _write(item, parts, frame, depth)
            separator = ","
        parts.append("]")
        return
    parts.append("{")
    for name, item in value.items():
        parts.append(f"{separator}{quoted(name)}:")
        _write(item, parts, frame, depth)
        separator = ","
    parts.append("}")


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
