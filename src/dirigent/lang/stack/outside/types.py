"""A resource, of a type of ours or of a provider that the stack declares.

Which shape it has hangs on two keys: its type, and the provider that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Final

from dirigent.lang.shape import ByValue, Form, Place, Shape, nearest, shortened
from dirigent.lang.stack.outside.looking import (
    KINDS,
    Looked,
    check_one,
    looked_up,
    refuse_undeclared,
    refuse_unoffered,
)
from dirigent.lang.stack.outside.offers import ANYTHING, Offer, TypeShape
from dirigent.lang.stack.outside.providers import provider_of
from dirigent.lang.stack.outside.rules import check_rules
from dirigent.lang.tree import Leaf, Member, Members
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Value

# So many names a message shows.
SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Provided:
    """The providers of one text, each with what is known of it (None: nothing), and its place."""

    declared: Mapping[str, Span] = field(default_factory=dict)
    offers: Mapping[str, Offer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourceShape:
    """One entry of `resources`. `own` are our types, `build` makes the shape of an entry of any type."""

    own: Mapping[str, TypeShape]
    provided: Provided
    build: Callable[[str, TypeShape], Shape]
    made: dict[tuple[str, str], Shape] = field(default_factory=dict)
    what: str = "a resource, as `{type: file, with: {...}}`"

    def inspect(self, place: Place) -> None:
        """Go on with the shape of its type, or report a type that nobody has (E1414, E1425)."""
        node = place.node
        entry = node.members if isinstance(node, Members) else {}
        if isinstance(node, Members):
            check_one(place, node)
        looks = looked_up(node) if isinstance(node, Members) and "type" not in entry else None
        named = _text(entry.get("provider"))
        if looks is not None:
            self._looked(place, looks, named)
            return
        kind = entry.get("type")
        name = _text(kind)
        if kind is None or name is None:
            place.stay(self._ours(""))
            return
        provider = provider_of(name, named, self.provided.declared)
        if provider not in self.provided.declared:
            # A provider that is not declared is reported where it is named; of its types nothing is known.
            place.stay(self._made("", name, ANYTHING) if named is not None else self._ours(name))
        elif provider not in self.provided.offers:
            place.stay(self._made(provider, name, ANYTHING))
        elif (shape := self.provided.offers[provider].types.get(name)) is not None:
            place.stay(self._made(provider, name, shape))
            if isinstance(node, Members):
                check_rules(place, node, name, shape)
        else:
            self._unoffered(place, kind, name, provider)

    def _looked(self, place: Place, looks: Looked, named: str | None) -> None:
        """Go on with what is looked up, opened or called; report it where nobody has it (E1425, E1441)."""
        provider = provider_of(looks.type, named, self.provided.declared)
        offer = self.provided.offers.get(provider)
        known = offer.looks.get(looks.kind) if offer is not None else None
        shape = known.get(looks.bare) if known is not None else ANYTHING
        if shape is None and looks.kind == "call":
            # A provider may tell more functions when it is configured.
            shape = ANYTHING
        if not provider and looks.kind == "read":
            place.stay(self._ours(looks.name))
        elif shape is not None:
            place.stay(self._made(f"{looks.kind} {provider}", looks.name, shape))
            if not provider:
                refuse_undeclared(place, looks, self.provided.declared)
        elif known is not None:
            refuse_unoffered(place, looks, provider, known)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema: every type of ours and of every provider that is known."""
        offers = self.provided.offers.values()
        every = {name: shape for offer in offers for name, shape in offer.types.items()}
        known = len(self.provided.offers) == len(self.provided.declared)
        shapes = {name: self.build(name, shape) for name, shape in {**every, **self.own}.items()}
        anything = self.build("", ANYTHING)
        written = ByValue("type", shapes, None if known else anything).schema(form)
        if not self.provided.declared:
            return written
        told: dict[str, Shape] = {look: self._told(look, whole=known) for look in KINDS}
        looks: list[Value] = [{"required": [look]} for look in KINDS]
        branches: list[Value] = [
            {"if": {"required": [look]}, "then": shape.schema(form)} for look, shape in told.items()
        ]
        return {"if": {"anyOf": looks}, "then": {"allOf": branches}, "else": written}

    def _told(self, look: str, *, whole: bool) -> Shape:
        """Return the shape of an entry that looks up, opens or calls something; `whole` if all is known."""
        shapes = {
            f"{provider}::{bare}" if look == "call" else bare: shape
            for provider, offer in self.provided.offers.items()
            for bare, shape in offer.looks.get(look, {}).items()
        }
        # A function may be called by another name of its provider, too.
        whole = whole and look != "call" and all(look in each.looks for each in self.provided.offers.values())
        built = {name: self.build(name, shape) for name, shape in shapes.items()}
        anything = self.build("", ANYTHING)
        return ByValue(look, built, None if whole else anything) if built else anything

    def _ours(self, name: str) -> Shape:
        """Return what tells our types apart. A name that none has may be one of a provider, misspelt."""
        theirs = [kind for offer in self.provided.offers.values() for kind in offer.types]
        meant = nearest(name, theirs) if theirs and name not in self.own else None
        return ByValue(
            "type",
            {name: self._made("", name, shape) for name, shape in self.own.items()},
            code="E1414",
            remedy=f"or write `{meant}`"
            if meant
            else "or declare the provider of that type under `providers`",
            what=self.what,
        )

    def _made(self, provider: str, name: str, shape: TypeShape) -> Shape:
        if (provider, name) not in self.made:
            self.made[provider, name] = self.build(name, shape)
        return self.made[provider, name]

    def _unoffered(self, place: Place, kind: Member, name: str, provider: str) -> None:
        known = tuple(self.provided.offers[provider].types)
        meant = nearest(name, known)
        listed = ", ".join(known[:SHOWN]) + (f" and {len(known) - SHOWN} more" if len(known) > SHOWN else "")
        if name in self.own:
            remedies: tuple[str, ...] = (f"`{name}` is a type of Dirigent's own: remove `provider`",)
        elif meant:
            remedies = (f"change it to `{meant}`",)
        else:
            remedies = (f"it has: {listed}" if known else "it has no types of resources",)
        place.report(
            "E1425",
            f"the provider `{provider}` has no type `{shortened(name)}`",
            kind.node.span,
            f"did you mean `{meant}`?" if meant and name not in self.own else "unknown type",
            (*remedies, "`dirigent explain` lists all types of this stack"),
        )


def _text(member: Member | None) -> str | None:
    node = member.node if member is not None else None
    return node.value if isinstance(node, Leaf) and isinstance(node.value, str) else None
