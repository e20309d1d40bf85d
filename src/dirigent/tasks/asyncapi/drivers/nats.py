"""NATS through nats-py. Needs the extra `nats`.

Where a stream of JetStream holds the subject, messages are acknowledged and come again until they are; else
nobody keeps them, and what was not recorded is lost with the engine.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from nats.aio.client import Client as Connection
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import Error as StreamError

from dirigent.model import limits
from dirigent.model.values import Value
from dirigent.tasks.asyncapi.request import Outbound
from dirigent.tasks.asyncapi.site import Site, Subscription, content_of, inbound
from dirigent.tasks.http.tls.named import Named

# By this header a stream takes a message once, however often it is sent.
KEY_HEADER: Final = "Nats-Msg-Id"
# How long a stream waits for an acknowledgement before it gives a message again.
AGAIN_SECONDS: Final = 5.0


@asynccontextmanager
async def _connected(site: Site) -> AsyncIterator[Connection]:
    async def silent(_: Exception) -> None:
        """Say nothing: what fails is raised where it matters."""

    def only_over_tls(word: str) -> Callable[[], str]:
        """Return what gives a credential when it is sent: to a server that left TLS out, none is."""
        return lambda: word if site.tls is None or site.tls.stood else _without_tls(site.tls)

    server, (user, word) = site.place.server, site.login or ("", "")
    address = f"[{site.addresses[0]}]" if ":" in site.addresses[0] else site.addresses[0]
    connection = Connection()
    try:
        try:
            async with asyncio.timeout(limits.HTTP_CONNECT_SECONDS):
                await connection.connect(
                    f"nats://{address}:{server.port}",
                    allow_reconnect=False,
                    max_reconnect_attempts=1,
                    reconnect_time_wait=0,
                    connect_timeout=int(limits.HTTP_CONNECT_SECONDS),
                    error_cb=silent,
                    tls=site.tls,
                    tls_hostname=None if site.tls is None else server.host,
                    user=user or None,
                    password=only_over_tls(word) if user else None,
                    token=only_over_tls(word) if word and not user else None,
                )
            if site.tls is not None and not site.tls.stood:
                _without_tls(site.tls)
        except (NatsError, OSError) as error:
            words = f"cannot be connected to, or does not let us in ({type(error).__name__})"
            raise site.lost(error, words, sent=False) from None
        yield connection
    except (NatsError, OSError) as error:
        raise site.lost(error, f"failed ({type(error).__name__})", sent=True) from None
    finally:
        # What failed in the handshake is closed, and the library would wait for it to be.
        if site.tls is None or site.tls.stood or not site.tls.begun:
            with suppress(TimeoutError):
                async with asyncio.timeout(limits.HTTP_CONNECT_SECONDS):
                    await connection.close()


def _without_tls(tls: Named) -> str:
    """Raise: the server of a secure address asked for no TLS, or somebody between us said so."""
    tls.failure = ssl.SSLError("wrong version number: the server does not ask for TLS")
    raise tls.failure


async def _stream_of(connection: Connection, subject: str) -> str | None:
    try:
        return str(await connection.jetstream(timeout=5).find_stream_name_by_subject(subject))
    except (NatsError, StreamError):
        return None


class NatsDriver:
    """Fits `site.Driver`."""

    async def send(self, site: Site, message: Outbound) -> Value:
        """Publish under the effect's id; where a stream holds the subject, wait for its word."""
        headers = {KEY_HEADER: site.key, **message.headers}
        async with _connected(site) as connection:
            subject, content = site.place.address, content_of(message)
            if await _stream_of(connection, subject) is not None:
                await connection.jetstream().publish(subject, content, headers=headers)
            else:
                await connection.publish(subject, content, headers=headers)
                await connection.flush(int(limits.HTTP_CONNECT_SECONDS))
        return None

    @asynccontextmanager
    async def subscribed(self, site: Site) -> AsyncIterator[Subscription]:
        """Subscribe: as a durable consumer of the effect's name, where a stream holds the subject."""
        async with _connected(site) as connection:
            yield await _subscription(connection, site)


async def _subscription(connection: Connection, site: Site) -> _Messages:
    subject = site.place.address
    queue = site.place.bindings.get("queue")
    stream = await _stream_of(connection, subject)
    if stream is None:
        plain = await connection.subscribe(subject, queue=queue if isinstance(queue, str) else "")
        await connection.flush(int(limits.HTTP_CONNECT_SECONDS))
        return _Messages(connection, site, lambda: plain.next_msg(timeout=None), None)
    durable = f"dirigent-{site.session}"
    config = ConsumerConfig(
        ack_policy=AckPolicy.EXPLICIT,
        deliver_policy=DeliverPolicy.NEW,
        ack_wait=AGAIN_SECONDS,
        max_ack_pending=1 if site.single else None,
    )
    kept = await connection.jetstream().subscribe(
        subject, durable=durable, stream=stream, config=config, manual_ack=True
    )
    return _Messages(connection, site, lambda: kept.next_msg(timeout=None), (stream, durable))


class _Messages:
    def __init__(
        self,
        connection: Connection,
        site: Site,
        take: Callable[[], Awaitable[Msg]],
        durable: tuple[str, str] | None,
    ) -> None:
        self._connection = connection
        self._site = site
        self._take = take
        self._durable = durable
        self._taken: list[Msg] = []
        self._sequences: set[int] = set()
        self._after = site.after if isinstance(site.after, int) else 0
        self._last = self._after

    async def next(self) -> dict[str, Value]:
        """Return the next message."""
        message = await self._take()
        while self._known(message):
            # Of a stream that is taken singly the journal holds it; of all others it may not, yet.
            if self._site.single:
                await self._ack(message)
            message = await self._take()
        if self._durable is not None:
            self._last = message.metadata.sequence.stream
            self._sequences.add(self._last)
        self._taken.append(message)
        headers = {"subject": message.subject, **{str(k): str(v) for k, v in (message.headers or {}).items()}}
        return inbound(message.data, headers)

    def _known(self, message: Msg) -> bool:
        """Return whether we have it already: a stream gives again what it waited for too long."""
        if self._durable is None:
            return False
        number = message.metadata.sequence.stream
        return number <= self._after or number in self._sequences

    async def drop(self) -> None:
        """Acknowledge the last one."""
        await self._ack(self._taken.pop())

    async def settle(self) -> None:
        """Acknowledge all."""
        for message in self._taken:
            await self._ack(message)
        self._taken.clear()

    @property
    def lasting(self) -> bool:
        """Return whether a stream keeps messages."""
        return self._durable is not None

    @property
    def cursor(self) -> Value:
        """Return the number in the stream."""
        return self._last if self._durable is not None else None

    async def end(self) -> None:
        """Let the stream forget us."""
        if self._durable is not None:
            await self._connection.jetstream().delete_consumer(*self._durable)

    async def _ack(self, message: Msg) -> None:
        if self._durable is not None:
            await message.ack_sync()
