"""AMQP 0.9.1 through aio-pika. Needs the extra `amqp`.

Messages out are confirmed by the broker and must reach a queue; messages in go back unless they are
acknowledged.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import unquote

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueueIterator
from aio_pika.exceptions import AMQPError, DeliveryError

from dirigent.model import limits
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.values import Value
from dirigent.tasks.asyncapi.request import Outbound
from dirigent.tasks.asyncapi.site import JSON, Site, Subscription, content_of, inbound
from dirigent.tasks.http.failure import CallFailed, broken
from dirigent.tasks.openapi.parsing import member


@asynccontextmanager
async def _channel(site: Site) -> AsyncIterator[AbstractChannel]:
    server, login = site.place.server, site.login or ("guest", "guest")
    try:
        connection = await aio_pika.connect(
            host=site.addresses[0],
            port=server.port,
            login=login[0],
            password=login[1],
            virtualhost=unquote(server.path.removeprefix("/")) or "/",
            ssl=server.tls,
            ssl_context=site.tls,
            timeout=limits.HTTP_CONNECT_SECONDS,
        )
    except (AMQPError, OSError) as error:
        words = f"cannot be connected to, or does not let us in ({type(error).__name__})"
        raise site.lost(error, words, sent=False) from None
    try:
        yield await connection.channel(publisher_confirms=True, on_return_raises=True)
    except (AMQPError, OSError) as error:
        raise broken(f"`{site.name}` failed ({type(error).__name__}: {error})") from None
    finally:
        await connection.close()


class AmqpDriver:
    """Fits `site.Driver`."""

    async def send(self, site: Site, message: Outbound) -> Value:
        """Publish a lasting message, whose id is that of the effect, and wait for the broker's word."""
        body = aio_pika.Message(
            content_of(message),
            headers=dict(message.headers),
            message_id=site.key,
            content_type=JSON,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        async with _channel(site) as channel:
            name = str(member(site.place.bindings, "exchange").get("name") or "")
            exchange = await channel.get_exchange(name, ensure=True) if name else channel.default_exchange
            try:
                await exchange.publish(body, site.place.address, timeout=limits.HTTP_CONNECT_SECONDS)
            except DeliveryError:
                words = f"`{site.name}` has no queue that takes `{site.place.address}`"
                raise CallFailed(Fault(COMMUNICATION, 404, "Unroutable", words)) from None
        return None

    @asynccontextmanager
    async def subscribed(self, site: Site) -> AsyncIterator[Subscription]:
        """Consume the queue that the bindings name, or that has the name of the channel."""
        async with _channel(site) as channel:
            if site.single:
                await channel.set_qos(prefetch_count=1)
            name = str(member(site.place.bindings, "queue").get("name") or site.place.address)
            queue = await channel.get_queue(name, ensure=True)
            async with queue.iterator() as messages:
                yield _Messages(messages)


class _Messages:
    def __init__(self, messages: AbstractQueueIterator) -> None:
        self._messages = messages
        self._taken: list[AbstractIncomingMessage] = []

    async def next(self) -> dict[str, Value]:
        """Return the next message."""
        message = await anext(self._messages, None)
        if message is None:
            raise broken("the broker ended the connection", sent=False)
        self._taken.append(message)
        headers = {str(name): str(text) for name, text in message.headers.items()}
        return inbound(message.body, headers, message.correlation_id)

    async def drop(self) -> None:
        """Acknowledge the last one."""
        await self._taken.pop().ack()

    async def settle(self) -> None:
        """Acknowledge all."""
        for message in self._taken:
            await message.ack()
        self._taken.clear()

    async def end(self) -> None:
        """Nothing to say: the queue is not ours."""

    @property
    def lasting(self) -> bool:
        """Return that the broker keeps messages in a queue."""
        return True

    @property
    def cursor(self) -> Value:
        """Return nothing: the messages of AMQP have no places."""
        return None
