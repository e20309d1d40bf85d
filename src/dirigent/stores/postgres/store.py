"""Everything that one process does with one database: its connections, its writer, its reads.

Anybody may ask anything; runs are written only through the fence of their shard.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Self

from dirigent.model.ids import Digest, PlanId, RunId, digest_of
from dirigent.model.plan import Plan
from dirigent.model.problem import refuse
from dirigent.model.program import Program
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import Fact
from dirigent.model.run.summary import RunSummary
from dirigent.settings import DatabaseUrl
from dirigent.stores import codec
from dirigent.stores.postgres import migrating, records
from dirigent.stores.postgres.batch import Append
from dirigent.stores.postgres.commit import GroupCommit
from dirigent.stores.postgres.fence import Fence
from dirigent.stores.postgres.leases import Leases
from dirigent.stores.postgres.link import Link
from dirigent.stores.postgres.reading import Reader, plan_of
from dirigent.stores.postgres.statements import SQL
from dirigent.stores.postgres.writing import Writer
from dirigent.stores.programs import Programs
from dirigent.stores.projection import Title, another_plan, large

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

    def store(self, fence: Fence | None = None) -> PostgresStore:
        """Return the store as the owner of a shard sees it; without a fence, as anybody does."""
        return PostgresStore(self, fence)

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


@dataclass(frozen=True, slots=True, eq=False)
class PostgresStore:
    """A store in a database; fits `ports.Journal` and `ports.Shelf`.

    With a fence it writes the runs of that shard and lists no others; without, it writes no runs.
    """

    database: Database
    fence: Fence | None = None

    async def append(self, run: RunId, expected: int, facts: Sequence[Fact]) -> None:
        """Store the facts at `expected`; durable on return. Raises `Refusal`, see `docs/problems`."""
        if self.fence is None:
            raise refuse(
                "E5044",
                f"run `{run}` cannot be written to from here: no shard is owned",
                "this is a defect of Dirigent: please report it",
            )
        contents = [codec.encode_fact(fact) for fact in facts]
        for content in contents:
            large(run, content)
        job = Append(self.fence, run, expected, tuple(facts), records.joined(contents), AWAKE)
        await self.database.queue.submit(job)

    async def read(self, run: RunId) -> list[Fact]:
        """Return every fact, oldest first; empty for a run that does not exist."""
        return await self.database.reader.facts(run)

    async def keep(self, program: Program) -> Digest:
        """Store a definition under its content hash; anybody may, the same content is stored once."""
        known = self.database.programs.digest_of(program)
        if known is not None:
            return known
        content = codec.encode(program)
        digest = digest_of(content)
        title = Title(program.name, program.kind)
        await self.database.links[0].fetch(SQL["keep_definition"], digest, title.name, title.kind, content)
        self.database.writer.entitle(digest, title)
        self.database.programs.remember(digest, program)
        return digest

    async def definition(self, digest: Digest) -> Program:
        """Return a stored definition, or raise `Refusal` (E5004)."""
        program = self.database.programs.get(digest)
        if program is None:
            program = await self.database.reader.definition(digest)
            self.database.programs.remember(digest, program)
        return program

    async def runs(self, *, only_open: bool = False, limit: int = 50) -> list[RunSummary]:
        """Return runs, newest first."""
        shard = None if self.fence is None else self.fence.shard
        return await self.database.reader.runs(shard, only_open=only_open, limit=limit)

    async def run(self, run: RunId) -> RunSummary | None:
        """Return one run."""
        return await self.database.reader.run(run)

    async def row(self, address: str) -> ResourceRow | None:
        """Return one resource instance."""
        return await self.database.reader.row(address)

    async def rows(self) -> list[ResourceRow]:
        """Return every resource instance, by address."""
        return await self.database.reader.rows()

    async def history(self, address: str) -> list[tuple[float, RunId, ResourceRow | None]]:
        """Return what one instance was and is, oldest first; None where it was deleted."""
        return await self.database.reader.history(address)

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan under its id; another plan under a taken id is refused (E5015)."""
        content = codec.encode(plan)
        await self.database.links[0].fetch(SQL["keep_plan"], plan.id, content)
        if await self.database.reader.plan(plan.id) != content:
            raise another_plan(plan.id)

    async def plan(self, plan: PlanId) -> Plan | None:
        """Return a stored plan."""
        return plan_of(await self.database.reader.plan(plan))

    async def close(self) -> None:
        """End every session with the database."""
        await self.database.close()
