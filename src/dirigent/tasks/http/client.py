"""The guarded client: resolve once, check every address, connect to exactly those.

One connection per request: a kept one may be closed by the server just as an unsafe request is
sent, and that would be a doubt about nothing. No proxy, netrc, cookie or redirect of its own.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Final, TypeAlias
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from dirigent import __version__
from dirigent.model import limits
from dirigent.model.record import dataclass
from dirigent.tasks.http.failure import CallFailed, broken, forbidden, malformed
from dirigent.tasks.http.guard import Target, literal, permit, target_of
from dirigent.tasks.http.tls.handshake import ended, refused_tls, told
from dirigent.tasks.http.tls.trust import Trust, shown

AGENT: Final = f"dirigent/{__version__}"
# Kept when a redirect leaves the origin: everything else may be, or hold, a credential.
HARMLESS: Final = frozenset({"accept", "accept-encoding", "user-agent"})
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
Headers: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much and how long. The defaults are those of `model.limits`; tests make them small."""

    connect_seconds: float = limits.HTTP_CONNECT_SECONDS
    total_seconds: float = limits.HTTP_TOTAL_SECONDS
    request_bytes: int = limits.HTTP_REQUEST_BYTES
    response_bytes: int = limits.HTTP_RESPONSE_BYTES
    redirects: int = limits.HTTP_REDIRECTS


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request, ready to be sent. `digest` is a user name and password for HTTP Digest."""

    method: str
    url: str
    headers: Headers = ()
    body: bytes | None = None
    digest: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer, whole, with its body decompressed. `url` is where it came from."""

    status: int
    headers: Headers
    body: bytes
    url: str

    def header(self, name: str) -> str:
        """Return the first header of that name (given in lower case), or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name), "")


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a name by the system's resolver, or raise `OSError`."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@dataclass(frozen=True, slots=True)
class Arriving:
    """An answer whose body is still on its way; `chunks` stop with `CallFailed` at the limit of bytes."""

    status: int
    headers: Headers
    url: str
    chunks: AsyncIterator[bytes]

    def header(self, name: str) -> str:
        """Return the first header of that name (given in lower case), or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name), "")


