"""What the providers of a text offer, and what can be said of their entries because of it."""

from __future__ import annotations

from dataclasses import replace

from dirigent.lang.shape import check
from dirigent.lang.stack.outside.offers import Offer
from dirigent.lang.stack.outside.providers import declared_in
from dirigent.lang.stack.outside.types import Provided
from dirigent.lang.stack.reading import Reading, keys_of, mapping_of
from dirigent.lang.tree import Member, Members
from dirigent.model.resource import MODULE_TYPE


def read_offers(reading: Reading, found: Members | None) -> Provided:
    """Return what is known of the providers of a text.

    Reports a name that a type of ours has (E1424), what the reader was told of a provider that nobody knows,
    and what does not fit into the configuration of one that is known.
    """
    places = keys_of(found)
    if found is None or not places:
        return Provided()
    for member in found:
        _check_name(reading, member)
    known = reading.context.offers(declared_in(found))
    offers: dict[str, Offer] = {}
    for member in found:
        offer = known.get(member.key)
        if isinstance(offer, Offer):
            offers[member.key] = offer
            _check_setup(reading, member, offer)
        elif offer is not None:
            reading.report(replace(offer, at=offer.at or member.key_span))
    return Provided(places, offers)


def _check_name(reading: Reading, member: Member) -> None:
    if member.key in reading.context.types or member.key == MODULE_TYPE:
        reading.complain(
            "E1424",
            f"`{member.key}` cannot be the name of a provider: it is a type of Dirigent's own",
            member.key_span,
            "taken",
            f"take another name, as `{member.key}-1`, and write `provider: {member.key}-1` at its resources",
        )


def _check_setup(reading: Reading, member: Member, offer: Offer) -> None:
    entry = mapping_of(member.node)
    place = entry.members.get("with") if entry is not None else None
    # Anything but a mapping is reported by the shape of the section.
    if place is not None and isinstance(place.node, Members):
        path = f"providers.{member.key}.with"
        check(place.node, offer.setup, reading.problems, path=path, templates=True)
