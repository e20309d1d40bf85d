"""What a provider knows of a type, listed: identities, and whole objects where they are wanted.

A listing has an end whatever the provider does: so many objects, so many bytes, so many seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing, suppress

from google.protobuf.message import Message

from dirigent.model import limits
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.providers.tofu.lifecycle.session import Refused, Session, members_of, sound
from dirigent.providers.tofu.process.connection import CallUnknown
from dirigent.providers.tofu.schema.shape import implied
from dirigent.providers.tofu.values.coding import encode
from dirigent.providers.tofu.wire import calls
from dirigent.providers.tofu.wire.diagnostics import diagnostics_of


@dataclass(frozen=True, slots=True)
class Listed:
    """One object. `name` is what the provider calls it; `state` None was not told."""

    identity: dict[str, Value] | None = None
    name: str = ""
    state: dict[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What was listed; `whole` says that there is nothing beyond it."""

    objects: tuple[Listed, ...] = ()
    whole: bool = True


async def listed(
    session: Session,
    name: str,
    config: Mapping[str, Value],
    *,
    objects: bool = False,
    most: int = limits.PROVIDER_LISTED,
) -> Listing:
    """Return what a provider lists of a type, at most so many; with `objects` with their states.

    Raises `Refused`, `CallBroken`, `CallUnknown`, `Misfit`.
    """
    connection = session.connection
    content = encode(dict(config), implied(session.schemas.lists[name].block))
    check = connection.message("ValidateListConfig.Request")
    check.type_name, check.config.msgpack = name, content
    with suppress(CallUnknown):
        sound(await connection.call(calls.VALIDATE_LIST, check, limits.PROVIDER_LISTED_SECONDS))
    request = connection.message("ListResource.Request")
    request.type_name, request.config.msgpack = name, content
    request.include_resource_object = objects
    # One more is asked for, so that it shows whether there is more.
    request.limit = most + 1
    found: list[Listed] = []
    seen = size = 0
    stream = connection.stream(calls.LIST, request, limits.PROVIDER_LISTED_SECONDS)
    async with aclosing(stream) as events:
        async for event in events:
            seen, size = seen + 1, size + event.ByteSize()
            if seen > most or size > limits.PROVIDER_LISTED_BYTES:
                return Listing(tuple(found), whole=False)
            each = _listed(session, name, event)
            if each is not None:
                found.append(each)
    return Listing(tuple(found))


def _listed(session: Session, name: str, event: Message) -> Listed | None:
    said = diagnostics_of(event.diagnostic)
    if any(each.severe for each in said):
        raise Refused(said)
    schema = session.identities.get(name)
    identity = members_of(event.identity.identity_data, schema.kind) if schema is not None else None
    state = members_of(event.resource_object, implied(session.schema(name).block))
    if identity is None and state is None:
        return None
    return Listed(identity, str(event.display_name), state)
