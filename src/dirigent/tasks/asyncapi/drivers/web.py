"""HTTP and WebSocket: a message is a request, or a frame; messages in are lines or events, or frames.

Neither acknowledges: what came in and was not recorded is lost with the engine.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from dirigent.model import limits
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.values import Value
from dirigent.tasks.asyncapi.request import Outbound
from dirigent.tasks.asyncapi.site import JSON, Site, Subscription, content_of, inbound
from dirigent.tasks.http import answer
from dirigent.tasks.http.authentication import Digest, header_of
from dirigent.tasks.http.client import Arriving, Outgoing, session_to
from dirigent.tasks.http.failure import CallFailed, broken
from dirigent.tasks.http.message import KEY_HEADER
from dirigent.tasks.rpc.stream import EventStream

FAILURES_FROM = 300


class _Taken:
    """What cannot be acknowledged is settled when it is taken."""

    async def drop(self) -> None:
        """Nothing to say to the server."""

    async def settle(self) -> None:
        """Nothing to say to the server."""

    async def end(self) -> None:
        """Nothing to say to the server."""

    @property
    def lasting(self) -> bool:
        """Return that nobody keeps anything."""
        return False

    @property
    def cursor(self) -> Value:
        """Return nothing: the messages have no places."""
        return None


class HttpDriver:
    """Fits `site.Driver`."""

    async def send(self, site: Site, message: Outbound) -> Value:
        """Post the message, and return what the server answers."""
        method = str(site.place.bindings.get("method") or "POST").upper()
        outgoing = _outgoing(site, method, message)
        incoming = await site.client.send(outgoing, site.hosts)
        if incoming.status >= FAILURES_FROM:
            raise _refused(incoming.status, answer.text_of(incoming.body, ""))
        return answer.content_of(incoming)

    @asynccontextmanager
    async def subscribed(self, site: Site) -> AsyncIterator[Subscription]:
        """Get the address, and take its answer as it comes: events, or a message a line."""
        method = str(site.place.bindings.get("method") or "GET").upper()
        outgoing = _outgoing(site, method, None)
        async with site.client.opened(outgoing, site.hosts, limits.WAIT_SECONDS) as arriving:
            if arriving.status >= FAILURES_FROM:
                raise _refused(arriving.status, "")
            yield _Stream(arriving, site.name)


class _Stream(_Taken):
    def __init__(self, arriving: Arriving, name: str) -> None:
        self._arriving = arriving
        self._name = name
        self._events = EventStream() if "event-stream" in arriving.header("content-type") else None
        self._rest = b""
        self._ready: deque[bytes] = deque()

    async def next(self) -> dict[str, Value]:
        """Return the next event or line."""
        while not self._ready:
            chunk = await anext(self._arriving.chunks, None)
            if chunk is None:
                if not self._rest.strip():
                    raise broken(f"`{self._name}` ended the stream", sent=False)
                self._ready.append(self._rest)
                self._rest = b""
            elif self._events is not None:
                self._ready.extend(self._events.feed(chunk))
            else:
                *lines, self._rest = (self._rest + chunk).split(b"\n")
                self._ready.extend(line for line in lines if line.strip())
        headers = {name.lower(): text for name, text in self._arriving.headers}
        return inbound(self._ready.popleft(), headers)


class WebSocketDriver:
    """Fits `site.Driver`."""

    async def send(self, site: Site, message: Outbound) -> Value:
        """Send one frame, and close."""
        async with _socket(site, message.headers) as socket:
            await socket.send_str(content_of(message).decode())
            await socket.close()
        return None

    @asynccontextmanager
    async def subscribed(self, site: Site) -> AsyncIterator[Subscription]:
        """Connect, and take every frame as a message."""
        async with _socket(site, {}) as socket:
            yield _Frames(socket, site.name)


class _Frames(_Taken):
    def __init__(self, socket: aiohttp.ClientWebSocketResponse, name: str) -> None:
        self._socket = socket
        self._name = name

    async def next(self) -> dict[str, Value]:
        """Return the next frame."""
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            return inbound(str(message.data).encode(), {})
        if message.type is aiohttp.WSMsgType.BINARY:
            return inbound(bytes(message.data), {})
        raise broken(f"`{self._name}` closed the connection, or sent what is no message", sent=False)


@asynccontextmanager
async def _socket(site: Site, headers: dict[str, str]) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    server = site.place.server
    target = site.client.target(_url(site), site.hosts)
    given = dict(headers)
    authorization = header_of(site.authentication)
    if authorization is not None:
        given["Authorization"] = authorization
    stands = False
    try:
        async with (
            session_to(target, site.addresses) as session,
            session.ws_connect(
                target.url,
                headers=given,
                max_msg_size=limits.HTTP_RESPONSE_BYTES,
                ssl=True if site.tls is None else site.tls,
            ) as socket,
        ):
            stands = True
            yield socket
    except (aiohttp.ClientError, OSError) as error:
        words = f"cannot be spoken to over {server.protocol} ({type(error).__name__})"
        raise site.lost(error, words, sent=stands) from None


def _url(site: Site) -> str:
    server = site.place.server
    address = site.place.address
    glue = "" if not address or address.startswith(("/", "?")) else "/"
    return server.url.rstrip("/") + glue + address


def _outgoing(site: Site, method: str, message: Outbound | None) -> Outgoing:
    headers = {} if message is None else {"Content-Type": JSON, KEY_HEADER: site.key, **message.headers}
    authorization = header_of(site.authentication)
    if authorization is not None:
        headers["Authorization"] = authorization
    digest = site.authentication
    return Outgoing(
        method,
        _url(site),
        tuple(headers.items()),
        None if message is None else content_of(message),
        digest=(digest.username, digest.password) if isinstance(digest, Digest) else None,
    )


def _refused(status: int, text: str) -> CallFailed:
    words = f"answered {answer.phrase(status)}" + (f": {answer.excerpt(text)}" if text else "")
    return CallFailed(Fault(COMMUNICATION, status, answer.phrase(status), words))
