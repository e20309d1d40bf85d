"""What the YAML parser complains about, in words that say what to do."""

from __future__ import annotations

from typing import Final

from yaml import MarkedYAMLError

from dirigent.model.problem import Label, Problem
from dirigent.model.record import dataclass
from dirigent.model.source import Span

_INDENTATION: Final = ("check the indentation of this line and of the lines before it",)
# libyaml's words, then those of the parser in Python.
_MISFITS: Final = (
    "expected key",
    "expected '-'",
    "not allowed in this context",
    "expected <block end>",
    "not allowed here",
    "expected <document start>, but found '<block",
)
_QUOTE_IT: Final = ("if it is text, put it in quotes",)


@dataclass(frozen=True, slots=True)
class Spot:
    """A place as the parser counts: from 0."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Text:
    """A document by lines.

    `last_plain` is the plain scalar that was read last, with its ends; `bracket` is where the
    innermost list or mapping in brackets begins that is still open.
    """

    lines: list[str]
    file: str
    last_plain: str = ""
    last_start: Spot = Spot(0, 0)
    last_end: Spot = Spot(0, 0)
    bracket: Spot | None = None

    def line(self, number: int) -> str:
        """Return a line by its number from 0; the empty one beyond the end."""
        return self.lines[number] if number < len(self.lines) else ""

    def character(self, spot: Spot) -> str:
        """Return the character at a place, or the empty text at the end of a line."""
        return self.line(spot.line)[spot.column : spot.column + 1]

    def span(self, spot: Spot, length: int = 1) -> Span:
        """Return the span of some characters; a place beyond the text becomes its last character."""
        line, column = spot.line, spot.column
        while line and not self.line(line).strip():
            line -= 1
            column = len(self.line(line))
        return Span(self.file, line + 1, column + 1, line + 1, column + 1 + length)


def rephrased(error: MarkedYAMLError, text: Text) -> Problem:
    """Return the coded problem of a syntax error."""
    mark = error.problem_mark or error.context_mark
    spot = Spot(mark.line, mark.column) if mark else Spot(0, 0)
    context = error.context_mark
    opened = Spot(context.line, context.column) if context else spot
    words = str(error.problem or error.context or "it cannot be read")
    return _expression(spot, text) or _known(words, spot, opened, text) or _other(words, spot, text)


def unquoted(start: Spot, text: Text) -> Problem:
    """Return the problem of an expression without quotes (E1112), with the quoted form."""
    expression = _braced(text.line(start.line)[start.column :])
    quoted = expression.replace("'", "''")
    fixed = f"'{quoted}'" if '"' in expression else f'"{expression}"'
    return Problem(
        "E1112",
        f"the expression `{expression}` must be in quotes here",
        at=text.span(start, len(expression)),
        label="YAML reads braces, `: ` and ` #` as its own signs",
        help=(f"write {fixed}",),
    )


def _expression(spot: Spot, text: Text) -> Problem | None:
    plain = text.last_plain
    if spot != text.last_end or "$" not in plain:
        return None
    if plain.endswith("$") and text.character(spot) == "{":
        return unquoted(Spot(spot.line, spot.column - 1), text)
    if plain.startswith("${") and text.last_start.line == spot.line:
        return unquoted(text.last_start, text)
    return None


def _braced(text: str) -> str:
    depth = 0
    for index, character in enumerate(text):
        if character == "{":
            depth += 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return text[: index + 1]
    return text.rstrip()


def _known(words: str, spot: Spot, opened: Spot, text: Text) -> Problem | None:
    at = text.span(spot)
    if "tab character" in words or ("cannot start any token" in words and _tab_before(spot, text)):
        tab = text.line(spot.line).find("\t")
        place = Span(text.file, spot.line + 1, max(tab, 0) + 1, spot.line + 1, max(tab, 0) + 2)
        return Problem("E1111", "a tab cannot indent a line", place, "a tab", help=("indent with spaces",))
    if "cannot start any token" in words:
        message = f"`{text.character(spot)}` cannot begin a value"
        return Problem("E1117", message, at, "not in quotes", help=_QUOTE_IT)
    if "mapping values are not allowed" in words:
        return Problem(
            "E1113",
            "a `:` makes a key, and no key may stand here",
            at,
            "read as the end of a key",
            help=(*_QUOTE_IT, *_INDENTATION),
        )
    if "quoted scalar" in words or ("unexpected end of stream" in words and spot != opened):
        return Problem(
            "E1114",
            "a quote is not closed",
            text.span(opened),
            "opened here",
            help=("add the quote that closes it",),
        )
    return _structure(words, spot, opened, text)


def _structure(words: str, spot: Spot, opened: Spot, text: Text) -> Problem | None:
    at = text.span(spot)
    sign = text.character(spot)
    if "expected ',' or" in words:
        return _unclosed(spot, opened, text)
    if "node content" in words and not sign and text.bracket is not None:
        return _unclosed(spot, text.bracket, text)
    if "node content" in words and sign in ("]", "}"):
        return Problem(
            "E1115", f"`{sign}` closes nothing", at, "never opened", help=("remove it", *_QUOTE_IT)
        )
    if any(part in words for part in _MISFITS):
        return Problem(
            "E1116",
            "this does not fit into the block it stands in",
            at,
            "unexpected here",
            (Label(text.span(opened), "the block begins here"),) if opened != spot else (),
            help=_INDENTATION,
        )
    return _escape(spot, text) if "escape" in words or "hexdecimal" in words else None


def _unclosed(spot: Spot, opened: Spot, text: Text) -> Problem:
    bracket = text.character(opened)
    # On a later line the parser has long been misled: the bracket itself is the place to look at.
    late = spot.line > opened.line or not text.character(spot)
    return Problem(
        "E1115",
        f"`{bracket}` is not closed, or a comma is missing",
        text.span(opened) if late else text.span(spot),
        "opened here" if late else "unexpected here",
        () if late else (Label(text.span(opened), "opened here"),),
        (f"add `{']' if bracket == '[' else '}'}` or `,`", *_QUOTE_IT),
    )


def _escape(spot: Spot, text: Text) -> Problem:
    line = text.line(spot.line)
    start = max(line.rfind("\\", 0, spot.column + 1), 0)
    sign = line[start : start + 2]
    return Problem(
        "E1129",
        f"`{sign}` does not begin an escape sequence that YAML knows",
        text.span(Spot(spot.line, start), len(sign)),
        help=("use single quotes, where a backslash is only a backslash",),
    )


def _tab_before(spot: Spot, text: Text) -> bool:
    line = text.line(spot.line)
    return "\t" in line[: spot.column + 1] and not line[: spot.column].strip()


def _other(words: str, spot: Spot, text: Text) -> Problem:
    return Problem("E1110", f"not valid YAML: {words}", at=text.span(spot), label="here", help=_INDENTATION)
