"""What every driver is given and gives: a place that was checked, messages, and a way to acknowledge them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

import aiohttp

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.asyncapi.document import Place
from dirigent.tasks.asyncapi.request import Outbound
from dirigent.tasks.http.answer import json_of
from dirigent.tasks.http.authentication import Authentication, Basic, Bearer, Digest
from dirigent.tasks.http.client import Client
from dirigent.tasks.http.failure import CallFailed, broken, malformed
from dirigent.tasks.http.tls.handshake import ended, refused_tls, told
from dirigent.tasks.http.tls.named import Named
from dirigent.tasks.http.tls.trust import shown

JSON: Final = "application/json"
# The other side ended the connection, with or without a word.
CUT_OFF: Final = (ConnectionResetError, BrokenPipeError, EOFError, aiohttp.ServerDisconnectedError)
CORRELATION: Final = ("correlationid", "correlation-id", "correlation_id", "x-correlation-id")


@dataclass(frozen=True, slots=True)
class Site:
    """Where to connect: one of `addresses`, which were checked; `key` is the effect id.

    `session` is the name under which a broker keeps what we did not acknowledge. Of a `single` stream one
    message is taken at a time, for long; `after` is where the last one stands that was.
    `tls` is what TLS is made of, for one connection; None is plain text.
    """

    place: Place
    addresses: tuple[str, ...]
    client: Client
    hosts: tuple[str, ...]
    key: str
    authentication: Authentication | None
    session: str
    single: bool = False
    after: Value = None
    tls: Named | None = None

    @property
    def name(self) -> str:
        """Return the server for people."""
        server = self.place.server
        return f"{server.host}:{server.port}"

    @property
    def login(self) -> tuple[str, str] | None:
        """Return user name and password, a token as that of nobody. Raises `CallFailed` for digest."""
        match self.authentication:
            case None:
                return None
            case Basic(username, password):
                return username, password
            case Bearer(token):
                return "", token
            case Digest():
                raise malformed("digest authentication is of HTTP alone; use basic or bearer here")

    def lost(self, error: BaseException | None, words: str, *, sent: bool) -> CallFailed:
        """Return the failure of a connection: that of TLS, where it was TLS that failed, else `words`."""
        if self.tls is None:
            return broken(f"`{self.name}` {words}", sent=sent)
        target = self.client.target(self.place.server.url, self.hosts)
        ours = shown(self.client.trust, target)
        for each in (self.tls.failure, error):
            failure = None if each is None else refused_tls(each, self.name, shown=ours)
            if failure is not None:
                return failure
        if self.tls.failure is not None:
            return told(ended(self.name, self.tls.failure.reason or "unknown", shown=ours))
        # In TLS 1.3 a server looks at our certificate when our side thinks that the connection stands.
        if not sent and isinstance(error, CUT_OFF):
            return told(ended(self.name, f"{words}: it ended the connection", shown=ours))
        return broken(f"`{self.name}` {words}", sent=sent)


class Subscription(Protocol):
    """Messages as they come. What was taken is acknowledged by `settle`, and only by it."""

    async def next(self) -> dict[str, Value]:
        """Return the next message, or raise `CallFailed` when there can be none any more."""
        ...

    async def drop(self) -> None:
        """Acknowledge the message taken last, now: it is not wanted."""
        ...

    async def settle(self) -> None:
        """Acknowledge all that was taken."""
        ...

    async def end(self) -> None:
        """Have the broker keep nothing for this session any more. What was not settled is lost for it."""
        ...

    @property
    def lasting(self) -> bool:
        """Return whether a broker keeps what was not acknowledged, and what comes meanwhile."""
        ...

    @property
    def cursor(self) -> Value:
        """Return where the message taken last stands, None where the protocol cannot tell."""
        ...


class Driver(Protocol):
    """One protocol."""

    async def send(self, site: Site, message: Outbound) -> Value:
        """Send a message; return what the server answers, None where the protocol has no answer."""
        ...

    def subscribed(self, site: Site) -> AbstractAsyncContextManager[Subscription]:
        """Connect and subscribe. What was not settled at the end goes back where the protocol can do that."""
        ...


def content_of(message: Outbound) -> bytes:
    """Return the bytes of a payload: JSON, whose members stand in the order of their names."""
    try:
        text = json.dumps(
            message.payload, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
        )
        return text.encode()
    except (ValueError, TypeError, RecursionError):
        raise malformed("the payload cannot be written as JSON") from None


def inbound(content: bytes, headers: Mapping[str, str], correlation: str | None = None) -> dict[str, Value]:
    """Return a message as the expressions of a document see it. What is not JSON is a text, or base64."""
    try:
        payload: Value = json_of(content)
    except ValueError:
        try:
            payload = content.decode()
        except UnicodeDecodeError:
            payload = b64encode(content).decode()
    if correlation is None:
        correlation = next((text for name, text in headers.items() if name.lower() in CORRELATION), None)
    message: dict[str, Value] = {"payload": payload, "headers": dict(headers)}
    return message if correlation is None else {**message, "correlationId": correlation}
