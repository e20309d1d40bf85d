"""Kafka through aiokafka. Needs the extra `kafka`.

What was recorded is committed, for the group that the bindings name, whose members share the messages; or,
without one, for a group of the session's name, which begins with the messages that come after it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import DeleteGroupsRequest

from dirigent.model import limits
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.values import Value
from dirigent.tasks.asyncapi.drivers.kafka_client import GuardedClient, GuardedConsumer, GuardedProducer
from dirigent.tasks.asyncapi.request import Outbound
from dirigent.tasks.asyncapi.site import Site, Subscription, content_of, inbound
from dirigent.tasks.http.failure import CallFailed, broken
from dirigent.tasks.http.message import KEY_HEADER

# The header by which CloudEvents names the key of a message; messages of one key stay in their order.
PARTITION_KEY: Final = "partitionkey"
GROUP: Final = 0
PARTING_SECONDS: Final = 2.0

# What aiokafka has to say is raised as well.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())
logging.getLogger("aiokafka").propagate = False


class KafkaDriver:
    """Fits `site.Driver`."""

    async def send(self, site: Site, message: Outbound) -> Value:
        """Send a message under the effect's id, and return where it stands when all replicas have it."""
        content, topic = content_of(message), site.place.address
        headers = {KEY_HEADER: site.key, **message.headers}
        client = GuardedClient(site)
        producer = GuardedProducer(client)
        try:
            await client.begin()
            await _partitions(client, site)
            try:
                await client.unless_refused(producer.start())
            except (KafkaError, OSError) as error:
                raise _failed(site, error, sent=False) from None
            key = headers.get(PARTITION_KEY)
            given = [(name, text.encode()) for name, text in headers.items()]
            sending = producer.send_and_wait(
                topic, content, key=None if key is None else key.encode(), headers=given
            )
            found = await client.unless_refused(sending)
        except (KafkaError, OSError) as error:
            raise _failed(site, error, sent=True) from None
        finally:
            await _parted(client, producer)
        return {"partition": found.partition, "offset": found.offset}

    @asynccontextmanager
    async def subscribed(self, site: Site) -> AsyncIterator[Subscription]:
        """Take messages as a member of the group of the bindings, or for the session alone."""
        shared = _group(site)
        client = GuardedClient(site)
        consumer = GuardedConsumer(
            client, shared or f"dirigent-{site.session}", "earliest" if shared else "latest"
        )
        try:
            await client.begin()
            found = await _partitions(client, site)
            if shared:
                consumer.subscribe([site.place.address])
            await client.unless_refused(consumer.start())
            if not shared:
                await client.unless_refused(_begun(consumer, found))
            yield _Messages(client, consumer, site, shared=bool(shared))
        except (KafkaError, OSError) as error:
            raise _failed(site, error, sent=False) from None
        finally:
            await _parted(client, consumer)


class _Messages:
    def __init__(self, client: GuardedClient, consumer: GuardedConsumer, site: Site, *, shared: bool) -> None:
        self._client = client
        self._consumer = consumer
        self._site = site
        self._shared = shared
        self._positions: dict[TopicPartition, int] = {}
        after = site.after if isinstance(site.after, dict) else {}
        self._after = (after.get("partition"), after.get("offset"))
        self._cursor: Value = None

    @property
    def lasting(self) -> bool:
        """Return that messages are kept."""
        return True

    @property
    def cursor(self) -> Value:
        """Return partition and offset."""
        return self._cursor

    async def next(self) -> dict[str, Value]:
        """Return the next message that the journal does not hold."""
        while True:
            record = await self._client.unless_refused(self._consumer.getone())
            self._positions[TopicPartition(record.topic, record.partition)] = record.offset + 1
            number = self._after[1]
            if record.partition == self._after[0] and isinstance(number, int) and record.offset <= number:
                continue
            self._cursor = {"partition": record.partition, "offset": record.offset}
            return _message(record)

    async def drop(self) -> None:
        """Nothing to say: what comes after it is committed with it."""

    async def settle(self) -> None:
        """Commit how far we are."""
        positions, self._positions = self._positions, {}
        if positions:
            await self._client.unless_refused(self._consumer.commit(positions))

    async def end(self) -> None:
        """Have the cluster forget a group that is ours alone."""
        if self._shared:
            return
        group = f"dirigent-{self._site.session}"
        node = await self._client.coordinator_lookup(GROUP, group)
        await self._client.send(node, DeleteGroupsRequest([group]))


async def _partitions(client: GuardedClient, site: Site) -> list[TopicPartition]:
    """Return the partitions of the topic, or raise `CallFailed` when it is not there."""
    topic = site.place.address
    try:
        async with asyncio.timeout(limits.HTTP_CONNECT_SECONDS):
            await client.unless_refused(client.set_topics([topic]))
    except TimeoutError:
        raise broken(f"`{site.name}` does not say where its topics are", status=408, sent=False) from None
    numbers = client.cluster.partitions_for_topic(topic)
    if not numbers:
        words = f"`{site.name}` has no topic `{topic}`"
        raise CallFailed(Fault(COMMUNICATION, 404, "No such topic", words))
    return [TopicPartition(topic, number) for number in sorted(numbers)]


async def _parted(client: GuardedClient, user: GuardedProducer | GuardedConsumer) -> None:
    """Leave in order, but wait for nobody: at the end of a process the answer may not be read any more."""
    try:
        async with asyncio.timeout(PARTING_SECONDS):
            await user.stop()
    except (KafkaError, OSError):
        # What is left is told to nobody; a group finds out by itself.
        pass
    finally:
        await client.close()


async def _begun(consumer: GuardedConsumer, partitions: list[TopicPartition]) -> None:
    """Begin where the group has come to; a new one begins now, which is committed, lest a crash lose it."""
    consumer.assign(partitions)
    ends = await consumer.end_offsets(partitions)
    fresh = {}
    for partition in partitions:
        at = await consumer.committed(partition)
        if at is None:
            at = fresh[partition] = ends[partition]
        consumer.seek(partition, at)
    if fresh:
        await consumer.commit(fresh)


def _group(site: Site) -> str:
    """Return the group of the bindings: a text, or a schema that allows just one."""
    found = site.place.bindings.get("groupId")
    if isinstance(found, dict):
        allowed = found.get("enum")
        first = allowed[0] if isinstance(allowed, list) and allowed else None
        found = next((each for each in (found.get("const"), first, found.get("default")) if each), None)
    return found if isinstance(found, str) else ""


def _message(record: ConsumerRecord) -> dict[str, Value]:
    headers = {str(name): (text or b"").decode(errors="replace") for name, text in record.headers}
    if record.key is not None:
        headers.setdefault(PARTITION_KEY, record.key.decode(errors="replace"))
    return inbound(b"null" if record.value is None else record.value, headers)


def _failed(site: Site, error: KafkaError | OSError, *, sent: bool) -> CallFailed:
    return broken(f"`{site.name}` failed ({type(error).__name__}: {error})", sent=sent)
