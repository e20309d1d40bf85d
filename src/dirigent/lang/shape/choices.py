"""Shapes that choose another shape: by kind of node, by the key that is there, by a value, by name.

A choice is made by looking, never by trying, so the problems of the alternative that was meant are shown.
"""

from __future__ import annotations

from collections.abc import Mapping

from dirigent.lang.shape.containers import Record
from dirigent.lang.shape.place import (
    EXPRESSION_SCHEMA,
    Form,
    Place,
    Shape,
    is_expression,
    nearest,
    refuse_expression,
    shortened,
)
from dirigent.lang.shape.scalars import listed, text_in, wrong_type
from dirigent.lang.tree import Items, Leaf, Members, Node
from dirigent.model.problem import Label, Problem
from dirigent.model.record import dataclass
from dirigent.model.values import Value


@dataclass(frozen=True, slots=True)
class ByKind:
    """Another shape for each kind of node; a kind without one is a wrong type."""

    text: Shape | None = None
    number: Shape | None = None
    flag: Shape | None = None
    list: Shape | None = None
    map: Shape | None = None
    null: Shape | None = None

    @property
    def what(self) -> str:
        """Return the alternatives in words."""
        return " or ".join(shape.what for shape in self._shapes())

    def inspect(self, place: Place) -> None:
        """Go on with the shape for the node's kind, or report a wrong type (E1201)."""
        shape = self._for(place.node)
        if shape is None:
            wrong_type(place, self.what)
        else:
            place.stay(shape)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        return {"anyOf": [form.of(shape) for shape in self._shapes()]}

    def _shapes(self) -> tuple[Shape, ...]:
        every = (self.text, self.number, self.flag, self.list, self.map, self.null)
        return tuple(shape for shape in every if shape is not None)

    def _for(self, node: Node) -> Shape | None:
        if isinstance(node, Members):
            return self.map
        if isinstance(node, Items):
            return self.list
        return self._for_scalar(node)

    def _for_scalar(self, leaf: Leaf) -> Shape | None:
        if leaf.value is None:
            return self.null
        if isinstance(leaf.value, bool):
            return self.flag
        return self.text if isinstance(leaf.value, str) else self.number


@dataclass(frozen=True, slots=True)
class ByKey:
    """A mapping whose kind is told by a key: the first of `alternatives` whose key is there.

    Put the more telling key first (`for` before `do`). `title` names the thing in messages.
    """

    alternatives: Mapping[str, Shape]
    title: str = ""
    what: str = "a mapping"

    def inspect(self, place: Place) -> None:
        """Report none (E1209) or two (E1213) of the telling keys; go on with the first."""
        node = place.node
        if not isinstance(node, Members):
            wrong_type(place, self.what)
            return
        chosen = next((key for key in self.alternatives if key in node.members), None)
        if chosen is None:
            self._none(place, node)
            return
        shape = self.alternatives[chosen]
        if isinstance(shape, Record):
            self._refuse_others(place, node, chosen, shape)
            extra = [key for key in self.alternatives if key in node.members and key not in shape.fields]
            if extra:
                kept = {key: member for key, member in node.members.items() if key not in extra}
                place.survey.pending.append(
                    (
                        Place(
                            Members(kept, node.span), place.path, place.where, place.survey, place.templates
                        ),
                        shape,
                    )
                )
                return
        place.stay(shape)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        alternatives: list[Value] = [
            {"type": "object", "required": [key], "allOf": [form.of(shape)]}
            for key, shape in self.alternatives.items()
        ]
        return {"anyOf": alternatives}

    def _none(self, place: Place, node: Members) -> None:
        names = tuple(self.alternatives)
        for member in node:
            meant = nearest(member.key, names)
            if meant:
                place.report(
                    "E1203",
                    f"unknown property `{member.key}` in {self.title or place.title}",
                    member.key_span,
                    f"did you mean `{meant}`?",
                    (f"change it to `{meant}`", f"known: {', '.join(names)}"),
                )
                return
        place.report(
            "E1209",
            f"{place.title} must hold one of {listed(names)}",
            place.where,
            "none of them is here",
        )

    def _refuse_others(self, place: Place, node: Members, chosen: str, shape: Record) -> None:
        for key in self.alternatives:
            if key in node.members and key not in shape.fields:
                place.report_beside(
                    Problem(
                        "E1213",
                        f"{place.title} holds `{chosen}` and `{key}`, but only one of them may stand",
                        at=node.members[key].key_span,
                        label=f"cannot stand beside `{chosen}`",
                    ),
                    Label(node.members[chosen].key_span, "the first of them"),
                )


