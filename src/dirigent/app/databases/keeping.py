"""Keep house in a store on PostgreSQL: alone, with every shard leased, while no engine works on it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from dirigent.app.databases.cluster import own_name
from dirigent.app.looking import SystemClock
from dirigent.model import limits
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Created, Fact
from dirigent.model.run.retention import Pruned, Retention
from dirigent.ports import Journal
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres.database import Database
from dirigent.stores.postgres.inbox import Inbox
from dirigent.stores.postgres.keeping.archive import PostgresArchive
from dirigent.stores.postgres.keeping.payloads import sweep
from dirigent.stores.postgres.leases import LEASE_SECONDS
from dirigent.stores.postgres.session.failures import Again, Lost
from dirigent.stores.postgres.session.link import Link
from dirigent.stores.postgres.session.statements import SQL
from dirigent.stores.postgres.store import PostgresStore
from dirigent.stores.postgres.writer.fence import Fence
from dirigent.stores.retention import Archive

# An engine that was killed just now still counts until its lease ends.
SEAT_SECONDS: Final = LEASE_SECONDS + 2.0
RETRY_SECONDS: Final = 0.1
RENEW_SECONDS: Final = 1.0
# Longer than that of an engine: nobody waits for these shards but engines that begin.
HOUSE_SECONDS: Final = 4 * LEASE_SECONDS
VACUUM_SECONDS: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class DatabaseKeeper:
    """The keeper of a store in a database; fits `app.seat.Keeper` and `stores.retention.Archive`."""

    database: Database
    held: PostgresArchive
    clock: SystemClock

    @property
    def archive(self) -> Archive:
        """Return what runs are removed from and taken into."""
        return self

    @property
    def journal(self) -> Journal:
        """Return where definitions are kept."""
        return PostgresStore(self.database)

    async def prunable(self, policy: Retention, now: float, limit: int) -> list[RunId]:
        """Return ended runs that a policy no longer keeps."""
        return await self.held.prunable(policy, now, limit)

    async def prune(self, runs: Sequence[RunId]) -> Pruned:
        """Remove those of the runs that have ended."""
        return await self.held.prune(runs)

    async def take_in(self, run: RunId, facts: Sequence[Fact]) -> None:
        """Store the journal of a run from elsewhere where a run of its name, or of its queue, is made."""
        first = facts[0] if facts else None
        ticket = first.ticket if isinstance(first, Created) else None
        shard = await Inbox.of(self.database).home(ticket.queue if ticket else run)
        await self.held.take_in(run, facts, shard)

    async def size(self) -> int:
        """Return the bytes of all tables."""
        link = Link(self.database.url, 0.0, "keeping")
        try:
            ((found,),) = await link.fetch(SQL["bytes"])
        finally:
            await link.close()
        return int(str(found))

    async def clear(self) -> int:
        """Remove what nothing names. Return the bytes of large values."""
        await self.held.drop_unused()
        await self.held.forget_plans(limits.PLAN_SECONDS)
        return await sweep(self.database.url)

    async def compact(self) -> None:
        """Have the server make room again, and give back what it can. Others may work meanwhile."""
        link = Link(self.database.url, 0.0, "keeping")
        try:
            for table in ("journal", "runs", "inbox", "events", "chunks", "payloads", "definitions", "plans"):
                await link.once(f"vacuum (analyze) dirigent.{table}", seconds=VACUUM_SECONDS)
        except (Lost, Again) as failure:
            raise _unfinished(self.database.url, failure) from None
        finally:
            await link.close()


@asynccontextmanager
async def keeping(url: DatabaseUrl) -> AsyncIterator[DatabaseKeeper]:
    """Lease every shard while the block runs. Raises `Refusal` (E5080) while an engine works there."""
    title = f"process {os.getpid()} on {socket.gethostname()}, keeping house"
    async with AsyncExitStack() as stack:
        database = await Database.opened(url, own_name(), title=title)
        stack.push_async_callback(database.close)
        database.leases.lease_seconds = HOUSE_SECONDS
        fences = await _all_shards(database)
        stack.push_async_callback(_given_back, database, fences)
        renewing = asyncio.ensure_future(_renew(database, fences))
        stack.push_async_callback(_ended, renewing)
        archive = PostgresArchive(database, lambda: fences)
        yield DatabaseKeeper(database, archive, SystemClock())


async def _all_shards(database: Database) -> list[Fence]:
    """Return the fences of all shards. Raises `Refusal` (E5080) when engines have some of them."""
    ((shards,),) = await database.links[0].fetch(SQL["shards"])
    loop = asyncio.get_running_loop()
    end = loop.time() + SEAT_SECONDS
    fences: list[Fence] = []
    while True:
        try:
            if not await database.engines():
                fences = await database.leases.take(int(str(shards)))
        except (Lost, Again):
            fences = []
        if len(fences) == shards:
            return fences
        if fences:
            await _given_back(database, fences)
        if loop.time() > end:
            raise refuse(
                "E5080",
                f"engines work on `{database.url}`, so nobody else can remove or take in runs",
                "let them do it: `policy: {retention: {completed: 30d}}` in the stack that they serve",
                "or end them first: `dirigent serve` ends in order at SIGTERM",
            )
        await asyncio.sleep(RETRY_SECONDS)


async def _renew(database: Database, fences: Sequence[Fence]) -> None:
    """Renew the leases. While the database is away they run out, and nothing more is removed."""
    while True:
        await asyncio.sleep(RENEW_SECONDS)
        try:
            await database.leases.renew(fences)
        except (Lost, Again, Refusal):
            continue


async def _ended(renewing: asyncio.Task[None]) -> None:
    renewing.cancel()
    await asyncio.wait([renewing])


async def _given_back(database: Database, fences: Sequence[Fence]) -> None:
    try:
        await database.leases.release(fences, leaving=True)
    except (Lost, Again):
        return


def _unfinished(url: DatabaseUrl, why: Exception) -> Refusal:
    return refuse(
        "E5041",
        f"the database `{url}` did not finish making room: {why}",
        "nothing is lost: its own vacuum goes on with it, or give the command again",
    )
