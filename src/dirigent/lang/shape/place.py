"""Where a check stands: one node, its path in the document, and the text to mark.

A survey walks a document with a list of pending places, never by recursion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from difflib import get_close_matches
from typing import Final, Protocol

from dirigent.lang.tree import Items, Leaf, Members, Node
from dirigent.model.problem import Label, Problem
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Value

# A value longer than this is cut where a message quotes it.
QUOTED_CHARACTERS: Final = 60

# No known word is longer; the time that a comparison takes grows with the square of the length.
NAME_CHARACTERS: Final = 100


class Shape(Protocol):
    """What a part of a document must look like."""

    @property
    def what(self) -> str:
        """Return the shape in a few words, as `a whole number`, for messages."""
        ...

    def inspect(self, place: Place) -> None:
        """Report every problem of the place's own node and ask for its children."""
        ...

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the draft-07 JSON Schema of the shape."""
        ...


@dataclass(slots=True)
class Survey:
    """One check of one document: what was found, and what is still to be looked at."""

    problems: list[Problem]
    definitions: Mapping[str, Shape]
    pending: list[tuple[Place, Shape]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """A node under a shape.

    `path` is dotted (`resources.web.count`); `where` is what to mark when something is missing from
    the node: the key it stands under. `templates` lets any value be a whole-string expression.
    """

    node: Node
    path: str
    where: Span
    survey: Survey
    templates: bool = False

    @property
    def title(self) -> str:
        """Return the path in backticks, for the beginning of a sentence."""
        return f"`{self.path}`" if self.path else "the document"

    def report(
        self, code: str, message: str, at: Span, label: str = "", remedies: tuple[str, ...] = ()
    ) -> None:
        """Note a problem."""
        self.survey.problems.append(Problem(code, message, at=at, label=label, help=remedies))

    def report_beside(self, problem: Problem, *others: Label) -> None:
        """Note a problem that has further places."""
        self.survey.problems.append(
            Problem(problem.code, problem.message, problem.at, problem.label, others, problem.help)
        )

    def enter(self, part: str, node: Node, shape: Shape, where: Span) -> None:
        """Ask for a child: it will be looked at later."""
        path = f"{self.path}{part}" if part.startswith("[") else f"{self.path}.{part}" if self.path else part
        self.survey.pending.append((Place(node, path, where, self.survey, self.templates), shape))

    def stay(self, shape: Shape, *, templates: bool | None = None) -> None:
        """Ask for the same node under another shape."""
        kept = self.templates if templates is None else templates
        self.survey.pending.append((Place(self.node, self.path, self.where, self.survey, kept), shape))


@dataclass(frozen=True, slots=True)
class Form:
    """How a JSON Schema is written: `templates` lets any value be a whole-string expression."""

    templates: bool = False

    def of(self, shape: Shape) -> dict[str, Value]:
        """Return the schema of a shape, with the alternative of an expression where one may stand."""
        written = shape.schema(self)
        if not self.templates or not written or "anyOf" in written or isinstance(shape, Fixed | Later):
            return written
        return {"anyOf": [written, dict(EXPRESSION_SCHEMA)]}


EXPRESSION_SCHEMA: Final[Mapping[str, Value]] = {"type": "string", "pattern": r"^\s*\$\{[\s\S]*\}\s*$"}


@dataclass(frozen=True, slots=True)
class Fixed:
    """A value that must be written out, where all others may be expressions."""

    shape: Shape

    @property
    def what(self) -> str:
        """Return the shape in words."""
        return self.shape.what

    def inspect(self, place: Place) -> None:
        """Report an expression (E1214), else go on with the shape."""
        if is_expression(place.node):
            refuse_expression(place, self.shape)
        else:
            place.stay(self.shape, templates=False)

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        return {"allOf": [Form().of(self.shape)], "not": dict(EXPRESSION_SCHEMA)}


@dataclass(frozen=True, slots=True)
class Later:
    """A key that we know and do not support yet. `instead` is what to do meanwhile."""

    instead: str = ""
    what: str = "nothing yet"

    def inspect(self, place: Place) -> None:
        """Report it (E1204)."""
        place.report(
            "E1204",
            f"{place.title} is not supported yet",
            place.where,
            "known, but a later release brings it",
            (self.instead,) if self.instead else ("remove it",),
        )

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return a JSON Schema that nothing fits."""
        return {"not": {}}


def run(survey: Survey, node: Node, shape: Shape, *, path: str, where: Span, templates: bool) -> None:
    """Look at a node and at all that its shape asks for, until nothing is pending."""
    survey.pending.append((Place(node, path, where, survey, templates), shape))
    while survey.pending:
        place, wanted = survey.pending.pop()
        if place.templates and is_expression(place.node) and not isinstance(wanted, Fixed | Later):
            continue
        wanted.inspect(place)


def inner_expression(text: str) -> str | None:
    """Return the jq text of a whole-string `${ ... }`, or None when the text is not one."""
    stripped = text.strip()
    if stripped.startswith("${") and stripped.endswith("}"):
        return stripped[2:-1]
    return None


def is_expression(node: Node) -> bool:
    """Return whether a node is a string that is one expression as a whole."""
    return isinstance(node, Leaf) and isinstance(node.value, str) and inner_expression(node.value) is not None


def head_of(node: Node) -> Span:
    """Return the smallest text that stands for a node: the first key of a mapping, else the node."""
    if isinstance(node, Members):
        return next((member.key_span for member in node), node.span)
    if isinstance(node, Items) and node.items and node.span.line != node.span.end_line:
        return head_of(node.items[0]) if isinstance(node.items[0], Leaf) else node.span
    return node.span


def described(node: Node) -> str:
    """Return a node in words, with its value where it is short: `the number 3`, `a list`."""
    if isinstance(node, Members):
        return "a mapping"
    if isinstance(node, Items):
        return "a list"
    value = node.value
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return f"the flag `{'true' if value else 'false'}`"
    if isinstance(value, str):
        return f"the text `{shortened(value)}`"
    return f"the number `{value}`"


def shortened(text: str) -> str:
    """Return a text on one line and cut to a length that a message can show."""
    line = " ".join(text.split()) if "\n" in text or "\t" in text else text
    return line if len(line) <= QUOTED_CHARACTERS else line[: QUOTED_CHARACTERS - 1] + "…"


def nearest(word: str, known: tuple[str, ...] | list[str]) -> str | None:
    """Return the known word that was probably meant."""
    plain = word.lower()[:NAME_CHARACTERS]
    by_plain = {name.lower(): name for name in reversed(known)}
    found = get_close_matches(plain, by_plain, n=1, cutoff=0.6)
    if found:
        return by_plain[found[0]]
    # Two letters of a short word that changed places are too far apart for the measure above.
    return next((name for name in known if sorted(name.lower()) == sorted(plain)), None)


def refuse_expression(place: Place, shape: Shape) -> None:
    """Report an expression where the value must be written out (E1214)."""
    message = f"{place.title} must be written out: it cannot be an expression"
    place.report("E1214", message, place.node.span, "an expression", (f"write {shape.what}",))
