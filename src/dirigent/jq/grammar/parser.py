"""Tokens become a tree, by jq 1.8's grammar. What the worker must evaluate is parsed all the same.

Only brackets, keywords and prefixes recurse, and each level is counted against `EXPRESSION_DEPTH`.
"""

from __future__ import annotations

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
from dirigent.model.record import dataclass
from dirigent.ports import ExpressionFailed

_ALTERNATIVE, _ASSIGNMENT, _OR, _AND, _COMPARISON, _SUM, _PRODUCT = range(1, 8)
_LEVELS: Final = {
    "//": _ALTERNATIVE,
    **dict.fromkeys(("=", "|=", "+=", "-=", "*=", "/=", "%=", "//="), _ASSIGNMENT),
    "or": _OR,
    "and": _AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), _COMPARISON),
    **dict.fromkeys(("+", "-"), _SUM),
    **dict.fromkeys(("*", "/", "%"), _PRODUCT),
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A tree, and what it needs from outside. `local` is False when it holds a `Foreign`."""

    tree: Node
    local: bool
    variables: frozenset[str]
    references: frozenset[tuple[str, str | None]]
    paths: frozenset[tuple[str | None, ...]]


def parse(text: str) -> Parsed:
    """Return the tree, or raise `ExpressionFailed` with what is wrong and where."""
    reader = Reader(text, _query, _expression)
    if reader.token.kind == "end":
        raise ExpressionFailed("the expression is empty; `.` is the value itself")
    for word in ("import", "include", "module"):
        if reader.sees(word) and reader.following.kind != "end":
            raise ExpressionFailed(f"`{word}` is not available: an expression is complete in itself")
    tree = reader.query()
    if reader.token.kind != "end":
        raise reader.unexpected()
    scope = reader.scope
    return Parsed(
        tree, reader.local, frozenset(scope.free), frozenset(scope.references), frozenset(scope.paths)
    )


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
    source = _expression(reader)
    if not reader.skip("as"):
        return source
    names, simple = pattern_names(reader)
    reader.expect("|")
    with reader.scope.binding(names) as inner:
        body = reader.query()
    return Bind(source, inner[0], body) if simple else reader.foreign()


def _expression(reader: Reader, lowest: int = _ALTERNATIVE) -> Node:
    """Parse operators of this level and tighter ones."""
    left = _operand(reader)
    while (level := _level(reader)) >= lowest:
        reader.enter()
        left = _joined(reader, left, level)
        reader.leave()
        if level in (_ASSIGNMENT, _COMPARISON) and _level(reader) == level:
            # Neither may stand twice in a row without brackets.
            raise reader.unexpected()
    return left


def _level(reader: Reader) -> int:
    """Return the level of the operator that comes next, 0 if none does."""
    token = reader.token
    return _LEVELS.get(token.text, 0) if token.kind in ("op", "name") else 0


def _joined(reader: Reader, left: Node, level: int) -> Node:
    """Parse the operators of one level in a row, with what stands between them."""
    signs: list[str] = []
    others: list[Node] = []
    while _level(reader) == level:
        signs.append(reader.take().text)
        others.append(_expression(reader, level + 1))
        if level in (_ASSIGNMENT, _COMPARISON):
            break
    if level == _ALTERNATIVE:
        return Alternative((left, *others))
    if level in (_OR, _AND):
        return Logic(signs[0], (left, *others))
    if level == _COMPARISON:
        return Compare(signs[0], left, others[0])
    return reader.foreign() if level == _ASSIGNMENT else Chain(left, tuple(zip(signs, others, strict=True)))


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
