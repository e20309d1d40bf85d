"""An object of another type, be it another provider's, becomes one of ours: what its row is then.

Rule: what was sealed before is sealed after, whatever the schema of the new type says of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.resource import ResourceRow
from dirigent.model.values import Value, has_unknown
from dirigent.ports.resources import Reading
from dirigent.providers.tofu.lifecycle.moving import Former, received
from dirigent.providers.tofu.lifecycle.session import Misconfigured, Refused
from dirigent.providers.tofu.provider.conversation import Conversation
from dirigent.providers.tofu.provider.inventory import declared
from dirigent.providers.tofu.provider.rows import kept_from, kept_of, standing_of
from dirigent.providers.tofu.provider.words import broken, failure
from dirigent.providers.tofu.schema.reading import Schemas
from dirigent.providers.tofu.schema.shape import Block, implied
from dirigent.providers.tofu.values.stored import stored

_ANEW: Final = "take the entry out of `moved` to have the former deleted and the new one made"


async def received_by(talk: Conversation, row: ResourceRow, type_name: str) -> Reading:
    """Return what a row comes to as one of a type. Raises as `ports.importing.Receiving` says."""
    offered = await talk.schemas()
    schema = await talk.schema(type_name)
    what = f"`{row.address}`, a `{row.type}`, cannot become a `{type_name}`"
    if not offered.moves:
        raise refuse(
            "E2017",
            f"{what}: the provider `{talk.name}` takes over nothing of another type",
            "a newer release of the provider may",
            f"or let go of it with `dirigent forget '{row.address}'`, and import what stands",
            _ANEW,
        )
    if talk.deferred:
        raise refuse(
            "E2033",
            f"{what} before its provider `{talk.name}` can be configured",
            "bring up first what the configuration of the provider hangs on",
        )
    former = _former(talk, row, offered)
    try:
        found = await talk.ask(lambda session: received(session, former, type_name))
    except Misconfigured:
        raise
    except Refused as refused:
        words = failure(refused.said, talk.secrecy)
        raise Refusal(
            [Problem("E2032", f"{what}: {words}", help=(f"so says `{talk.name}`", _ANEW))]
        ) from None
    if found is None or has_unknown(found.state):
        said = "nothing" if found is None else "values that are not known"
        raise broken("E3017", f"{what}: the provider `{talk.name}` did not refuse, and answered with {said}")
    attributes = talk.secrecy.hide(schema.block, found.state)
    private = kept_from(found, talk.program.source, schema.version).written(talk.secrecy)
    applied = talk.secrecy.conceal(schema.block, _applied(schema.block, row, attributes))
    return Reading(attributes, applied, private=private)


def _former(talk: Conversation, row: ResourceRow, offered: Schemas) -> Former:
    """Return an object as its state holds it. All that was sealed of it is known as a secret from now on."""
    kept = kept_of(row, talk.secrecy)
    standing = standing_of(row, kept, talk.secrecy)
    if kept.source == talk.program.source and row.type in offered.resources:
        # Only by its schema it is known where a value of any type stands.
        state = stored(standing.state, implied(offered.resources[row.type].block))
        standing = replace(standing, state=state if isinstance(state, dict) else {})
    return Former(kept.source, row.type, kept.version, standing)


def _applied(block: Block, row: ResourceRow, attributes: dict[str, Value]) -> dict[str, Value]:
    """Return by what configuration an object would stand as it does: what was or must have been set."""
    found = declared(block, attributes)
    for name, each in block.attributes.items():
        set_by_user = each.settable and not each.write_only and (not each.computed or name in row.config)
        if set_by_user and each.nested is None and attributes.get(name) is not None:
            found[name] = attributes[name]
        elif set_by_user and name in row.config:
            found[name] = row.config[name]
    return found
