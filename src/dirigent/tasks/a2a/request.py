"""The recorded request of an A2A call, read and checked for shape. Pure."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from dirigent.model import limits
from dirigent.model.duration import seconds_of
from dirigent.model.ids import EffectId
from dirigent.model.protocols import a2a
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.http.failure import malformed

MESSAGES: Final = frozenset({"message/send", "message/stream"})
STREAMING: Final = frozenset({"message/stream", "tasks/resubscribe"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """One call. `server` is None when the card says where the agent is."""

    method: str
    params: Value
    server: str | None
    seconds: float = limits.RPC_TOTAL_SECONDS

    @property
    def unsafe(self) -> bool:
        """Return whether a second call could have a second effect: a second message is a second wish."""
        return self.method in MESSAGES

    @property
    def streaming(self) -> bool:
        """Return whether the answer is a list of what comes."""
        return self.method in STREAMING


def wanted_of(request: dict[str, Value], key: EffectId) -> Wanted:
    """Return the call of a request, or raise `CallFailed` naming what is wrong with it.

    A message without an id gets one that is made of the effect's, the same on every attempt.
    """
    method, server, card = request.get("method"), request.get("server"), request.get("agentCard")
    if not isinstance(method, str) or method not in a2a.METHODS:
        raise malformed(f"`{method}` is not a method of A2A: {', '.join(a2a.METHODS)}")
    if card is None and (not isinstance(server, str) or not server):
        raise malformed("either `agentCard` or `server` must say where the agent is")
    params = request.get("parameters")
    if params is not None and not isinstance(params, dict):
        raise malformed("`parameters` must be an object")
    try:
        given = request.get("timeout")
        seconds = limits.RPC_TOTAL_SECONDS if given is None else seconds_of(given)
    except ValueError as error:
        raise malformed(f"`timeout`: {error}") from None
    whole = _with_message(params or {}, key) if method in MESSAGES else params
    return Wanted(method, whole, server if card is None and isinstance(server, str) else None, seconds)


def _with_message(params: dict[str, Value], key: EffectId) -> dict[str, Value]:
    message = params.get("message")
    if not isinstance(message, dict):
        raise malformed("a message needs `parameters.message`, an object")
    defaults: dict[str, Value] = {"kind": "message", "messageId": str(UUID(key)), "role": "user"}
    return {**params, "message": {**defaults, **message}}
