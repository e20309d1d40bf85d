"""The call by which a provider takes an object of another type as one of its own."""

from __future__ import annotations

import json

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.providers.tofu.lifecycle.session import Session, Standing, members_of, sound
from dirigent.providers.tofu.schema.shape import implied
from dirigent.providers.tofu.wire import calls


@dataclass(frozen=True, slots=True)
class Former:
    """An object of another type: who managed it (`source`), and its state as its JSON holds it."""

    source: str
    type: str
    version: int
    standing: Standing


async def received(session: Session, former: Former, name: str) -> Standing | None:
    """Return an object as one of the type `name`, None where the provider says nothing. Raises `Refused`."""
    request = session.connection.message("MoveResourceState.Request")
    request.source_provider_address = former.source
    request.source_type_name = former.type
    request.source_schema_version = former.version
    request.source_state.json = json.dumps(former.standing.state).encode()
    request.source_private = former.standing.private
    if former.standing.identity is not None:
        request.source_identity.json = json.dumps(former.standing.identity).encode()
        request.source_identity_schema_version = former.standing.identity_version
    request.target_type_name = name
    answer = await session.connection.call(calls.MOVE, request)
    sound(answer)
    state = members_of(answer.target_state, implied(session.schema(name).block))
    if state is None:
        return None
    schema = session.identities.get(name)
    identity: dict[str, Value] | None = None
    if schema is not None:
        identity = members_of(answer.target_identity.identity_data, schema.kind)
    version = schema.version if schema is not None and identity is not None else 0
    return Standing(state, bytes(answer.target_private), identity, version)
