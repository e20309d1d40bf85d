"""One message posted to a server, and the messages that come back: as JSON, or as a stream of events.

Rule: what is shown of an answer is redacted whole before it is cut.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from dirigent.model import limits
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.ports import Vault
from dirigent.tasks.http.answer import excerpt, phrase, text_of
from dirigent.tasks.http.client import Arriving, Client, Headers, Outgoing
from dirigent.tasks.http.failure import CallFailed, broken
from dirigent.tasks.http.message import is_json
from dirigent.tasks.rpc.message import messages_of
from dirigent.tasks.rpc.stream import EventStream

ACCEPT: Final = "application/json, text/event-stream"
EVENTS: Final = "text/event-stream"
ACCEPTED: Final = 202
NO_CONTENT: Final = 204
FAILURES_FROM: Final = 300
# A gateway speaks: the server behind it may have got the message.
UNCERTAIN: Final = frozenset({502, 504})

Take: TypeAlias = Callable[[dict[str, Value]], Awaitable[bool]]
"""Takes a message, and says whether it was the last that is wanted."""


@dataclass(frozen=True, slots=True)
class Route:
    """By which client, to which declared hosts, for how long at most. `vault` redacts what is shown."""

    client: Client
    vault: Vault
    hosts: tuple[str, ...]
    seconds: float = limits.RPC_TOTAL_SECONDS


async def post(route: Route, outgoing: Outgoing, take: Take) -> Headers:
    """Send, give every message of the answer to `take` until it has what it wants; return the headers.

    Raises `CallFailed`: no success and no JSON-RPC in it, or an answer that is neither JSON nor events.
    """
    async with route.client.opened(outgoing, route.hosts, route.seconds) as arriving:
        media = arriving.header("content-type").partition(";")[0].strip().lower()
        if arriving.status in {ACCEPTED, NO_CONTENT}:
            return arriving.headers
        if media == EVENTS and arriving.status < FAILURES_FROM:
            await _streamed(arriving, take)
            return arriving.headers
        body = b"".join([chunk async for chunk in arriving.chunks])
        if not is_json(media) or (arriving.status >= FAILURES_FROM and b'"jsonrpc"' not in body):
            raise _refused(route, arriving, body, media)
        for message in messages_of(body, arriving.url):
            if await take(message):
                break
        return arriving.headers


async def _streamed(arriving: Arriving, take: Take) -> None:
    events = EventStream()
    async for chunk in arriving.chunks:
        for event in events.feed(chunk):
            for message in messages_of(event, arriving.url):
                if await take(message):
                    return


def _refused(route: Route, arriving: Arriving, body: bytes, media: str) -> CallFailed:
    status = arriving.status
    if status < FAILURES_FROM:
        words = f"`{media}`" if media else "nothing"
        return broken(f"`{arriving.url}` answered {phrase(status)} with {words}, not with JSON or events")
    shown = excerpt(str(route.vault.redact(text_of(body, ""))))
    detail = f"`{arriving.url}` answered {phrase(status)}" + (f": {shown}" if shown else "")
    return CallFailed(Fault(COMMUNICATION, status, phrase(status), detail), sent=status in UNCERTAIN)
