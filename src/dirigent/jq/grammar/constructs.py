"""Words (functions, `if`, `reduce`) and object constructions."""

from __future__ import annotations

from typing import Final

from dirigent.jq.grammar.patterns import pattern_names
from dirigent.jq.grammar.reader import Reader
from dirigent.jq.grammar.strings import starts_string, string
from dirigent.jq.grammar.syntax import (
    At,
    Call,
    Identity,
    If,
    Literal,
    Make,
    Member,
    Node,
    Path,
    Pipe,
    Variable,
)
from dirigent.jq.names import LOCAL
from dirigent.ports import ExpressionFailed

_CONSTANTS: Final = {"null": None, "true": True, "false": False}
_RESERVED: Final = "as import include module def if then else elif and or end reduce foreach try catch label"
_KEYWORDS: Final = frozenset(_RESERVED.split())


def word(reader: Reader) -> Node:
    """Parse what begins with a name: `if`, `reduce`, `foreach`, `break`, a constant or a call."""
    name = reader.token.text
    if name == "if":
        return _conditional(reader)
    if name in ("reduce", "foreach"):
        return _fold(reader)
    if name == "break":
        return _break(reader)
    if name in _KEYWORDS:
        raise reader.unexpected()
    reader.take()
    arguments: list[Node] = []
    if reader.skip("("):
        arguments.append(reader.query())
        while reader.skip(";"):
            arguments.append(reader.query())
        reader.expect(")")
    return _call(reader, name, tuple(arguments))


def _call(reader: Reader, name: str, arguments: tuple[Node, ...]) -> Node:
    if reader.scope.foreign(name, len(arguments)):
        return reader.foreign()
    if not arguments and name in _CONSTANTS:
        return Literal(_CONSTANTS[name])
    if name == "now" and not arguments:
        reader.scope.note("now", ())
        return Variable("now")
    if f"{name}/{len(arguments)}" in LOCAL:
        return Call(name, arguments)
    raise ExpressionFailed(f"`{name}/{len(arguments)}` is not defined")


def _conditional(reader: Reader) -> Node:
    branches: list[tuple[Node, Node]] = []
    reader.expect("if")
    while True:
        condition = reader.query()
        reader.expect("then")
        branches.append((condition, reader.query()))
        if not reader.skip("elif"):
            break
    otherwise = reader.query() if reader.skip("else") else None
    reader.expect("end")
    return If(tuple(branches), otherwise)


def _fold(reader: Reader) -> Node:
    """Parse `reduce` or `foreach`; the first expression does not see the pattern's names."""
    longer = reader.take().text == "foreach"
    reader.expression()
    reader.expect("as")
    names, _ = pattern_names(reader)
    reader.expect("(")
    reader.query()
    reader.expect(";")
    with reader.scope.binding(names):
        reader.query()
        if longer and reader.skip(";"):
            reader.query()
    reader.expect(")")
    return reader.foreign()


def _break(reader: Reader) -> Node:
    reader.take()
    label = reader.take_kind("variable", "a label").text
    if reader.scope.resolve(f"*{label}") == f"*{label}":
        raise ExpressionFailed(f"there is no label `${label}` to break out of")
    return reader.foreign()


def object_construction(reader: Reader) -> Node:
    """Parse `{...}` in all its shorthand forms."""
    reader.expect("{")
    entries: list[tuple[Node, Node]] = []
    while not reader.sees("}"):
        entries.append(_entry(reader))
        if not reader.skip(","):
            break
    reader.expect("}")
    return Make(tuple(entries))


def _entry(reader: Reader) -> tuple[Node, Node]:
    token = reader.token
    if token.kind == "variable":
        name = reader.take().text
        inner = reader.scope.resolve(name)
        if inner == name:
            reader.scope.note(name, ())
        return (Variable(inner), _value(reader)) if reader.skip(":") else (Literal(name), Variable(inner))
    if reader.skip("("):
        key = reader.query()
        reader.expect(")")
        if isinstance(key, Literal) and not isinstance(key.value, str):
            raise ExpressionFailed(f"cannot use `{key.value}` as the key of an object")
        reader.expect(":")
        return key, _value(reader)
    if token.kind == "name" and "::" not in token.text:
        key = Literal(reader.take().text)
    elif starts_string(reader):
        key = string(reader)
    else:
        raise reader.unexpected("a key")
    if reader.skip(":"):
        return key, _value(reader)
    return key, _member(key)


def _member(key: Node) -> Node:
    if isinstance(key, Literal) and isinstance(key.value, str):
        return Path(Identity(), (Member(key.value),))
    return Path(Identity(), (At(key),))


def _value(reader: Reader) -> Node:
    """Parse an entry's value: pipes are allowed, commas end it."""
    parts = [reader.expression()]
    while reader.skip("|"):
        parts.append(reader.expression())
    return parts[0] if len(parts) == 1 else Pipe(tuple(parts))
