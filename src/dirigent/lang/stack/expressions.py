"""Strings of a stack become expressions or text; text that only looks like more gets a warning.

Only a string that is `${ ... }` as a whole is an expression.
"""

from __future__ import annotations

import re
from typing import Final

from dirigent.lang.shape import inner_expression, shortened
from dirigent.lang.stack.mentions import Mention, Use, check_mentions, hyphenated
from dirigent.lang.stack.places import place_within
from dirigent.lang.stack.reading import Reading
from dirigent.lang.tree import Items, Leaf, Node
from dirigent.model.source import Span
from dirigent.model.values import Expression, Template
from dirigent.ports import ExpressionFailed

_COLUMN: Final = re.compile(r"\bat (?:line ([0-9]{1,5}), )?column ([0-9]{1,5})")
_LIKE_JQ: Final = re.compile(r"\$\{\s*(?:\.|\$(?:inputs|secrets|resources|each|stack|self)\b)")
_BARE: Final = re.compile(r"\$(?:inputs|secrets|resources|each|stack|self)[.\[]\S*")


def template(reading: Reading, node: Node | None, use: Use) -> Template:
    """Return a value with its expressions. The loader bounds the depth."""
    if node is None:
        return None
    if isinstance(node, Leaf):
        return _leaf(reading, node, use)
    if isinstance(node, Items):
        return [template(reading, item, use) for item in node.items]
    return {member.key: template(reading, member.node, use) for member in node}


def _leaf(reading: Reading, leaf: Leaf, use: Use) -> Template:
    text = leaf.value
    if not isinstance(text, str) or "$" not in text:
        return text
    if "${" not in text:
        _warn_bare(reading, leaf, text)
        return text
    inner = inner_expression(text)
    if inner is not None:
        return _expression(reading, leaf, inner.strip(), use)
    # What was cut short by a comment is an error already; a script may hold `${NAME}` of its own.
    cut = not leaf.quoted and text.startswith("${")
    if not cut and ("\n" not in text or _LIKE_JQ.search(text)):
        _warn_mixed(reading, leaf, text)
    return text


def _warn_bare(reading: Reading, leaf: Leaf, text: str) -> None:
    if _BARE.fullmatch(text):
        message = f"`{shortened(text)}` is plain text: an expression stands between `${{` and `}}`"
        label = "not an expression"
        reading.complain("W1401", message, leaf.span, label, f'write "${{ {text} }}" if you mean its value')


def _warn_mixed(reading: Reading, leaf: Leaf, text: str) -> None:
    joined = re.sub(r"\$\{\s*([^{}]*?)\s*\}", r"\\(\1)", text)
    reading.complain(
        "W1301",
        f"`{shortened(text)}` is plain text: only a string that is `${{ ... }}` as a whole is an expression",
        leaf.span,
        "`${` inside a longer string",
        f"join the parts in jq: '${{ \"{shortened(joined)}\" }}'",
    )


def _expression(reading: Reading, leaf: Leaf, text: str, use: Use) -> Expression:
    span = place_within(reading.lines, leaf.span, text)
    if not text:
        reading.complain("E1301", "an empty expression has no value", leaf.span, "nothing in it")
        return Expression(text, span)
    mention = Mention(leaf, span, reading.lines)
    if hyphenated(reading, text, mention):
        return Expression(text, span)
    try:
        compiled = reading.context.language.compile(text)
    except ExpressionFailed as failure:
        _report_syntax(reading, text, span, str(failure))
        return Expression(text, span)
    check_mentions(reading, compiled, mention, use)
    return Expression(text, span)


def _report_syntax(reading: Reading, text: str, span: Span, failure: str) -> None:
    split = "${" in text and "}" in text.partition("${")[0]
    remedies = ('join the parts in jq, as `"\\(.a) \\(.b)"`: one expression fills a string',) if split else ()
    reading.complain(
        "E1301",
        f"`{shortened(text)}` is not a jq expression: {failure}",
        _narrowed(span, failure),
        "not jq",
        *remedies,
    )


def _narrowed(span: Span, failure: str) -> Span:
    """Return the one character that the message names, where the text stands unescaped on one line."""
    named = _COLUMN.search(failure)
    if named is None or (named[1] or "1") != "1" or span.line != span.end_line:
        return span
    column = span.column + int(named[2]) - 1
    if not span.column <= column < span.end_column:
        return span
    return Span(span.file, span.line, column, span.line, column + 1)
