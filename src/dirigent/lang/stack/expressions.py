"""Strings of a stack become expressions or text, and every name that an expression mentions is checked.

Only a string that is `${ ... }` as a whole is an expression; text that looks like more gets a warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from dirigent.lang.shape import inner_expression, nearest, shortened
from dirigent.lang.stack.reading import Reading
from dirigent.lang.tree import Items, Leaf, Node
from dirigent.model.problem import Label, Problem
from dirigent.model.source import Span
from dirigent.model.values import Expression, Template
from dirigent.ports import Compiled, ExpressionFailed

_KNOWN: Final = ("inputs", "secrets", "resources", "each", "stack")
_BUILT_IN: Final = ("__loc__",)
_LATER: Final = ("hosts",)
_COLUMN: Final = re.compile(r"\bat (?:line ([0-9]{1,5}), )?column ([0-9]{1,5})")
_LIKE_JQ: Final = re.compile(r"\$\{\s*(?:\.|\$(?:inputs|secrets|resources|each|stack)\b)")
_BARE: Final = re.compile(r"\$(?:inputs|secrets|resources|each|stack)[.\[]\S*")
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(slots=True)
class Use:
    """Where expressions stand: `owner` in words, and what they may see.

    `itself` is the resource in which they stand, which is never what was meant by another name.
    `decides` says in words what the value decides, for which no secret will do. `found` collects the
    resources that are mentioned, each with the place of its first mention.
    """

    owner: str
    itself: str = ""
    each: bool = False
    decides: str = ""
    found: dict[str, Span] = field(default_factory=dict)


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
    span = _place_within(reading, leaf, text)
    if not text:
        reading.complain("E1301", "an empty expression has no value", leaf.span, "nothing in it")
        return Expression(text, span)
    try:
        compiled = reading.context.language.compile(text)
    except ExpressionFailed as failure:
        _report_syntax(reading, text, span, str(failure))
        return Expression(text, span)
    _check(reading, compiled, _Mention(leaf, span, reading.lines), use)
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


@dataclass(frozen=True, slots=True)
class _Mention:
    """Where one expression stands, to find the names in it."""

    leaf: Leaf
    span: Span
    lines: list[str]

    def of(self, variable: str, member: str | None = None) -> Span:
        """Return the place of `$variable`, or of the member taken of it."""
        name = rf"\${re.escape(variable)}(?![A-Za-z0-9_])"
        if member is not None:
            exact = re.escape(member)
            name += rf"""\s*(?:\.\s*(?=({exact})(?![A-Za-z0-9_]))|\.?\[?\s*\\?"(?={exact}\\?"))"""
        raw = _raw(self.lines, self.leaf.span)
        found = re.search(name, raw)
        if found is None:
            return self.span
        start, length = (
            (found.end(), len(member)) if member is not None else (found.start(), len(variable) + 1)
        )
        line, column = _advance(self.leaf.span, raw[:start])
        return Span(self.span.file, line, column, line, column + length)


def _check(reading: Reading, compiled: Compiled, mention: _Mention, use: Use) -> None:
    for name in sorted(compiled.variables):
        if name == "each" and not use.each:
            reading.complain(
                "E1408",
                f"`$each` has no value in {use.owner}",
                mention.of("each"),
                "only a resource with `count` or `each` has it",
                "add `count:` or `each:` to the resource, or take the value from `$inputs`",
            )
        elif name not in _KNOWN and name not in _BUILT_IN:
            _report_variable(reading, name, mention.of(name))
    for variable, member in sorted(compiled.references, key=lambda pair: (pair[0], pair[1] or "")):
        checker = _CHECKERS.get(variable)
        if checker is not None:
            checker(reading, member, mention, use)


def _report_variable(reading: Reading, name: str, at: Span) -> None:
    if name in _LATER:
        reading.complain(
            "E1204", f"`${name}` is not supported yet", at, "known, but a later release brings it"
        )
        return
    meant = nearest(name, _KNOWN)
    reading.complain(
        "E1302",
        f"`${name}` is not defined in a stack",
        at,
        f"did you mean `${meant}`?" if meant else "unknown variable",
        "defined here: " + ", ".join(f"`${each}`" for each in _KNOWN),
    )


def _check_resource(reading: Reading, member: str | None, mention: _Mention, use: Use) -> None:
    at = mention.of("resources", member)
    if member is None:
        reading.complain(
            "E1403",
            f"{use.owner} takes a resource by a name that is computed",
            at,
            "this would hide what depends on what",
            'write the name out: `$resources.NAME` or `$resources["NAME"]`',
        )
    elif member in reading.resources:
        use.found.setdefault(member, at)
    else:
        _report_missing(reading, "E1401", ("resource", "resources", member), (at, mention.leaf.span), use)


def _check_input(reading: Reading, member: str | None, mention: _Mention, use: Use) -> None:
    if member is not None and member not in reading.inputs:
        at = mention.of("inputs", member)
        _report_missing(reading, "E1402", ("input", "inputs", member), (at, mention.leaf.span), use)


def _check_secret(reading: Reading, member: str | None, mention: _Mention, use: Use) -> None:
    at = mention.of("secrets", member)
    if use.decides:
        reading.complain(
            "E1411",
            f"a secret cannot decide {use.decides} of {use.owner}",
            at,
            "its value is known only where it is sent",
            "use an input instead",
        )
    elif member is None:
        reading.complain(
            "E1403",
            f"{use.owner} takes a secret by a name that is computed",
            at,
            "name it",
            "write `$secrets.NAME`",
        )
    elif member not in reading.secrets:
        _report_missing(reading, "E1303", ("secret", "secrets", member), (at, mention.leaf.span), use)


_CHECKERS: Final[Mapping[str, Callable[[Reading, str | None, _Mention, Use], None]]] = {
    "resources": _check_resource,
    "inputs": _check_input,
    "secrets": _check_secret,
}


def _report_missing(
    reading: Reading, code: str, named: tuple[str, str, str], places: tuple[Span, Span], use: Use
) -> None:
    kind, section, member = named
    declared = {"resources": reading.resources, "inputs": reading.inputs, "secrets": reading.secrets}[section]
    at, whole = places
    # `$resources.pay-db` is a subtraction in jq: what was meant begins with the name that was found.
    raw = _raw(reading.lines, whole)
    hyphened = next((name for name in declared if "-" in name and f"${section}.{name}" in raw), None)
    meant = (
        hyphened
        if hyphened and hyphened.startswith(member)
        else nearest(member, [name for name in declared if name != use.itself])
    )
    if meant is None:
        names = ", ".join(declared) or "none"
        help_lines = (f"add `{shortened(member)}` to `{section}:`", f"declared: {shortened(names)}")
    else:
        path = f"${section}.{meant}" if _PLAIN.fullmatch(meant) else f'${section}["{meant}"]'
        help_lines = (f"change it to `{path}`", f"or add `{shortened(member)}` to `{section}:`")
    reading.complain_beside(
        Problem(
            code,
            f"{use.owner} mentions the {kind} `{shortened(member)}`, which is not declared",
            at,
            f"did you mean `{meant}`?" if meant else "not declared",
            help=help_lines,
        ),
        (Label(declared[meant], "a similar name"),) if meant else (),
    )


def _place_within(reading: Reading, leaf: Leaf, text: str) -> Span:
    """Return the place of a part of a scalar, or of all of it where escapes or folds hide the part."""
    span = leaf.span
    raw = _raw(reading.lines, span)
    start = raw.find(text) if text else -1
    if start < 0:
        return span
    line, column = _advance(span, raw[:start])
    end_line, end_column = _advance(Span(span.file, line, column, line, column), text)
    return Span(span.file, line, column, end_line, end_column)


def _raw(lines: list[str], span: Span) -> str:
    if span.line == span.end_line:
        return lines[span.line - 1][span.column - 1 : span.end_column - 1] if span.line <= len(lines) else ""
    taken = lines[span.line - 1 : span.end_line]
    if not taken:
        return ""
    if len(taken) == span.end_line - span.line + 1:
        taken[-1] = taken[-1][: span.end_column - 1]
    taken[0] = taken[0][span.column - 1 :]
    return "\n".join(taken)


def _advance(start: Span, passed: str) -> tuple[int, int]:
    breaks = passed.count("\n")
    if not breaks:
        return start.line, start.column + len(passed)
    return start.line + breaks, len(passed) - passed.rfind("\n")
