"""The sessions of one process with one database: one that writes, one that reads, one for leases."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Self

from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres.leases import Leases
from dirigent.stores.postgres.reading import Reader
from dirigent.stores.postgres.session import migrating
from dirigent.stores.postgres.session.link import Link
from dirigent.stores.postgres.writer.commit import GroupCommit
from dirigent.stores.postgres.writer.writing import Writer
from dirigent.stores.programs import Programs

PATIENCE_SECONDS = 30.0
AWAKE = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Database:
    """The sessions of one process with one database, made by `opened`."""

    url: DatabaseUrl
    leases: Leases
    reader: Reader
    writer: Writer
    queue: GroupCommit
    links: tuple[Link, ...]
    programs: Programs = field(default_factory=Programs)

    @classmethod
    async def opened(
        cls,
        url: DatabaseUrl,
        owner: str,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        migrations: Sequence[migrating.Migration] | None = None,
    ) -> Self:
        """Open the store of a database, with this release's schema; `owner` names the engine of this process.

        Raises `Refusal`: E5041 not there, E5042 not permitted, E5043 of another release or program,
        E5046 a server that will not do, E5049 no such URL.
        """
        links = tuple(Link(url, patience_seconds) for _ in range(3))
        reading, writing, leasing = links
        async with AsyncExitStack() as undone:
            undone.push_async_callback(reading.close)
            await migrating.migrate(reading, migrating.known() if migrations is None else migrations)
            undone.pop_all()
        leases = Leases(leasing, owner)
        writer = Writer(writing, leases.raise_tokens)
        return cls(url, leases, Reader(reading), writer, GroupCommit(url, writer.commit), links)

    async def close(self) -> None:
        """Wait for what is under way, and end every session."""
        await self.queue.close()
        for link in self.links:
            await link.close()

    async def abandon(self) -> None:
        """Let everything go as a crash would."""
        await self.queue.abandon()
        for link in self.links:
            link.abandon()
