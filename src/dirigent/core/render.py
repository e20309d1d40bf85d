"""Templates become values: expressions are evaluated here, or asked of the expression worker.

Iterative over the template, so its depth costs no stack.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias, TypeGuard
from urllib.parse import quote

from dirigent.model.fault import Fault
from dirigent.model.record import dataclass
from dirigent.model.run.command import Question
from dirigent.model.values import (
    SCALARS,
    Expression,
    Leaf,
    SecretText,
    Template,
    Unknown,
    UriTemplate,
    Value,
    leaves,
)
from dirigent.ports import ExpressionFailed, Language

SHOWN_CHARACTERS: Final = 80

_Box: TypeAlias = list[Value] | dict[str, Value]


@dataclass(frozen=True, slots=True)
class Asking:
    """The template cannot be rendered yet: these expressions are for the worker."""

    questions: tuple[Question, ...]


class RenderFailed(Exception):
    """A template has no value. `leaf` is the expression or URI template that failed."""

    def __init__(self, detail: str, leaf: Expression | UriTemplate) -> None:
        """Keep the words of the failure and the leaf."""
        super().__init__(detail)
        self.leaf = leaf


def fixed(template: Template) -> TypeGuard[Value]:
    """Return whether a template is a value as it stands: nothing in it is to be computed."""
    nodes: list[Template] = [template]
    for node in nodes:
        if type(node) in SCALARS:
            continue  # By identity of the class: this is asked of every request.
        if isinstance(node, dict):
            nodes += node.values()
        elif isinstance(node, list):
            nodes += node
        elif isinstance(node, Leaf):
            return False
    return True


def render(
    template: Template,
    dot: Value,
    variables: Mapping[str, Value],
    language: Language,
    answers: tuple[Value | Fault, ...] | None = None,
) -> Value | Asking:
    """Return the value of a template, or the questions that must be answered first.

    `answers` are those of the worker to the questions of the same template, in their order.
    Raises `RenderFailed`.
    """
    if answers is None:
        questions = _questions(template, dot, variables, language)
        if questions:
            return Asking(tuple(questions))
    return _build(template, _Leaves(dot, variables, language, iter(answers or ())))


def _questions(
    template: Template, dot: Value, variables: Mapping[str, Value], language: Language
) -> list[Question]:
    found = []
    for leaf in leaves(template):
        if isinstance(leaf, UriTemplate):
            continue
        try:
            compiled = language.compile(leaf.text)
        except ExpressionFailed as failure:
            raise RenderFailed(str(failure), leaf) from failure
        if not compiled.local:
            seen = {name: variables[name] for name in sorted(compiled.variables) if name in variables}
            found.append(Question(leaf, dot, seen))
    return found


@dataclass(frozen=True, slots=True)
class _Leaves:
    dot: Value
    variables: Mapping[str, Value]
    language: Language
    answers: Iterator[Value | Fault]

    def value(self, leaf: Expression | UriTemplate) -> Value:
        try:
            if isinstance(leaf, UriTemplate):
                return expand(leaf.text, self.dot)
            compiled = self.language.compile(leaf.text)
            if compiled.local:
                return compiled.evaluate(self.dot, self.variables)
        except ExpressionFailed as failure:
            raise RenderFailed(str(failure), leaf) from failure
        answer = next(self.answers, None)
        if isinstance(answer, Fault):
            raise RenderFailed(answer.detail, leaf)
        return answer


def _build(template: Template, source: _Leaves) -> Value:
    """Copy the template with its leaves replaced, in document order, on an explicit stack."""
    root: list[Value] = [None]
    # Each entry is a copy, and what of its template is still to be looked at.
    levels: list[tuple[_Box, Iterator[tuple[int | str, Template]]]] = [(root, iter([(0, template)]))]
    while levels:
        box, places = levels[-1]
        for key, node in places:
            if isinstance(node, dict):
                members: dict[str, Value] = dict.fromkeys(node)
                _put(box, key, members)
                levels.append((members, iter(node.items())))
                break
            if isinstance(node, list):
                items: list[Value] = [None] * len(node)
                _put(box, key, items)
                levels.append((items, iter(enumerate(node))))
                break
            _put(box, key, source.value(node) if isinstance(node, Leaf) else node)
        else:
            levels.pop()
    return root[0]


def _put(box: _Box, key: int | str, value: Value) -> None:
    if isinstance(box, dict):
        box[str(key)] = value
    else:
        box[int(key)] = value


def shown(value: Value) -> str:
    """Return the beginning of a value as JSON, for the words of a fault; a secret shows its name only."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def expand(text: str, dot: Value) -> str:
    """Expand `{name}` from the scalar members of `dot` (RFC 6570, level 1; DSL 1.0 "URI Template").

    A missing or null member is empty; anything that is not a scalar raises `ExpressionFailed`.
    """
    parts: list[str] = []
    rest = text
    while rest:
        before, brace, rest = rest.partition("{")
        parts.append(before)
        if not brace:
            break
        name, close, rest = rest.partition("}")
        if not close:
            raise ExpressionFailed(f"the URI template `{text}` has an opening brace without its closing one")
        parts.append(quote(_scalar_text(name, dot, text), safe="-._~"))
    return "".join(parts)


def _scalar_text(name: str, dot: Value, text: str) -> str:
    found = dot.get(name) if isinstance(dot, dict) else None
    if found is None:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, str | int | float):
        return str(found)
    if isinstance(found, SecretText | Unknown):
        raise ExpressionFailed(f"`{{{name}}}` in `{text}` cannot be a secret or a value not known yet")
    raise ExpressionFailed(f"`{{{name}}}` in `{text}` is not a text, number or boolean")