class _Pinned(AbstractResolver):
    """Answers with the addresses that were checked, and with nothing else."""

    def __init__(self, host: str, addresses: tuple[str, ...]) -> None:
        self._host = host
        self._addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the pinned addresses; another name than the checked one has none."""
        if host != self._host:
            raise OSError(f"`{host}` was not checked")
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": socket.AI_NUMERICHOST,
            }
            for address in self._addresses
            if family in {socket.AF_UNSPEC, socket.AF_INET6 if ":" in address else socket.AF_INET}
        ]

    async def close(self) -> None:
        """Nothing is held."""


@dataclass(slots=True)
class _Wire:
    """Whether a connection stood: only then can the server have got anything."""

    connected: bool = False


class Client:
    """Sends requests under the rules of `guard` and within bounds. It holds no state between calls."""

    def __init__(
        self,
        hosts: Sequence[str] = (),
        resolve: Resolve = system_resolve,
        bounds: Bounds | None = None,
        trust: Trust | None = None,
    ) -> None:
        """Take the hosts that are declared for every call, a resolver, the bounds, and whom to trust."""
        self._trust = trust
        self._hosts = tuple(hosts)
        self._resolve = resolve
        self._bounds = bounds or Bounds()

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the hosts that are declared for every call."""
        return self._hosts

    @property
    def trust(self) -> Trust | None:
        """Return whom every call trusts, None for whom the machine trusts."""
        return self._trust

    def target(self, url: str, hosts: Sequence[str] = ()) -> Target:
        """Return the checked target of a URL, or raise `CallFailed`. Resolves nothing."""
        return target_of(url, (*self._hosts, *hosts))

    async def send(self, outgoing: Outgoing, hosts: Sequence[str] = ()) -> Incoming:
        """Return the answer, whatever its status; a redirect is an answer. Raises `CallFailed`.

        `hosts` are the declared hosts of this call, beside those of the client.
        """
        async with self.opened(outgoing, hosts) as arriving:
            body = b"".join([chunk async for chunk in arriving.chunks])
            return Incoming(arriving.status, arriving.headers, body, arriving.url)

    @asynccontextmanager
    async def opened(
        self, outgoing: Outgoing, hosts: Sequence[str] = (), seconds: float | None = None
    ) -> AsyncIterator[Arriving]:
        """Send, and yield the answer as soon as its headers are there; leaving the block ends it.

        The block may take `seconds` in all, and fails as `send` does: it does nothing that waits but read.
        """
        target = self.target(outgoing.url, hosts)
        if outgoing.body is not None and len(outgoing.body) > self._bounds.request_bytes:
            raise malformed(
                f"the body has {len(outgoing.body)} bytes; the limit is {self._bounds.request_bytes}"
            )
        wire = _Wire()
        total = self._bounds.total_seconds if seconds is None else seconds
        try:
            async with asyncio.timeout(total), self._exchange(outgoing, target, wire) as arriving:
                yield arriving
        except TimeoutError:
            raise self._late(target, wire, total) from None
        except (aiohttp.ClientError, OSError) as error:
            raise _lost(error, target, wire, self._trust) from None

    async def reach(self, url: str, hosts: Sequence[str] = ()) -> tuple[Target, tuple[str, ...]]:
        """Return the target of a URL with the addresses that were checked, or raise `CallFailed`.

        For other protocols than HTTP: `https` in place of one with TLS, `http` of one without.
        """
        target = self.target(url, hosts)
        found = literal(target.host)
        return target, permit(target, [found] if found else await self._addresses(target))

    async def follow(self, outgoing: Outgoing, hosts: Sequence[str] = ()) -> Incoming:
        """Send a GET and follow redirects, each checked anew; leaving the origin drops credentials."""
        origin = self.target(outgoing.url, hosts).origin
        for _ in range(self._bounds.redirects + 1):
            answer = await self.send(outgoing, hosts)
            location = answer.header("location")
            if answer.status not in REDIRECTS or not location:
                return answer
            outgoing = replace(outgoing, url=joined(answer.url, location))
            if self.target(outgoing.url, hosts).origin != origin:
                kept = tuple((name, value) for name, value in outgoing.headers if name.lower() in HARMLESS)
                outgoing = replace(outgoing, headers=kept, digest=None)
        raise broken(f"more than {self._bounds.redirects} redirects", sent=False)

    def _late(self, target: Target, wire: _Wire, seconds: float) -> CallFailed:
        if wire.connected:
            words = f"no complete answer from `{target.place}` within {seconds:g} s"
        else:
            limit = min(seconds, self._bounds.connect_seconds)
            words = f"no connection to `{target.place}` within {limit:g} s"
        return broken(words, status=408, sent=wire.connected)

    async def close(self) -> None:
        """Let go of what is held between calls: nothing, as long as connections are not kept."""

    @asynccontextmanager
    async def _exchange(self, outgoing: Outgoing, target: Target, wire: _Wire) -> AsyncIterator[Arriving]:
        found = literal(target.host)
        addresses = permit(target, [found] if found else await self._addresses(target))
        # Certificates are files, and their keys take a while to be opened.
        tls = await asyncio.to_thread(self._trust.context, target) if self._trust is not None else True
        async with (
            _session(_Pinned(target.host, addresses), wire, self._bounds.connect_seconds) as session,
            session.request(
                outgoing.method,
                target.url,
                headers=outgoing.headers,
                data=outgoing.body,
                allow_redirects=False,
                ssl=tls,
                middlewares=_middlewares(outgoing, target, wire, self._trust),
            ) as response,
        ):
            headers = tuple((str(name), value) for name, value in response.headers.items())
            yield Arriving(response.status, headers, str(target.url), self._chunks(response, target))

    async def _addresses(self, target: Target) -> Sequence[str]:
        try:
            addresses = await self._resolve(target.host, target.port)
        except (OSError, UnicodeError):
            addresses = ()
        if not addresses:
            raise broken(f"the name `{target.host}` does not resolve to an address", sent=False)
        return addresses

    async def _chunks(self, response: aiohttp.ClientResponse, target: Target) -> AsyncIterator[bytes]:
        """Yield what comes, counting bytes after decompression, and stop at the limit."""
        count = 0
        async for chunk in response.content.iter_any():
            count += len(chunk)
            if count > self._bounds.response_bytes:
                raise broken(
                    f"`{target.place}` answered {response.status} with more than "
                    f"{self._bounds.response_bytes} bytes"
                )
            yield chunk


