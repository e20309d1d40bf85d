"""The sessions of one process with one database: one that writes, one that reads, one for leases."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import field
from time import monotonic
from typing import Self

from dirigent.model.ids import Digest
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres.leases import Leases
from dirigent.stores.postgres.reading import Reader
from dirigent.stores.postgres.session import migrating
from dirigent.stores.postgres.session.hints import Hints
from dirigent.stores.postgres.session.link import Link
from dirigent.stores.postgres.session.statements import SQL
from dirigent.stores.postgres.writer.commit import GroupCommit
from dirigent.stores.postgres.writer.writing import Writer
from dirigent.stores.programs import Programs

PATIENCE_SECONDS = 30.0
# What nothing names is removed when it is a day old: who is about to name a definition says so this often.
KEPT_SECONDS = 3_600.0
PROGRAMS_TOLD = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class Database:
    """The sessions of one process with one database, made by `opened`."""

    url: DatabaseUrl
    leases: Leases
    reader: Reader
    writer: Writer
    queue: GroupCommit
    hints: Hints
    links: tuple[Link, ...]
    programs: Programs = field(default_factory=Programs)
    keeping: asyncio.Lock = field(default_factory=asyncio.Lock)
    told: dict[Digest, float] = field(default_factory=dict)

    @classmethod
    async def opened(
        cls,
        url: DatabaseUrl,
        owner: str,
        *,
        title: str = "",
        patience_seconds: float = PATIENCE_SECONDS,
        migrations: Sequence[migrating.Migration] | None = None,
    ) -> Self:
        """Open the store of a database, with this release's schema; `owner` names the engine of this process.

        Raises `Refusal`: E5041 not there, E5042 not permitted, E5043 of another release or program,
        E5046 a server that will not do, E5049 no such URL.
        """
        database = cls._made(url, owner, title, patience_seconds)
        async with AsyncExitStack() as undone:
            undone.push_async_callback(database.close)
            known = migrating.known() if migrations is None else migrations
            await migrating.migrate(database.links[0], known)
            undone.pop_all()
        return database

    @classmethod
    def _made(cls, url: DatabaseUrl, owner: str, title: str, patience_seconds: float) -> Self:
        links = tuple(Link(url, patience_seconds, owner) for _ in range(3))
        reading, writing, leasing = links
        hints = Hints(leasing)
        leasing.heard = hints.hear
        leases = Leases(leasing, owner, title)
        writer = Writer(writing, leases.raise_tokens)
        queue = GroupCommit(url, writer.commit)
        return cls(url, leases, Reader(reading), writer, queue, hints, links)

    @classmethod
    async def as_it_is(cls, url: DatabaseUrl, owner: str) -> Self | None:
        """Open a database to read it and change nothing; None when there is no store in it yet."""
        database = cls._made(url, owner, "", PATIENCE_SECONDS)
        async with AsyncExitStack() as undone:
            undone.push_async_callback(database.close)
            version, keeps = await migrating.examine(database.links[0])
            migrating.check_readable(url, version, keeps)
            if version:
                undone.pop_all()
        return database if version else None

    def kept(self, program: Program) -> Digest | None:
        """Return the digest of a program that was kept a short while ago; None when it must be said again."""
        digest = self.programs.digest_of(program)
        at = self.told.get(digest) if digest is not None else None
        return None if at is None or monotonic() > at + KEPT_SECONDS else digest

    def said(self, digest: Digest) -> None:
        """Note that a definition was kept now."""
        if len(self.told) >= PROGRAMS_TOLD:
            del self.told[next(iter(self.told))]
        self.told[digest] = monotonic()

    async def engines(self) -> int:
        """Return how many engines live on this database."""
        ((living,),) = await self.links[0].fetch(SQL["living"])
        return int(str(living))

    async def close(self) -> None:
        """Wait for what is under way, and end every session."""
        await self.queue.close()
        await self.hints.flush()
        for link in self.links:
            await link.close()

    async def abandon(self) -> None:
        """Let everything go as a crash would."""
        await self.queue.abandon()
        for link in self.links:
            link.abandon()
