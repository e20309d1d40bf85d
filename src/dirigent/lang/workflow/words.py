"""Shapes of the single values that only workflow documents have: durations, URIs, versions.

Each reports its own code at the smallest text; the lowering then takes the value as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from dirigent.lang.shape import Form, Place, is_expression, shortened
from dirigent.lang.shape.scalars import text_in, wrong_type
from dirigent.lang.tree import Leaf
from dirigent.model.duration import seconds_of
from dirigent.model.record import dataclass
from dirigent.model.values import Value

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//)?[^\s/]\S*", re.ASCII)
_LOCAL: Final = re.compile(r"file:///?\S+", re.ASCII)
_VARIABLE: Final = re.compile(r"\{[A-Za-z_][A-Za-z0-9_.-]*\}", re.ASCII)
_SEMVER: Final = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)

# The newest patch of 1.0 that these rules were written for.
NEWEST_PATCH: Final = 3


@dataclass(frozen=True, slots=True)
class Checked:
    """A text that `complaint` finds nothing wrong with; an expression may stand if `computed`.

    `complaint` gets the text and returns what is wrong with it as a sentence, or nothing.
    """

    code: str
    what: str
    complaint: Callable[[str], str]
    computed: bool = False
    help: str = ""

    def inspect(self, place: Place) -> None:
        """Report a wrong type (E1201), or what is wrong under the shape's own code."""
        if self.computed and is_expression(place.node):
            return
        found = text_in(place, self.what)
        if found is None:
            return
        complaint = self.complaint(found[0])
        if complaint:
            place.report(self.code, complaint, found[1], "malformed", (self.help,) if self.help else ())

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema: the finer rules cannot be said in it."""
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text, or a number or flag that stands for its text; with `empty` also nothing."""

    empty: bool = False
    what: str = "text"

    def inspect(self, place: Place) -> None:
        """Report a list or mapping, or an unwanted null (E1201)."""
        node = place.node
        if not isinstance(node, Leaf) or (node.value is None and not self.empty):
            wrong_type(place, self.what)

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        kinds: list[Value] = ["string", "number", "boolean"]
        return {"type": [*kinds, "null"] if self.empty else kinds}


@dataclass(frozen=True, slots=True)
class NotYet:
    """A part of the standard that is known and not supported yet; `name` says it in words."""

    name: str
    what: str = "nothing yet"

    def inspect(self, place: Place) -> None:
        """Report it (E1204)."""
        node = place.node
        place.report(
            "E1204",
            f"{self.name} is not supported yet",
            node.span if isinstance(node, Leaf) and node.value is not None else place.where,
            "known, but a later release brings it",
        )

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return a JSON Schema that nothing fits."""
        return {"not": {}}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A part of the standard that is said in another place than a workflow."""

    code: str
    message: str
    remedy: str
    what: str = "nothing"

    def inspect(self, place: Place) -> None:
        """Report it."""
        place.report(self.code, self.message, place.where, "not here", (self.remedy,))

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return a JSON Schema that nothing fits."""
        return {"not": {}}


def duration_complaint(text: str) -> str:
    """Return what is wrong with an ISO 8601 duration."""
    try:
        seconds_of(text)
    except ValueError as wrong:
        return str(wrong)
    return ""


def semver_complaint(text: str) -> str:
    """Return what is wrong with a semantic version."""
    if _SEMVER.fullmatch(text):
        return ""
    return f"`{shortened(text)}` is not a semantic version such as `1.0.0`"


def dsl_complaint(text: str) -> str:
    """Return why documents of this version of the DSL cannot be read."""
    match = _SEMVER.fullmatch(text)
    if match is None:
        return semver_complaint(text)
    if match.group(1, 2) != ("1", "0"):
        return f"version `{text}` of the DSL is not supported: documents of 1.0.x are"
    return ""


def patch_of(text: str) -> int:
    """Return the third figure of a version, 0 where there is none."""
    match = _SEMVER.fullmatch(text)
    return int(match[3]) if match else 0


def uri_complaint(text: str) -> str:
    """Return what is wrong with a URI or URI template of any scheme."""
    if not _SCHEME.fullmatch(text) and not _LOCAL.fullmatch(text):
        return f"`{shortened(text)}` is not an absolute URI such as `https://example.com/orders/{{id}}`"
    return template_complaint(text)


def web_complaint(text: str) -> str:
    """Return what is wrong with the URI of an HTTP call."""
    complaint = uri_complaint(text)
    if not complaint and not text.lower().startswith(("http://", "https://")):
        return f"`{shortened(text)}` cannot be called: an HTTP call takes `http://` or `https://`"
    return complaint


def document_complaint(text: str) -> str:
    """Return what is wrong with the URI of a document to be fetched."""
    complaint = uri_complaint(text)
    if not complaint and not text.lower().startswith(("http://", "https://", "file:")):
        return f"`{shortened(text)}` cannot be read: documents are at `http://`, `https://` or `file:///`"
    return complaint


def template_complaint(text: str) -> str:
    """Return what is wrong with the variables of a URI template: only `{name}` is simple expansion."""
    left = _VARIABLE.sub("", text)
    for brace in "{}":
        if brace in left:
            return (
                f"`{shortened(text)}` is not a URI template: only `{{name}}` may stand in it, "
                "for a member of the task's input"
            )
    return ""
