"""Strings, with or without a format before them, and what is interpolated into them."""

from __future__ import annotations

from dirigent.jq.grammar.reader import Reader
from dirigent.jq.grammar.syntax import Foreign, Format, Literal, Node, Text
from dirigent.jq.names import FOREIGN_FORMATS, FORMATS
from dirigent.ports import ExpressionFailed


def starts_string(reader: Reader) -> bool:
    """Return whether a string comes next."""
    kind = reader.token.kind
    return kind == 'open"' or (kind == "format" and reader.following.kind == 'open"')


def string(reader: Reader) -> Node:
    """Parse a string; without interpolation it is a literal, whatever its format."""
    shape: Node = Format("@text")
    if reader.token.kind == "format":
        shape = format_function(reader)
    reader.take_kind('open"', "a string")
    parts: list[str | Node] = []
    while reader.token.kind != 'close"':
        if reader.token.kind == "text":
            parts.append(reader.take().text)
        else:
            reader.take_kind("open(", "a string's end")
            parts.append(reader.query())
            reader.take_kind("close(", "`)`")
    reader.take()
    if all(isinstance(part, str) for part in parts):
        return Literal("".join(part for part in parts if isinstance(part, str)))
    return Text(shape.name, tuple(parts)) if isinstance(shape, Format) else Foreign()


def format_function(reader: Reader) -> Node:
    """Parse `@base64` standing alone."""
    name = reader.take_kind("format", "a format").text
    if name in FORMATS:
        return Format(name)
    if name in FOREIGN_FORMATS:
        return reader.foreign()
    raise ExpressionFailed(f"`{name}` is not a format of jq")
