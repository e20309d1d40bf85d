"""Strings of a document become expressions, URI templates or plain text; expressions are checked here.

Only a string that is `${ ... }` as a whole is an expression. Fields that can hold nothing else take
the bare jq text too. Everything else is text, and text that looks like more gets a warning.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from dirigent.lang.shape import inner_expression, nearest, shortened
from dirigent.lang.tree import Items, Leaf, Node
from dirigent.lang.workflow.loose import loosely
from dirigent.lang.workflow.reading import (
    RESERVED,
    Reading,
    Scope,
    complain,
    text_of,
)
from dirigent.model.program import IDENTITY
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Expression, Template
from dirigent.ports import Compiled, ExpressionFailed

# In code, `${NAME}` belongs to the shell or to JavaScript; only what looks like jq is suspicious.
_EMBEDDED: Final = re.compile(r"\$\{")
_EMBEDDED_IN_CODE: Final = re.compile(r"\$\{\s*(?:\.|\$(?:context|input|output|secrets|task|workflow)\b)")

# How a failure of the language names a place in the text.
_COLUMN: Final = re.compile(r"\bat (?:line ([0-9]{1,5}), )?column ([0-9]{1,5})")

# jq's own, which are no variables of a workflow; whether they are allowed is up to the language. The
# function `now` is among them: what it gives is an argument of the evaluation.
_BUILT_IN: Final = ("ENV", "__loc__", "__prog_args", "now")


# Why an argument of the standard is not seen everywhere.
_ELSEWHERE: Final[Mapping[str, str]] = {
    "context": "the context begins with the first task",
    "input": "it is what `input.from` makes; what came in is `.`",
    "output": "only `export` sees it; in `output.as` the output is `.`",
    "task": "no task runs yet, or any more",
    "authorization": "only a task's own definition, its `output` and its `export` see it",
    "workflow": "no run has begun yet",
    "runtime": "no run has begun yet",
    "secrets": "events are judged before there is a run, and in the open",
    "secret": "events are judged before there is a run, and in the open",
}


def condition(reading: Reading, node: Node | None, scope: Scope) -> Expression | None:
    """Return the expression of a condition; None when the field is absent.

    Only `true` and `false` are conditions. In the mode `loose` everything is true but `null` and `false`.
    """
    found = computed(reading, node, scope)
    if found is None or not reading.loose or found.text.strip() in {"", "true", "false"}:
        return found
    return Expression(f"({found.text}) | if . then true else false end", found.span)


def computed(reading: Reading, node: Node | None, scope: Scope) -> Expression | None:
    """Return the expression of a field that holds nothing else; None when the field is absent."""
    if not isinstance(node, Leaf) or not isinstance(node.value, str):
        return None
    inner = inner_expression(node.value)
    text = (node.value if inner is None else inner).strip()
    # The shape has reported an empty one.
    return _expression(reading, node, text, scope) if text else IDENTITY


def projection(reading: Reading, node: Node | None, scope: Scope) -> Template:
    """Return what `from` and `as` hold: an expression, bare or not, or a structure with expressions."""
    if isinstance(node, Leaf):
        return computed(reading, node, scope)
    return template(reading, node, scope)


def template(reading: Reading, node: Node | None, scope: Scope) -> Template:
    """Return a value with its expressions. The loader bounds the depth."""
    if node is None:
        return None
    if isinstance(node, Leaf):
        loose = loosely(reading.language, node.value, scope) if reading.loose else None
        if loose is not None:
            return _expression(reading, node, loose, scope)
        return _leaf(reading, node, scope, _EMBEDDED)
    if isinstance(node, Items):
        return [template(reading, item, scope) for item in node.items]
    return {member.key: template(reading, member.node, scope) for member in node}


def code(reading: Reading, node: Node | None, scope: Scope) -> Template:
    """Return the text of a command or a script, in which `${NAME}` is nothing unusual."""
    return _leaf(reading, node, scope, _EMBEDDED_IN_CODE) if isinstance(node, Leaf) else None


def secret_member(reading: Reading, node: Node | None, name: str, member: str) -> Template:
    """Return the expression that reads one member of a declared secret."""
    span = node.span if node is not None else None
    check_secret(reading, name, span)
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name, re.ASCII)
    where = f"$secrets.{name}" if plain else f'$secrets["{_escaped(name)}"]'
    return Expression(f"{where}.{member}", span)


def check_secret(reading: Reading, name: str, span: Span | None) -> None:
    """Report a secret that the document does not declare (E1303)."""
    if name in reading.uses.secrets:
        return
    meant = nearest(name, reading.uses.secrets)
    complain(
        reading,
        "E1303",
        f"the secret `{shortened(name)}` is not declared",
        span,
        f"change it to `{meant}`" if meant else f"add `{shortened(name)}` to the list `use.secrets`",
        label=f"did you mean `{meant}`?" if meant else "not in `use.secrets`",
    )


def check_variable(reading: Reading, node: Node | None) -> None:
    """Report a variable that would hide one that every expression sees (E1312)."""
    name = text_of(node)
    if name in RESERVED and node is not None:
        complain(
            reading,
            "E1312",
            f"`{name}` cannot name a variable: the standard has a `${name}` of its own",
            node.span,
            "choose another name",
            label="taken",
        )


def place_within(reading: Reading, leaf: Leaf, text: str) -> Span:
    """Return the place of a part of a scalar, or that of the whole scalar where escapes hide the part."""
    span = leaf.span
    raw = _raw(reading, span)
    start = raw.find(text)
    if start < 0:
        start = raw.find("${") + 2 if "${" in raw else -1
        if start < 0:
            return span
        return Span(span.file, *_advance(span, raw[:start]), span.end_line, span.end_column)
    line, column = _advance(span, raw[:start])
    end_line, end_column = _advance(Span(span.file, line, column, line, column), text)
    return Span(span.file, line, column, end_line, end_column)


def _raw(reading: Reading, span: Span) -> str:
    lines = reading.lines[span.line - 1 : span.end_line]
    if not lines:
        return ""
    if len(lines) == span.end_line - span.line + 1:
        lines[-1] = lines[-1][: span.end_column - 1]
    lines[0] = lines[0][span.column - 1 :]
    return "\n".join(lines)


def _advance(start: Span, passed: str) -> tuple[int, int]:
    breaks = passed.count("\n")
    if not breaks:
        return start.line, start.column + len(passed)
    return start.line + breaks, len(passed) - passed.rfind("\n")


def _leaf(reading: Reading, leaf: Leaf, scope: Scope, embedded: re.Pattern[str]) -> Template:
    if not isinstance(leaf.value, str):
        return leaf.value
    inner = inner_expression(leaf.value)
    if inner is not None:
        return _expression(reading, leaf, inner.strip(), scope)
    # What a comment cut short is an error already; a text of several lines is likely to be code.
    cut = not leaf.quoted and leaf.value.startswith("${")
    suspicious = _EMBEDDED_IN_CODE if "\n" in leaf.value else embedded
    if not cut and suspicious.search(leaf.value):
        complain(
            reading,
            "W1301",
            f"`{shortened(leaf.value)}` is plain text: only a string that is `${{ ... }}` as a whole "
            "is an expression",
            leaf.span,
            r'join the parts in jq: \'${ "before \(.name) after" }\''.replace("\\'", "'"),
            label="`${` inside a longer string",
        )
    return leaf.value


def _expression(reading: Reading, leaf: Leaf, text: str, scope: Scope) -> Expression:
    span = place_within(reading, leaf, text)
    if not text:
        complain(reading, "E1301", "an empty expression has no value", leaf.span, label="nothing in it")
        return Expression(text, span)
    try:
        compiled = reading.language.compile(text)
    except ExpressionFailed as failure:
        split = "${" in text and "}" in text.partition("${")[0]
        complain(
            reading,
            "E1301",
            f"`{shortened(text)}` is not a jq expression: {failure}",
            _narrowed(span, text, str(failure)),
            *(('only one expression may fill a string: join the parts in jq, as `"\\(.a) \\(.b)"`',) * split),
            label="not jq",
        )
        return Expression(text, span)
    _check_variables(reading, compiled, _Text(text, span), scope)
    return Expression(text, span)


def _narrowed(span: Span, text: str, failure: str) -> Span:
    """Return the one character that the message names, where that can be found."""
    named = _COLUMN.search(failure)
    if named is None or (named[1] or "1") != "1":
        return span
    return _Text(text, span).part(int(named[2]) - 1, 1)


@dataclass(frozen=True, slots=True)
class _Text:
    """The text of an expression and its place, to find parts of it."""

    text: str
    span: Span

    def part(self, start: int, length: int) -> Span:
        """Return the place of a part, or of the whole where line breaks or escapes hide the part."""
        span = self.span
        if span.line != span.end_line or span.end_column - span.column != len(self.text):
            return span
        if not 0 <= start <= len(self.text) - length:
            return span
        column = span.column + start
        return Span(span.file, span.line, column, span.line, column + length)

    def of(self, pattern: str) -> Span:
        """Return the place of the first match."""
        found = re.search(pattern, self.text)
        return self.span if found is None else self.part(found.start(), found.end() - found.start())


def _check_variables(reading: Reading, compiled: Compiled, text: _Text, scope: Scope) -> None:
    known = (*scope.arguments, *scope.variables)
    for name in sorted(compiled.variables):
        if name in known or name in _BUILT_IN or (scope.open and name not in RESERVED):
            continue
        if name in RESERVED:
            complain(
                reading,
                "E1940",
                f"`${name}` cannot be read here: {_ELSEWHERE[name]}",
                text.of(rf"\${re.escape(name)}(?!\w)"),
                f"available here: {_listed(known)}",
                label="not at this place",
            )
            continue
        meant = nearest(name, known)
        complain(
            reading,
            "E1302",
            f"`${name}` is not defined here",
            text.of(rf"\${re.escape(name)}(?!\w)"),
            f"defined here: {_listed(known)}",
            label=f"did you mean `${meant}`?" if meant else f"`${name}` is unknown",
        )
    for name, member in sorted(compiled.references, key=lambda pair: (pair[0], pair[1] or "")):
        if name in ("secrets", "secret") and member is not None:
            check_secret(reading, member, text.of(rf"\b{re.escape(member)}(?!\w)"))


def _listed(known: tuple[str, ...]) -> str:
    return ", ".join(f"`${each}`" for each in known if each != "secret") or "no variable"


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace('"', '\\"')
