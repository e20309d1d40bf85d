"""What every driver is given and gives: a place that was checked, messages, and a way to acknowledge them."""

from __future__ import annotations

import json
import ssl
from base64 import b64encode
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.asyncapi.document import Place
from dirigent.tasks.asyncapi.naming import Named
from dirigent.tasks.asyncapi.request import Outbound
from dirigent.tasks.http.answer import json_of
from dirigent.tasks.http.authentication import Authentication, Basic, Bearer, Digest
from dirigent.tasks.http.client import Client
from dirigent.tasks.http.failure import malformed

JSON: Final = "application/json"
CORRELATION: Final = ("correlationid", "correlation-id", "correlation_id", "x-correlation-id")


@dataclass(frozen=True, slots=True)
class Site:
    """Where to connect: one of `addresses`, which were checked; `key` is the effect id.

    `session` is the name under which a broker keeps what we did not acknowledge. Of a `single` stream one
    message is taken at a time, for long; `after` is where the last one stands that was.
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

    @property
    def tls(self) -> ssl.SSLContext | None:
        """Return what TLS is made of, None for plain text. The name that is checked is the server's."""
        return Named(self.place.server.host) if self.place.server.tls else None


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