@dataclass(frozen=True, slots=True)
class ByValue:
    """A mapping whose kind is told by the text under `key`, as `call: http`; else `otherwise`, if given.

    `code` is that of the problem of a text that tells none of them; `remedy` its last line of help.
    """

    key: str
    alternatives: Mapping[str, Shape]
    otherwise: Shape | None = None
    code: str = "E1206"
    remedy: str = ""
    what: str = "a mapping"

    def inspect(self, place: Place) -> None:
        """Report a missing key (E1202) or unknown value (`code`); go on with the chosen shape."""
        node = place.node
        if not isinstance(node, Members):
            wrong_type(place, self.what)
            return
        member = node.members.get(self.key)
        if member is None:
            self._missing(place)
            return
        inner = Place(
            member.node, f"{place.path}.{self.key}" if place.path else self.key, member.key_span, place.survey
        )
        found = text_in(inner, "text")
        if found is None:
            return
        shape = self.alternatives.get(found[0], self.otherwise)
        if shape is not None:
            place.stay(shape)
            return
        meant = nearest(found[0], tuple(self.alternatives))
        remedies = (f"change it to `{meant}`" if meant else "", self.remedy)
        inner.report(
            self.code,
            f"{inner.title} must be one of {listed(tuple(self.alternatives))}, not `{shortened(found[0])}`",
            found[1],
            f"did you mean `{meant}`?" if meant else "no such choice",
            tuple(remedy for remedy in remedies if remedy),
        )

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        branches: list[Value] = []
        for value, shape in self.alternatives.items():
            told: Value = {"properties": {self.key: {"const": value}}, "required": [self.key]}
            branches.append({"if": told, "then": form.of(shape)})
        written: dict[str, Value] = {"type": "object", "required": [self.key], "allOf": branches}
        if self.otherwise is None:
            written["properties"] = {self.key: {"enum": list(self.alternatives)}}
        return written

    def _missing(self, place: Place) -> None:
        place.report(
            "E1202",
            f"{place.title} lacks `{self.key}`",
            place.where,
            f"`{self.key}` is missing here",
            (f"add `{self.key}:` with one of {listed(tuple(self.alternatives))}",),
        )


@dataclass(frozen=True, slots=True)
class OrExpression:
    """A value of a shape, or a whole-string `${ ... }` that will give one."""

    shape: Shape

    @property
    def what(self) -> str:
        """Return the shape in words."""
        return f"{self.shape.what} or an expression"

    def inspect(self, place: Place) -> None:
        """Go on with the shape unless an expression stands here."""
        if not is_expression(place.node):
            place.stay(self.shape)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        return {"anyOf": [form.of(self.shape), dict(EXPRESSION_SCHEMA)]}


@dataclass(frozen=True, slots=True)
class Templates:
    """A shape below which every value may also be an expression; the value itself too, if `whole`."""

    shape: Shape
    whole: bool = True

    @property
    def what(self) -> str:
        """Return the shape in words."""
        return f"{self.shape.what} or an expression" if self.whole else self.shape.what

    def inspect(self, place: Place) -> None:
        """Go on with the shape, or report an expression in place of the whole (E1214)."""
        if not self.whole and is_expression(place.node):
            refuse_expression(place, self.shape)
        else:
            place.stay(self.shape, templates=True)

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        form = Form(templates=True)
        return form.of(self.shape) if self.whole else self.shape.schema(form)


@dataclass(frozen=True, slots=True)
class Lazy:
    """A shape by its name in the definitions given to `check` and `json_schema`: for recursive shapes."""

    name: str
    what: str = "a mapping"

    def inspect(self, place: Place) -> None:
        """Go on with the named shape."""
        place.stay(place.survey.definitions[self.name])

    def schema(self, _form: Form, /) -> dict[str, Value]:
        """Return a reference."""
        return {"$ref": f"#/definitions/{self.name}"}
