"""Tokens become a tree, by jq 1.8's grammar. What the worker must evaluate is parsed all the same.

Only brackets, keywords and prefixes recurse, and each level is counted against `EXPRESSION_DEPTH`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dirigent.jq.grammar.patterns import definition, pattern_names
from dirigent.jq.grammar.reader import Reader
from dirigent.jq.grammar.syntax import (
    Alternative,
    Attempt,
    Bind,
    Chain,
    Comma,
    Compare,
    Logic,
    Negate,
    Node,
    Pipe,
)
from dirigent.jq.grammar.terms import postfix
from dirigent.ports import ExpressionFailed

_ASSIGNMENTS: Final = frozenset({"=", "|=", "+=", "-=", "*=", "/=", "%=", "//="})
_COMPARISONS: Final = frozenset({"==", "!=", "<", "<=", ">", ">="})
_LEVELS: Final = (("+", "-"), ("*", "/", "%"))


@dataclass(frozen=True, slots=True)
class Parsed:
    """A tree, and what it needs from outside. `local` is False when it holds a `Foreign`."""

    tree: Node
    local: bool
    variables: frozenset[str]
    references: frozenset[tuple[str, str | None]]


def parse(text: str) -> Parsed:
    """Return the tree, or raise `ExpressionFailed` with what is wrong and where."""
    reader = Reader(text, _query, _alternative)
    if reader.token.kind == "end":
        raise ExpressionFailed("the expression is empty; `.` is the value itself")
    for word in ("import", "include", "module"):
        if reader.sees(word) and reader.following.kind != "end":
            raise ExpressionFailed(f"`{word}` is not available: an expression is complete in itself")
    tree = reader.query()
    if reader.token.kind != "end":
        raise reader.unexpected()
    scope = reader.scope
    return Parsed(tree, reader.local, frozenset(scope.free), frozenset(scope.references))


def _query(reader: Reader) -> Node:
    pipes: list[Node] = []
    commas: list[Node] = []
    while True:
        commas.append(_item(reader))
        if reader.skip(","):
            continue
        pipes.append(commas[0] if len(commas) == 1 else Comma(tuple(commas)))
        if not reader.skip("|"):
            return pipes[0] if len(pipes) == 1 else Pipe(tuple(pipes))
        commas = []


def _item(reader: Reader) -> Node:
    """Parse what may stand between commas; `def`, `label` and `as` reach to the end of the query."""
    if reader.sees("def"):
        while reader.sees("def"):
            definition(reader)
        reader.query()
        return reader.foreign()
    if reader.skip("label"):
        name = reader.take_kind("variable", "a name with a dollar sign").text
        reader.expect("|")
        with reader.scope.binding([f"*{name}"]):
            reader.query()
        return reader.foreign()
    source = _alternative(reader)
    if not reader.skip("as"):
        return source
    names, simple = pattern_names(reader)
    reader.expect("|")
    with reader.scope.binding(names) as inner:
        body = reader.query()
    return Bind(source, inner[0], body) if simple else reader.foreign()


def _alternative(reader: Reader) -> Node:
    parts = [_assignment(reader)]
    while reader.skip("//"):
        parts.append(_assignment(reader))
    return parts[0] if len(parts) == 1 else Alternative(tuple(parts))


def _assignment(reader: Reader) -> Node:
    left = _logic(reader, "or")
    if reader.token.kind != "op" or reader.token.text not in _ASSIGNMENTS:
        return left
    reader.take()
    _logic(reader, "or")
    return reader.foreign()


def _logic(reader: Reader, operator: str) -> Node:
    parts: list[Node] = []
    while True:
        parts.append(_logic(reader, "and") if operator == "or" else _comparison(reader))
        if not reader.skip(operator):
            return parts[0] if len(parts) == 1 else Logic(operator, tuple(parts))


def _comparison(reader: Reader) -> Node:
    left = _chain(reader, 0)
    if reader.token.kind != "op" or reader.token.text not in _COMPARISONS:
        return left
    operator = reader.take().text
    return Compare(operator, left, _chain(reader, 0))


def _chain(reader: Reader, level: int) -> Node:
    first = _chain(reader, 1) if level == 0 else _operand(reader)
    rest: list[tuple[str, Node]] = []
    while reader.token.kind == "op" and reader.token.text in _LEVELS[level]:
        operator = reader.take().text
        rest.append((operator, _chain(reader, 1) if level == 0 else _operand(reader)))
    return Chain(first, tuple(rest)) if rest else first


def _operand(reader: Reader) -> Node:
    if reader.skip("-"):
        reader.enter()
        negated = Negate(_operand(reader))
        reader.leave()
        return negated
    if reader.skip("try"):
        reader.enter()
        body = _operand(reader)
        attempt = Attempt(body, _operand(reader) if reader.skip("catch") else None)
        reader.leave()
        return attempt
    return postfix(reader)
