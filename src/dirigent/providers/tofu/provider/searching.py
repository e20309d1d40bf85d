"""A creation in doubt, looked for in what its provider lists.

Rule: only what has the whole identity that is wanted is taken for the object, and only a whole listing
says that there is none. What merely looks like it is shown to a person.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.providers.tofu.lifecycle.listing import Listed, Listing, listed
from dirigent.providers.tofu.lifecycle.session import Refused, Session
from dirigent.providers.tofu.process.connection import CallBroken, CallUnknown
from dirigent.providers.tofu.provider.conversation import Conversation
from dirigent.providers.tofu.provider.secrecy import Secrecy
from dirigent.providers.tofu.provider.words import failure
from dirigent.providers.tofu.schema.configuration import configured
from dirigent.providers.tofu.schema.shape import Block
from dirigent.providers.tofu.values.paths import Misfit

_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Search:
    """What a listing says: under which `identity` the object stands, or that it is `absent`, or neither.

    `alike` are objects that may be it; `why` says why nothing is certain.
    """

    identity: dict[str, Value] | None = None
    absent: bool = False
    alike: tuple[Listed, ...] = ()
    why: str = ""

    def shown(self, secrecy: Secrecy) -> dict[str, Value]:
        """Return what a person may see of the candidates."""
        if not self.alike:
            return {}
        return {"alike": [secrecy.withheld(_text(each)) for each in self.alike[:_SHOWN]]}


async def searched(talk: Conversation, type_name: str, given: Mapping[str, Value]) -> Search:
    """Look for an object of this configuration in what the provider lists of its type."""
    schemas = await talk.schemas()
    lists = schemas.lists.get(type_name)
    if lists is None:
        return Search(
            why="Its provider cannot say without its id: declare `lifecycle.identity` to have such a case"
            " looked up"
        )
    wanted, missing = asked(lists.block, given)
    if missing:
        return Search(why=f"Its provider lists the type only by {missing}, which the configuration lacks")

    async def look(session: Session) -> tuple[Listing, Mapping[str, Value], bool]:
        whole = session.identities.get(type_name)
        parts = {
            name: given[name]
            for name in (whole.kind.members if whole is not None else {})
            if isinstance(given.get(name), str | int | float)
        }
        named = whole is not None and bool(parts) and set(whole.required) <= parts.keys()
        return await listed(session, type_name, wanted), parts, named

    try:
        listing, parts, named = await talk.ask(look)
    except Refused as refused:
        return Search(why=f"It could not be listed: {failure(refused.said, talk.secrecy)}")
    except (CallBroken, CallUnknown, Misfit, json.JSONDecodeError) as broken:
        return Search(why=talk.secrecy.withheld(f"It could not be listed: {broken}"))
    return judged(listing, parts, named=named)


def judged(listing: Listing, parts: Mapping[str, Value], *, named: bool) -> Search:
    """Return what a listing says of an object. `named` says that `parts` are all that its identity needs."""
    alike = tuple(each for each in listing.objects if parts and fits(each.identity, parts))
    if named and len(alike) == 1:
        return Search(alike[0].identity)
    if named and not alike and listing.whole:
        return Search(absent=True)
    if not listing.whole:
        why = f"Its provider lists more than {len(listing.objects)} objects, so not all were looked at"
    elif alike:
        why = f"Its provider lists {len(alike)} that may be it"
    else:
        why = f"Its provider lists {len(listing.objects)}, and by the configuration none can be told to be it"
    return Search(alike=alike, why=why)


def fits(identity: Mapping[str, Value] | None, parts: Mapping[str, Value]) -> bool:
    """Return whether an identity has these members."""
    return identity is not None and all(identity.get(name) == value for name, value in parts.items())


def asked(block: Block, given: Mapping[str, Value]) -> tuple[dict[str, Value], str]:
    """Return how to ask for a list: what must be known is in the configuration, or lacking."""
    needs = {name: given.get(name) for name, each in block.attributes.items() if each.required}
    found, odd = configured(block, {name: value for name, value in needs.items() if value is not None})
    return found, ", ".join(f"`{each.path[0]}`" for each in odd if each.path)


def _text(each: Listed) -> str:
    under = json.dumps(each.identity, default=str) if each.identity is not None else ""
    return " ".join(filter(None, [each.name, under]))
