"""The endpoint where events come in over HTTP: it answers when they are durable, and knows nothing else.

Law: what is answered with 2xx is in the log. Who gets no answer sends again; the log knows the event.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from aiohttp import web

from dirigent.model import limits
from dirigent.model.events.listening import Event
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass

# What a store says of a sender's events, and what the fault of the sender is.
UNAUTHORIZED: Final = 401
OF_THE_SENDER: Final = "E41"
TOO_LARGE: Final = frozenset({"E4101", "E4104"})

Take: TypeAlias = Callable[[Sequence[Event]], Awaitable[list[bool]]]
Decode: TypeAlias = Callable[[Mapping[str, str], bytes], list[Event]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`decode` makes events of a request, `take` makes them durable. With a `token` nobody else may send."""

    decode: Decode
    take: Take
    token: str = ""

    async def receive(self, request: web.Request) -> web.Response:
        """Take the events of one request in."""
        if self.token and not _allowed(request.headers.get("Authorization", ""), self.token):
            return _told(UNAUTHORIZED, "E4105", "this endpoint takes events from who sends its token", ())
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            words = f"a request may have {limits.EVENTS_REQUEST_BYTES} bytes"
            return _told(413, "E4104", words, ("send the events in several requests",))
        try:
            found = self.decode({name.lower(): value for name, value in request.headers.items()}, body)
            fresh = await self.take(found)
        except Refusal as refusal:
            problem = refusal.problems[0]
            status = 503
            if problem.code.startswith(OF_THE_SENDER):
                status = 413 if problem.code in TOO_LARGE else 400
            return _told(status, problem.code, problem.message, problem.help)
        return web.json_response({"taken": sum(fresh), "known": len(fresh) - sum(fresh)}, status=202)


@asynccontextmanager
async def opened(endpoint: Endpoint, host: str, port: int) -> AsyncIterator[str]:
    """Take events in at an address while the block runs; yields the URL. Raises `Refusal` (E4106)."""
    app = web.Application(client_max_size=limits.EVENTS_REQUEST_BYTES)
    app.router.add_post("/", endpoint.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as failure:
            raise refuse(
                "E4106",
                f"events cannot be taken in at `{host}:{port}`: {failure.strerror or failure}",
                "name another address with `--events HOST:PORT`; port 0 takes a free one",
            ) from None
        where = runner.addresses[0]
        shown = f"[{where[0]}]" if ":" in str(where[0]) else where[0]
        yield f"http://{shown}:{where[1]}/"
    finally:
        await runner.cleanup()


def _allowed(given: str, token: str) -> bool:
    scheme, _, shown = given.partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())


def _told(status: int, code: str, message: str, remedies: Sequence[str]) -> web.Response:
    """Return a refusal as the senders of HTTP read it (RFC 9457)."""
    problem = {"status": status, "title": message, "code": code, "help": list(remedies)}
    headers = {"WWW-Authenticate": "Bearer"} if status == UNAUTHORIZED else {}
    return web.json_response(problem, status=status, headers=headers, content_type="application/problem+json")
