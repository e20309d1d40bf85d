"""The performer of `asyncapi`. The request is described in `docs/protocols.md`.

Rule: what a subscription took is acknowledged when the journal holds it (`hear`), and not before; until
then the connection is kept, and an engine that dies has acknowledged nothing. Streams, whose messages are
taken by a call each, keep their connection between the calls.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from hashlib import sha256
from typing import Final, TypeAlias

from dirigent.model.ids import Position, RunId
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Done, Order, Outcome
from dirigent.model.run.journal import Abandoned, Ended, Fact, Failed, Held, Succeeded
from dirigent.model.values import Value
from dirigent.ports import Vault
from dirigent.tasks.asyncapi.document import place_of
from dirigent.tasks.asyncapi.request import Consumption, Outbound, Wanted, wanted_of
from dirigent.tasks.asyncapi.site import Driver, Site, Subscription, content_of
from dirigent.tasks.asyncapi.streams import Streams
from dirigent.tasks.asyncapi.taking import Judge, taken
from dirigent.tasks.http.authentication import authentication_of
from dirigent.tasks.http.call import members_of, unrevealed
from dirigent.tasks.http.client import Client
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.failure import CallFailed, forbidden
from dirigent.tasks.http.tls.trust import named
from dirigent.tasks.openapi.parsing import parsed
from dirigent.tasks.rpc.credentials import revealed, without_credentials
from dirigent.tasks.rpc.external import Read, fetched, resource_of
from dirigent.tasks.rpc.outcome import failed, undecided
from dirigent.tasks.secrets import named as by_name

DOCUMENT: Final = "document"

Drivers: TypeAlias = Callable[[str], Driver]
"""Returns the driver of a protocol, or raises `Refusal` (E4140) when its package is not installed."""

_Key: TypeAlias = tuple[RunId, Position, int]


class AsyncApiPerformer:
    """Carries out the function `asyncapi`."""

    def __init__(
        self, client: Client, credentials: Credentials, read: Read, judge: Judge, drivers: Drivers
    ) -> None:
        """Take the guarded client, what calls share, the reader of files, and who evaluates and speaks."""
        self._client = client
        self._credentials = credentials
        self._vault: Vault = credentials.vault
        self._read = read
        self._judge = judge
        self._drivers = drivers
        self._unsettled: dict[_Key, tuple[AsyncExitStack, Subscription]] = {}
        self._settling: set[asyncio.Task[None]] = set()
        self.streams = Streams()

    async def perform(self, order: Order) -> Outcome:
        """Do the call, or say why its outcome is in doubt."""
        place, unsafe = "", True
        try:
            shown = wanted_of(members_of(by_name(without_credentials(members_of(order.request), DOCUMENT))))
            place, unsafe = shown.place, isinstance(shown.what, Outbound)
            doubt = undecided(order, place, _evidence(shown)) if unsafe else None
            if doubt is not None:
                return doubt
            secret = await revealed(self._credentials, order, DOCUMENT)
            wanted = wanted_of(secret)
            match wanted.what:
                case Outbound() as message:
                    site, driver = await self._site(order, wanted, secret)
                    return Done(self._vault.redact(await driver.send(site, message)))
                case Consumption() as consumption:
                    found = await self._received(order, wanted, secret, consumption)
                    return Done(self._vault.redact(found))
        except CallFailed as failure:
            return failed(self._vault, order, failure, place, unsafe=unsafe)
        except Refusal as refusal:
            return failed(self._vault, order, unrevealed(refusal), place, unsafe=unsafe)

    async def abandon(self, order: Order) -> None:
        """Let go of what was taken and is not wanted any more: the broker may give it to another."""
        self.streams.lost(order.run, (order.position, order.attempt))
        await self._left(order.run, order.position, order.attempt)

    def hear(self, run: RunId, facts: Sequence[Fact]) -> None:
        """Acknowledge what is durable now."""
        for fact in facts:
            if isinstance(fact, Ended):
                self.streams.ended(run)
            elif isinstance(fact, Succeeded | Failed | Held | Abandoned):
                told = self.streams.durable if isinstance(fact, Succeeded) else self.streams.lost
                told(run, (fact.position, fact.attempt))
                held = self._unsettled.pop((run, fact.position, fact.attempt), None)
                if held is not None:
                    task = asyncio.ensure_future(_settled(*held, durable=isinstance(fact, Succeeded)))
                    self._settling.add(task)
                    task.add_done_callback(self._settling.discard)

    async def _consumed(self, order: Order, site: Site, driver: Driver, wanted: Consumption) -> Value:
        async with AsyncExitStack() as stack:
            subscription = await stack.enter_async_context(driver.subscribed(site))
            found = await taken(subscription, wanted, self._judge, time.time)
            self._unsettled[order.run, order.position, order.attempt] = (stack.pop_all(), subscription)
            return found

    async def _received(
        self, order: Order, wanted: Wanted, secret: Mapping[str, Value], consumption: Consumption
    ) -> Value:
        """Return all messages that are to be taken, or the next one of a stream."""
        stream = consumption.stream
        if stream is None:
            return await self._consumed(order, *await self._site(order, wanted, secret), consumption)

        async def take(subscription: Subscription) -> list[Value]:
            return await taken(subscription, consumption, self._judge, time.time)

        async def enter() -> tuple[Site, Driver]:
            site, driver = await self._site(order, wanted, secret)
            return replace(site, session=stream.id, single=True, after=stream.after), driver

        return await self.streams.next(order.run, (order.position, order.attempt), stream, enter, take)

    async def _left(self, run: RunId, position: Position, attempt: int) -> None:
        held = self._unsettled.pop((run, position, attempt), None)
        if held is not None:
            await _settled(*held, durable=False)

    async def _site(self, order: Order, wanted: Wanted, secret: Mapping[str, Value]) -> tuple[Site, Driver]:
        """Return where the call goes, checked by the guard, and who speaks the protocol there."""
        resource = resource_of(secret.get(DOCUMENT), DOCUMENT)
        found = await fetched(self._client, self._read, resource, order.hosts, "AsyncAPI document")
        root = await asyncio.to_thread(parsed, found.content, found.place, "AsyncAPI document")
        place = place_of(root, wanted.operation, wanted.channel, wanted.choice)
        driver = self._drivers(place.server.protocol)
        target, addresses = await self._client.reach(place.server.url, order.hosts)
        authentication = authentication_of(secret.get("authentication"))
        fetched_from = None if found.url is None else self._client.target(found.url, order.hosts).host
        foreign = fetched_from not in {None, target.host} and not target.declared
        if authentication is not None and foreign:
            raise forbidden(
                f"the document `{found.place}` sends this call, with its credentials, to another host; "
                f"declare `{target.place}` under `policy.http.hosts` if that is right"
            )
        tls = await asyncio.to_thread(named, self._client.trust, target) if place.server.tls else None
        key = str(order.id)
        site = Site(place, addresses, self._client, order.hosts, key, authentication, tls=tls, session=key)
        return site, driver


async def _settled(stack: AsyncExitStack, subscription: Subscription, *, durable: bool) -> None:
    """Acknowledge what is durable, and part. What a broker does not hear comes again: no failure."""
    try:
        async with stack:
            if durable:
                await subscription.settle()
                await subscription.end()
    except CallFailed:
        return


def _evidence(shown: Wanted) -> dict[str, Value]:
    """Return what a person can look for; secrets are in the digest as their names."""
    content = content_of(shown.what) if isinstance(shown.what, Outbound) else b""
    return {
        "operation": shown.operation or shown.channel,
        "payload_sha256": sha256(content).hexdigest(),
    }
