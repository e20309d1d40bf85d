"""The journal and the shelf on PostgreSQL, as the owner of a shard sees them, or as anybody does.

Anybody may ask anything; runs are written only through the fence of their shard.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dirigent.model.events.listening import Tell
from dirigent.model.ids import Digest, RunId, digest_of
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Fact
from dirigent.model.run.retention import Pruned, Retention
from dirigent.ports import AWAKE, Past, Waking
from dirigent.stores import codec
from dirigent.stores.postgres import records
from dirigent.stores.postgres.keeping.archive import PostgresArchive
from dirigent.stores.postgres.log import PostgresLog
from dirigent.stores.postgres.session.statements import SQL
from dirigent.stores.postgres.shelf import PostgresShelf
from dirigent.stores.postgres.writer.batch import Append
from dirigent.stores.projection import Title, large


@dataclass(frozen=True, slots=True, eq=False)
class PostgresStore(PostgresShelf):
    """A store in a database; fits `ports.Journal` and `ports.Shelf`.

    With a fence it writes the runs of that shard and lists no others; without, it writes no runs.
    """

    async def append(
        self,
        run: RunId,
        expected: int,
        facts: Sequence[Fact],
        wake_at: float = AWAKE,
        tells: Sequence[Tell] = (),
    ) -> None:
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
        granted = self.fence.fulfilled(run, facts) if self.fence.expected else ()
        content = records.joined(contents)
        job = Append(self.fence, run, expected, tuple(facts), content, wake_at, granted, tells)
        await self.database.queue.submit(job)
        if granted:
            self.fence.granted.update(granted)

    async def read(self, run: RunId, since: int = 0) -> list[Fact]:
        """Return the facts from a position on, oldest first; empty for a run that does not exist."""
        return await self.database.reader.facts(run, since)

    async def recall(self, runs: Sequence[RunId]) -> list[Past | Refusal]:
        """Return what is known of each run, in their order."""
        return await self.database.reader.pasts(runs)

    async def wakings(self, after: Waking, limit: int) -> list[Waking]:
        """Return the next wakings of open runs behind `after`, by time, then by id."""
        return await self.database.reader.wakings(self.fence.shard if self.fence else None, after, limit)

    async def keep_snapshot(self, run: RunId, position: int, content: bytes) -> None:
        """Keep what the first facts of an open run come to; one that has ended needs none."""
        await self.database.links[0].fetch(SQL["keep_snapshot"], run, position, content)
        head = self.fence.heads.get(run) if self.fence else None
        if head is not None and self.fence is not None:
            self.fence.heads[run] = replace(head, snapshot=True)

    async def keep(self, program: Program) -> Digest:
        """Store a definition under its content hash; anybody may, the same content is stored once."""
        known = self.database.kept(program)
        if known is not None:
            return known
        async with self.database.keeping:
            return self.database.kept(program) or await self._keep(program)

    async def _keep(self, program: Program) -> Digest:
        content = codec.encode(program)
        digest = digest_of(content)
        title = Title(program.name, program.kind)
        await self.database.links[0].fetch(SQL["keep_definition"], digest, title.name, title.kind, content)
        self.database.writer.entitle(digest, title)
        self.database.programs.remember(digest, program)
        self.database.said(digest)
        return digest

    async def definition(self, digest: Digest) -> Program:
        """Return a stored definition, or raise `Refusal` (E5004)."""
        program = self.database.programs.get(digest)
        if program is None:
            program = await self.database.reader.definition(digest)
            self.database.programs.remember(digest, program)
        return program

    @property
    def archive(self) -> PostgresArchive:
        """Return what removes and takes in runs of this shard."""
        fence = self.fence
        return PostgresArchive(self.database, lambda: [] if fence is None else [fence])

    async def prunable(self, policy: Retention, now: float, limit: int) -> list[RunId]:
        """Return ended runs of this shard that a policy no longer keeps, oldest end first."""
        return await self.archive.prunable(policy, now, limit)

    async def prune(self, runs: Sequence[RunId]) -> Pruned:
        """Remove those of the runs that have ended, each whole, and return how much that was."""
        return await self.archive.prune(runs)

    async def take_in(self, run: RunId, facts: Sequence[Fact]) -> None:
        """Store the journal of a run from elsewhere; resources stay as they are."""
        await self.archive.take_in(run, facts, self.fence.shard if self.fence else -1)

    async def forget_plans(self, older_seconds: float) -> None:
        """Remove plans that were kept so long ago and whose program is not stored any more."""
        await self.archive.forget_plans(older_seconds)

    @property
    def log(self) -> PostgresLog:
        """Return the log of events."""
        return PostgresLog(self.database, self.fence)

    async def close(self) -> None:
        """End every session with the database."""
        await self.database.close()
