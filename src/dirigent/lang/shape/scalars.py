"""Shapes of single values: text, numbers, flags, expressions."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from dirigent.lang.shape.place import (
    EXPRESSION_SCHEMA,
    Form,
    Place,
    described,
    inner_expression,
    nearest,
    shortened,
)
from dirigent.lang.tree import Leaf, Members
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Value


@dataclass(frozen=True, slots=True)
class Text:
    """A string. `pattern` must match all of it; `choices` are the only values that may stand.

    `what` says in words what is expected, as `a DNS label such as shop-1`. Keep patterns to what
    Python and JavaScript share.
    """

    pattern: str = ""
    choices: tuple[str, ...] = ()
    what: str = "text"
    min_length: int = 0

    def inspect(self, place: Place) -> None:
        """Report a wrong type (E1201), pattern (E1205) or choice (E1206)."""
        found = text_in(place, self.what)
        if found is None:
            return
        text, span = found
        if self.choices and text not in self.choices:
            _wrong_choice(place, text, span, self.choices)
        elif self.pattern and not matches(self.pattern, text):
            place.report(
                "E1205", f"{place.title} must be {self.what}, not `{shortened(text)}`", span, "malformed"
            )
        elif len(text) < self.min_length:
            place.report("E1205", f"{place.title} must not be empty", span, "empty")

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        written: dict[str, Value] = {"type": "string"}
        if self.pattern:
            written["pattern"] = f"^(?:{self.pattern})$"
        if self.choices:
            written["enum"] = list(self.choices)
        if self.min_length:
            written["minLength"] = self.min_length
        return written


@dataclass(frozen=True, slots=True)
class Number:
    """A number, with or without a fraction, between two limits that it may reach."""

    min: float | None = None
    max: float | None = None
    what: str = "a number"

    def inspect(self, place: Place) -> None:
        """Report a wrong type (E1201) or a value out of range (E1207)."""
        node = place.node
        if (
            isinstance(node, Leaf)
            and isinstance(node.value, int | float)
            and not isinstance(node.value, bool)
        ):
            in_range(place, node.value, node.span, self.min, self.max)
        else:
            wrong_type(place, self.what)

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        return {"type": "number", **_limits(self.min, self.max)}


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two limits that it may reach."""

    min: int | None = None
    max: int | None = None
    what: str = "a whole number"

    def inspect(self, place: Place) -> None:
        """Report a wrong type (E1201) or a value out of range (E1207)."""
        node = place.node
        if isinstance(node, Leaf) and isinstance(node.value, int) and not isinstance(node.value, bool):
            in_range(place, node.value, node.span, self.min, self.max)
        else:
            wrong_type(place, self.what)

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        return {"type": "integer", **_limits(self.min, self.max)}


@dataclass(frozen=True, slots=True)
class Flag:
    """`true` or `false`."""

    what: str = "`true` or `false`"

    def inspect(self, place: Place) -> None:
        """Report anything else (E1201)."""
        if not (isinstance(place.node, Leaf) and isinstance(place.node.value, bool)):
            wrong_type(place, self.what)

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class AnyValue:
    """Everything."""

    what: str = "any value"

    def inspect(self, place: Place) -> None:
        """Report nothing."""

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return the empty JSON Schema."""
        return {}


@dataclass(frozen=True, slots=True)
class ExpressionText:
    """A string that is one expression as a whole, `${ ... }`; with `bare` the braces may be left out."""

    bare: bool = False
    what: str = "an expression, as `${ .name }`"

    def inspect(self, place: Place) -> None:
        """Report a wrong type (E1201) or text that is not an expression (E1210)."""
        found = text_in(place, self.what)
        if found is None:
            return
        text, span = found
        inner = inner_expression(text)
        if inner is None and not self.bare:
            place.report(
                "E1210",
                f"{place.title} must be an expression, not the text `{shortened(text)}`",
                span,
                "not an expression",
                (f'write "${{ {shortened(text)} }}" if that is a jq expression',),
            )
        elif not (text if inner is None else inner).strip():
            place.report("E1210", f"{place.title} is an empty expression", span, "nothing in it")

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        return {"type": "string"} if self.bare else dict(EXPRESSION_SCHEMA)


def text_in(place: Place, what: str) -> tuple[str, Span] | None:
    """Return the string at a place with its span, or report what stands there instead."""
    node = place.node
    if isinstance(node, Leaf) and isinstance(node.value, str):
        return node.value, node.span
    wrong_type(place, what)
    return None


def wrong_type(place: Place, what: str) -> None:
    """Report that a place holds another type of value than `what` (E1201)."""
    node = place.node
    if place.templates and isinstance(node, Members) and "choose" in node.members:
        at = node.members["choose"].key_span
        place.report("E1204", f"{place.title} cannot be left to choose yet", at, "a later release brings it")
        return
    remedies: tuple[str, ...] = ()
    if (
        isinstance(node, Leaf)
        and not isinstance(node.value, str)
        and node.value is not None
        and "text" in what
    ):
        remedies = (f'put it in quotes: "{str(node.value).lower()}"',)
    nothing = isinstance(node, Leaf) and node.value is None
    if nothing:
        remedies = ("write a value, or remove the key",)
    marked = node.span if isinstance(node, Leaf) and not nothing else place.where
    place.report("E1201", f"{place.title} must be {what}, not {described(node)}", marked, what, remedies)


def in_range(place: Place, value: float, span: Span, least: float | None, most: float | None) -> None:
    """Report a number that is too small or too large (E1207)."""
    if least is not None and value < least:
        place.report("E1207", f"{place.title} must be at least {least}, not `{value}`", span, "too small")
    elif most is not None and value > most:
        place.report("E1207", f"{place.title} must be at most {most}, not `{value}`", span, "too large")


def _wrong_choice(place: Place, text: str, span: Span, choices: tuple[str, ...]) -> None:
    meant = nearest(text, choices)
    place.report(
        "E1206",
        f"{place.title} must be one of {listed(choices)}, not `{shortened(text)}`",
        span,
        f"did you mean `{meant}`?" if meant else "no such choice",
        (f"change it to `{meant}`",) if meant else (),
    )


def listed(names: tuple[str, ...]) -> str:
    """Return names in backticks with commas."""
    return ", ".join(f"`{name}`" for name in names)


def _limits(least: float | None, most: float | None) -> dict[str, Value]:
    limits: dict[str, Value] = {}
    if least is not None:
        limits["minimum"] = least
    if most is not None:
        limits["maximum"] = most
    return limits


def matches(pattern: str, text: str) -> bool:
    """Return whether a pattern of the shapes matches all of a text."""
    return _compiled(pattern)(text) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(pattern).fullmatch
