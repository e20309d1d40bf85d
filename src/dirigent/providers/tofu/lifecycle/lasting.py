"""The calls about what is opened for a while and never stored: ephemeral resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from google.protobuf.message import Message

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.providers.tofu.lifecycle.session import Session, members_of, sound
from dirigent.providers.tofu.process.connection import CallUnknown
from dirigent.providers.tofu.schema.shape import implied
from dirigent.providers.tofu.values.coding import encode
from dirigent.providers.tofu.values.paths import Misfit
from dirigent.providers.tofu.wire import calls
from dirigent.providers.tofu.wire.diagnostics import Diagnostic, diagnostics_of

_NANOS: Final = 1e9


@dataclass(frozen=True, slots=True)
class Opening:
    """What was opened: its values, bytes for its provider, and when to renew it (seconds, 0: never)."""

    type: str
    result: dict[str, Value]
    private: bytes = b""
    renew_at: float = 0.0
    said: tuple[Diagnostic, ...] = ()


async def check(session: Session, name: str, config: Mapping[str, Value]) -> tuple[Diagnostic, ...]:
    """Let a configuration be checked; unknown values are allowed. Raises `Refused`."""
    try:
        return sound(await session.connection.call(calls.VALIDATE_EPHEMERAL, _request(session, name, config)))
    except CallUnknown:
        return ()


async def begin(session: Session, name: str, config: Mapping[str, Value]) -> Opening:
    """Open something. Raises `Misfit` when what came of it does not fit its schema.

    It is open only if nothing that is said is severe; a result may stand beside an error all the same.
    """
    answer = await session.connection.call(calls.OPEN, _request(session, name, config))
    said = diagnostics_of(answer.diagnostics)
    result = members_of(answer.result, implied(session.schemas.ephemerals[name].block))
    if result is None and not any(each.severe for each in said):
        raise Misfit((), f"`{name}` was opened without a result")
    return Opening(name, result or {}, bytes(answer.private), _seconds(answer.renew_at), said)


async def renew(session: Session, opening: Opening) -> Opening:
    """Have something last longer; its values stay what they are. Raises `Refused`."""
    answer = await session.connection.call(calls.RENEW, _known(session, opening))
    said = sound(answer)
    private = bytes(answer.private) or opening.private
    return Opening(opening.type, opening.result, private, _seconds(answer.renew_at), said)


async def end(session: Session, opening: Opening) -> tuple[Diagnostic, ...]:
    """Close something. Raises `Refused`."""
    return sound(await session.connection.call(calls.CLOSE, _known(session, opening)))


def _request(session: Session, name: str, config: Mapping[str, Value]) -> Message:
    request = session.connection.message("ValidateConfig.Request")
    request.type_name = name
    request.config.msgpack = encode(dict(config), implied(session.schemas.ephemerals[name].block))
    return request


def _known(session: Session, opening: Opening) -> Message:
    request = session.connection.message("EphemeralResource.Request")
    request.type_name = opening.type
    request.private = opening.private
    return request


def _seconds(timestamp: Message) -> float:
    return float(timestamp.seconds) + float(timestamp.nanos) / _NANOS