def joined(url: str, location: str) -> str:
    """Return the absolute form of a `Location` or of a server's URL; the guard checks it afterwards."""
    try:
        return urljoin(url, location)
    except ValueError:
        raise forbidden("the server names something that is not a URL") from None


def session_to(
    target: Target, addresses: tuple[str, ...]
) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
    """Return a session that connects to these checked addresses of a target, and to nothing else."""
    return _session(_Pinned(target.host, addresses), _Wire(), limits.HTTP_CONNECT_SECONDS)


@asynccontextmanager
async def _session(
    resolver: AbstractResolver, wire: _Wire, connect_seconds: float
) -> AsyncIterator[aiohttp.ClientSession]:
    trace = aiohttp.TraceConfig()

    async def stands(
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        _params: aiohttp.TraceConnectionCreateEndParams,
    ) -> None:
        wire.connected = True

    trace.on_connection_create_end.append(stands)
    connector = aiohttp.TCPConnector(resolver=resolver, use_dns_cache=False, force_close=True)
    async with aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=connect_seconds),
        trace_configs=[trace],
        trust_env=False,
        skip_auto_headers=("Content-Type",),
        headers={"User-Agent": AGENT, "Accept-Encoding": "gzip, deflate"},
    ) as session:
        yield session


def _middlewares(
    outgoing: Outgoing, target: Target, wire: _Wire, trust: Trust | None
) -> tuple[aiohttp.ClientMiddlewareType, ...]:
    async def once(
        request: aiohttp.ClientRequest, proceed: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        # The library sends an idempotent request again when the connection breaks. Whether there
        # is a next attempt is the run's to say, so it gets to see our own exception instead.
        try:
            return await proceed(request)
        except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
            raise _lost(error, target, wire, trust) from None

    if outgoing.digest is None:
        return (once,)
    return (once, aiohttp.DigestAuthMiddleware(*outgoing.digest))


def _lost(
    error: aiohttp.ClientError | OSError, target: Target, wire: _Wire, trust: Trust | None
) -> CallFailed:
    """Return the failure in words; the messages of the library may hold the URL, so none is used."""
    ours = shown(trust, target)
    failure = refused_tls(error, target.place, shown=ours)
    if failure is not None:
        return failure
    match error:
        case aiohttp.ClientConnectorError() if isinstance(error.os_error, ConnectionRefusedError):
            words = "refused the connection"
        case aiohttp.ClientSSLError():
            reason = getattr(error.os_error, "reason", None) or type(error.os_error).__name__
            return told(ended(target.place, str(reason), shown=ours))
        case aiohttp.ClientConnectorError():
            words = "cannot be connected to"
        case aiohttp.ServerDisconnectedError() | ConnectionResetError():
            words = "closed the connection before the answer was complete"
        case aiohttp.ClientPayloadError():
            words = "sent a body that breaks off or cannot be decoded"
        case aiohttp.ClientResponseError():
            words = "sent an answer that is not HTTP, or headers above the limit"
        case _:
            words = f"failed ({type(error).__name__})"
    return broken(f"`{target.place}` {words}", sent=wire.connected)
