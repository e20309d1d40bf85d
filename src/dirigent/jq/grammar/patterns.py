"""What binds names: destructuring patterns and function definitions."""

from __future__ import annotations

from dirigent.jq.grammar.reader import Reader
from dirigent.jq.grammar.strings import string


def pattern_names(reader: Reader) -> tuple[list[str], bool]:
    """Return the names that `as PATTERN ?// PATTERN` binds, and whether it is just one `$name`."""
    if reader.token.kind == "variable" and reader.following.text != "?//":
        return [reader.take().text], True
    names: list[str] = []
    _pattern(reader, names)
    while reader.skip("?//"):
        _pattern(reader, names)
    return names, False


def definition(reader: Reader) -> None:
    """Parse `def name(parameters): body;`. Only the worker evaluates it."""
    reader.expect("def")
    name = reader.take_kind("name", "a function's name").text
    values: list[str] = []
    if reader.skip("("):
        _parameter(reader, values)
        while reader.skip(";"):
            _parameter(reader, values)
        reader.expect(")")
    reader.expect(":")
    reader.scope.define(name)
    with reader.scope.binding(values):
        reader.query()
    reader.expect(";")
    reader.foreign()


def _parameter(reader: Reader, values: list[str]) -> None:
    if reader.token.kind == "variable":
        name = reader.take().text
        values.append(name)
        reader.scope.define(name)
    else:
        reader.scope.define(reader.take_kind("name", "a parameter").text)


def _pattern(reader: Reader, names: list[str]) -> None:
    reader.enter()
    if reader.token.kind == "variable":
        names.append(reader.take().text)
    elif reader.skip("["):
        _pattern(reader, names)
        while reader.skip(","):
            _pattern(reader, names)
        reader.expect("]")
    elif reader.skip("{"):
        _member(reader, names)
        while reader.skip(","):
            _member(reader, names)
        reader.expect("}")
    else:
        raise reader.unexpected("`$name`, `[` or `{`")
    reader.leave()


def _member(reader: Reader, names: list[str]) -> None:
    token = reader.token
    if token.kind == "variable":
        names.append(reader.take().text)
        if not reader.skip(":"):
            return
    else:
        if reader.skip("("):
            with reader.scope.binding(names):
                reader.query()
            reader.expect(")")
        elif token.kind == "name":
            reader.take()
        else:
            with reader.scope.binding(names):
                string(reader)
        reader.expect(":")
    _pattern(reader, names)
