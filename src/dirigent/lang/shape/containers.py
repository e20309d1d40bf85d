"""Shapes of lists and mappings. A record is closed: an unknown key is a problem with a suggestion."""

from __future__ import annotations

from collections.abc import Mapping

from dirigent.lang.shape.place import Form, Later, Place, Shape, nearest, shortened
from dirigent.lang.shape.scalars import matches, wrong_type
from dirigent.lang.tree import Items, Member, Members
from dirigent.model.problem import Label, Problem
from dirigent.model.record import dataclass
from dirigent.model.values import Value


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a record. The description goes into the JSON Schema, for editors."""

    shape: Shape
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of one shape, with at least `min` and at most `max` elements."""

    item: Shape
    min: int = 0
    max: int | None = None
    what: str = "a list"

    def inspect(self, place: Place) -> None:
        """Report a wrong type (E1201) or number of elements (E1208); ask for each element."""
        node = place.node
        if not isinstance(node, Items):
            wrong_type(place, self.what)
            return
        _check_size(place, len(node.items), self.min, self.max)
        for index, item in enumerate(node.items):
            place.enter(f"[{index}]", item, self.item, item.span.beginning)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        written: dict[str, Value] = {"type": "array", "items": form.of(self.item)}
        if self.min:
            written["minItems"] = self.min
        if self.max is not None:
            written["maxItems"] = self.max
        return written


@dataclass(frozen=True, slots=True)
class MapOf:
    """A mapping from free names to one shape; `key_pattern` must match all of each name."""

    value: Shape
    key_pattern: str = ""
    key_what: str = "a name"
    min: int = 0
    max: int | None = None
    what: str = "a mapping"

    def inspect(self, place: Place) -> None:
        """Report a wrong type (E1201), size (E1208) or name (E1211); ask for each value."""
        node = place.node
        if not isinstance(node, Members):
            wrong_type(place, self.what)
            return
        _check_size(place, len(node.members), self.min, self.max)
        for member in node:
            if self.key_pattern and not matches(self.key_pattern, member.key):
                place.report(
                    "E1211",
                    f"`{shortened(member.key)}` in {place.title} must be {self.key_what}",
                    member.key_span,
                    "malformed name",
                )
            place.enter(member.key, member.node, self.value, member.key_span)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        written: dict[str, Value] = {"type": "object", "additionalProperties": form.of(self.value)}
        if self.key_pattern:
            written["propertyNames"] = {"pattern": f"^(?:{self.key_pattern})$"}
        if self.min:
            written["minProperties"] = self.min
        if self.max is not None:
            written["maxProperties"] = self.max
        return written


@dataclass(frozen=True, slots=True)
class SingleKeyMap:
    """A mapping with exactly one key, as each step of a task list is."""

    value: Shape
    what: str = "a mapping with exactly one key"

    def inspect(self, place: Place) -> None:
        """Report a wrong type (E1201) or number of keys (E1212); ask for each value."""
        node = place.node
        if not isinstance(node, Members):
            wrong_type(place, self.what)
            return
        if not node.members:
            place.report("E1212", f"{place.title} must hold exactly one key, not none", node.span, "empty")
        for extra in list(node)[1:]:
            first = next(iter(node))
            place.report_beside(
                Problem(
                    "E1212",
                    f"{place.title} must hold exactly one key, but `{shortened(extra.key)}` follows "
                    f"`{shortened(first.key)}`",
                    at=extra.key_span,
                    label="a second key",
                    help=(
                        f"begin a new list element: `- {shortened(extra.key)}: ...`",
                        f"or indent it, if it belongs into `{shortened(first.key)}`",
                    ),
                ),
                Label(first.key_span, "the first key"),
            )
        for member in list(node)[:1]:
            place.enter(member.key, member.node, self.value, member.key_span)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        return {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": form.of(self.value),
        }


@dataclass(frozen=True, slots=True)
class Record:
    """A mapping with known keys. `open` lets other keys stand, unchecked. `title` names it in messages."""

    fields: Mapping[str, Field]
    open: bool = False
    title: str = ""
    what: str = "a mapping"

    def inspect(self, place: Place) -> None:
        """Report a wrong type (E1201), missing (E1202) and unknown keys (E1203); ask for the values."""
        node = place.node
        if not isinstance(node, Members):
            wrong_type(place, self.what)
            return
        excused: set[str] = set()
        for member in node:
            known = self.fields.get(member.key)
            if known is not None:
                place.enter(member.key, member.node, known.shape, member.key_span)
            elif not self.open:
                excused.add(self._unknown(place, node, member))
        for name, field in self.fields.items():
            # A misspelt key is one mistake, not two.
            if field.required and name not in node.members and name not in excused:
                self._missing(place, name, field)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        properties: dict[str, Value] = {}
        for name, field in self.fields.items():
            written = form.of(field.shape)
            properties[name] = {**written, "description": field.description} if field.description else written
        written = {"type": "object", "properties": properties, "additionalProperties": self.open}
        required: list[Value] = [name for name, field in self.fields.items() if field.required]
        if required:
            written["required"] = required
        if self.title:
            written["title"] = self.title
        return written

    def _unknown(self, place: Place, node: Members, member: Member) -> str:
        free = [name for name in self.fields if name not in node.members]
        meant = nearest(member.key, free)
        owner = self.title or place.title
        supported = sorted(name for name, field in self.fields.items() if not isinstance(field.shape, Later))
        known = f"known: {', '.join(supported)}" if supported else "no key is known here"
        place.report(
            "E1203",
            f"unknown property `{shortened(member.key)}` in {owner}",
            member.key_span,
            f"did you mean `{meant}`?" if meant else "unknown",
            ((f"change it to `{meant}`", known) if meant else (known,)),
        )
        return meant or ""

    def _missing(self, place: Place, name: str, field: Field) -> None:
        place.report(
            "E1202",
            f"{place.title} lacks `{name}`",
            place.where,
            f"`{name}` is missing here",
            (f"add `{name}:` with {field.shape.what}",),
        )


def _check_size(place: Place, size: int, least: int, most: int | None) -> None:
    if size < least:
        message = f"{place.title} must have at least {least} element{'s' if least > 1 else ''}, not {size}"
        place.report("E1208", message, place.where, "too few")
    elif most is not None and size > most:
        message = f"{place.title} must have at most {most} element{'s' if most > 1 else ''}, not {size}"
        place.report("E1208", message, place.where, "too many")
