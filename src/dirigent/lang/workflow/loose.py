"""The evaluation mode `loose`: texts that are expressions although they are not `${ ... }` as a whole.

Two kinds: a text that begins like a path (`.name`, `$input.name`) and is jq; and a text with `${ ... }`
inside, which is joined. What is not jq stays text. Commands and scripts are never joined.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from dirigent.lang.shape import inner_expression
from dirigent.lang.workflow.reading import Scope
from dirigent.model.values import Value
from dirigent.ports import ExpressionFailed, Language

_PATH: Final = re.compile(r"\.$|\.[A-Za-z_\[\"]|\$[A-Za-z_]", re.ASCII)
# More openings than this are not looked at one by one.
_PARTS: Final = 64


def loosely(language: Language, value: Value, scope: Scope) -> str | None:
    """Return the jq text of a value that only the mode `loose` takes for an expression, else None."""
    if not isinstance(value, str) or _whole(language, value):
        return None
    text = value.strip()
    if _PATH.match(text) and _is_jq(language, text, scope):
        return text
    parts = list(_parts(language, value, scope))
    if all(literal for literal, _ in parts):
        return None
    return (
        '"' + "".join(json.dumps(part)[1:-1] if literal else f"\\({part})" for literal, part in parts) + '"'
    )


def _whole(language: Language, text: str) -> bool:
    """Return whether a text is one expression, rather than two with text between them."""
    inner = inner_expression(text)
    if inner is None:
        return False
    try:
        language.compile(inner.strip())
    except ExpressionFailed:
        return "${" not in inner
    return True


def _is_jq(language: Language, text: str, scope: Scope) -> bool:
    try:
        compiled = language.compile(text)
    except ExpressionFailed:
        return False
    return compiled.variables <= {*scope.arguments, *scope.variables}


def _parts(language: Language, text: str, scope: Scope) -> Iterator[tuple[bool, str]]:
    """Yield the parts of a text, each with whether it is literal."""
    rest = text
    for _ in range(_PARTS):
        before, mark, after = rest.partition("${")
        if before:
            yield True, before
        if not mark:
            return
        end = _end(language, after, scope)
        if end < 0:
            yield True, mark
            rest = after
        else:
            yield False, after[:end].strip()
            rest = after[end + 1 :]
    if rest:
        yield True, rest


def _end(language: Language, text: str, scope: Scope) -> int:
    """Return where the brace stands that closes an expression, or -1: the first that leaves jq before it."""
    end = text.find("}")
    for _ in range(_PARTS):
        if end < 0:
            return -1
        if text[:end].strip() and _is_jq(language, text[:end].strip(), scope):
            return end
        end = text.find("}", end + 1)
    return -1
