"""The type of an attribute as a shape: a scalar fits where OpenTofu's conversion takes it."""

from __future__ import annotations

from typing import Final

from dirigent.lang.shape import Form, Place, described, nearest, shortened
from dirigent.lang.shape.outline import ANY_TEXT, Outline
from dirigent.lang.shape.scalars import wrong_type
from dirigent.lang.tree import Items, Leaf, Members, Node
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.providers.tofu.values.conversion import converted
from dirigent.providers.tofu.values.paths import Misfit
from dirigent.providers.tofu.values.types import DYNAMIC, Collection, Kind, Primitive, Row, Structure, Type

_WORDS: Final = {
    Primitive.STRING: "text",
    Primitive.NUMBER: "a number",
    Primitive.BOOL: "`true` or `false`",
    Primitive.DYNAMIC: "any value",
}
_PLURALS: Final = {
    Primitive.STRING: "texts",
    Primitive.NUMBER: "numbers",
    Primitive.BOOL: "flags",
    Primitive.DYNAMIC: "any values",
}
# Nothing may stand in the place of every value: it is then left to the provider.
_SCHEMAS: Final[dict[Primitive, dict[str, Value]]] = {
    # An expression is a text: what takes texts needs no alternative for it.
    Primitive.STRING: {"anyOf": [{"type": ["string", "number", "boolean", "null"]}]},
    Primitive.NUMBER: {"anyOf": [{"type": ["number", "string", "null"]}]},
    Primitive.BOOL: {"enum": [True, False, "true", "false", "1", "0", None]},
    Primitive.DYNAMIC: {},
}
_EXAMPLES: Final[dict[Primitive, Value]] = {
    Primitive.STRING: ANY_TEXT,
    Primitive.NUMBER: 1,
    Primitive.BOOL: True,
    Primitive.DYNAMIC: ANY_TEXT,
}


@dataclass(frozen=True, slots=True)
class TypedShape:
    """A value of a type."""

    type: Type

    @property
    def what(self) -> str:
        """Return the type in words."""
        return words_of(self.type)

    def inspect(self, place: Place) -> None:
        """Report what cannot become a value of the type (E1201, E1203); ask for the parts."""
        node = place.node
        if isinstance(node, Leaf) and node.value is None:
            return
        match self.type, node:
            case Primitive() as kind, _:
                self._primitive(place, kind, node)
            case Collection(Kind.MAP, element), Members():
                inner = TypedShape(element)
                for member in node:
                    place.enter(member.key, member.node, inner, member.key_span)
            case Collection(Kind.LIST | Kind.SET, element), Items(items):
                inner = TypedShape(element)
                for index, item in enumerate(items):
                    place.enter(f"[{index}]", item, inner, item.span.beginning)
            case Structure(), Members():
                self._members(place, self.type, node)
            case Row(kinds), Items(items) if len(kinds) == len(items):
                for index, (item, given) in enumerate(zip(items, kinds, strict=True)):
                    place.enter(f"[{index}]", item, TypedShape(given), item.span.beginning)
            case _:
                complain(place, self.what)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema."""
        match self.type:
            case Primitive():
                return dict(_SCHEMAS[self.type])
            case Collection(Kind.MAP, element):
                return {"type": ["object", "null"], "additionalProperties": form.of(TypedShape(element))}
            case Collection(_, element):
                return {"type": ["array", "null"], "items": form.of(TypedShape(element))}
            case Structure(members):
                known: dict[str, Value] = {name: form.of(TypedShape(each)) for name, each in members.items()}
                return {"type": ["object", "null"], "properties": known, "additionalProperties": False}
            case Row(kinds):
                row: list[Value] = [form.of(TypedShape(each)) for each in kinds]
                placed: dict[str, Value] = {"items": row, "minItems": len(row)} if row else {}
                return {"type": ["array", "null"], **placed, "maxItems": len(row)}

    def outlines(self) -> tuple[Outline, ...]:
        """Return the members of an object, or of the objects in a collection."""
        match self.type:
            case Collection(_, element):
                return TypedShape(element).outlines()
            case Structure(members):
                shapes = {name: TypedShape(each) for name, each in members.items()}
                return tuple(
                    Outline(name, each.what, ("optional",), inside=each.outlines(), example=each.example())
                    for name, each in shapes.items()
                )
            case _:
                return ()

    def example(self) -> Value:
        """Return the least that fits, where it would show nothing, with one element."""
        match self.type:
            case Primitive():
                return _EXAMPLES[self.type]
            case Collection(Kind.MAP, element):
                return {"name": TypedShape(element).example()}
            case Collection(_, element):
                return [TypedShape(element).example()]
            case Structure(members):
                return {name: TypedShape(each).example() for name, each in members.items()}
            case Row(kinds):
                return [TypedShape(each).example() for each in kinds]

    def _primitive(self, place: Place, kind: Primitive, node: Node) -> None:
        if kind is DYNAMIC:
            return
        if not isinstance(node, Leaf):
            complain(place, self.what)
            return
        try:
            converted(node.value, kind)
        except Misfit:
            complain(place, self.what)

    def _members(self, place: Place, given: Structure, node: Members) -> None:
        for member in node:
            if member.key in given.members:
                place.enter(member.key, member.node, TypedShape(given.members[member.key]), member.key_span)
                continue
            meant = nearest(member.key, [name for name in given.members if name not in node.members])
            known = f"known: {', '.join(given.members)}" if given.members else "no key is known here"
            place.report(
                "E1203",
                f"unknown property `{shortened(member.key)}` in {place.title}",
                member.key_span,
                f"did you mean `{meant}`?" if meant else "unknown",
                (f"change it to `{meant}`", known) if meant else (known,),
            )


def words_of(given: Type) -> str:
    """Return a type in words, as messages have it."""
    match given:
        case Primitive():
            return _WORDS[given]
        case Collection(Kind.MAP, element):
            return f"a mapping from names to {_plural(element)}"
        case Collection(Kind.SET, element):
            return f"a list of {_plural(element)}, in any order"
        case Collection(_, element):
            return f"a list of {_plural(element)}"
        case Structure(members):
            return f"a mapping with {', '.join(f'`{name}`' for name in members)}" if members else "a mapping"
        case Row(kinds):
            return f"a list of {len(kinds)} values" if kinds else "an empty list"


def _plural(given: Type) -> str:
    match given:
        case Primitive():
            return _PLURALS[given]
        case Collection(Kind.MAP, _) | Structure():
            return "mappings"
        case _:
            return "lists"


def complain(place: Place, what: str) -> None:
    """Report that something else stands at a place than what should (E1201)."""
    node = place.node
    if isinstance(node, Members) and "choose" in node.members:
        wrong_type(place, what)
        return
    at = node.span if isinstance(node, Leaf) and node.value is not None else place.where
    remedies: tuple[str, ...] = ()
    if isinstance(node, Leaf) and node.value is not None and what.startswith("a list"):
        remedies = (f"write it as a list: `[{shortened(str(node.value))}]`",)
    place.report("E1201", f"{place.title} must be {what}, not {described(node)}", at, what, remedies)
