"""A resource, of a type of ours or of a provider that the stack declares.

Which shape it has hangs on two keys: its type, and the provider that it names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Final

from dirigent.lang.shape import ByValue, Form, Place, Shape, nearest, shortened
from dirigent.lang.stack.outside.looking import KINDS, Looked, check_one, looked_up, refuse_undeclared
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
        if looks is not None and looks.kind != "read":
            self._lent(place, looks, _text(entry.get("provider")))
            return
        reads = entry.get("read") if "type" not in entry else None
        kind, named = reads or entry.get("type"), _text(entry.get("provider"))
        name = _text(kind)
        if kind is None or name is None:
            place.stay(self._ours(""))
            return
        provider = provider_of(name, named, self.provided.declared)
        if reads is not None and (named is not None or provider in self.provided.declared):
            # What can be looked up is another list than that of types: its provider has the word.
            place.stay(self._made("<", name, ANYTHING))
        elif provider not in self.provided.declared:
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

    def _lent(self, place: Place, looks: Looked, named: str | None) -> None:
        """Go on with what is opened or called: its provider has the word, but must be declared (E1441)."""
        place.stay(self._made("<", looks.name, ANYTHING))
        if named is None and not provider_of(looks.type, None, self.provided.declared):
            refuse_undeclared(place, looks, self.provided.declared)

    def schema(self, form: Form, /) -> dict[str, Value]:
        """Return the JSON Schema: every type of ours and of every provider that is known."""
        every = {
            name: shape for offer in self.provided.offers.values() for name, shape in offer.types.items()
        }
        known = len(self.provided.offers) == len(self.provided.declared)
        shapes = {name: self.build(name, shape) for name, shape in {**every, **self.own}.items()}
        anything = self.build("", ANYTHING)
        written = ByValue("type", shapes, None if known else anything).schema(form)
        if not self.provided.declared:
            return written
        looks: list[Value] = [{"required": [kind]} for kind in KINDS]
        return {"if": {"anyOf": looks}, "then": form.of(anything), "else": written}

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
