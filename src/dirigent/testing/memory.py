"""A store in memory with the contract of the real one: same codec, same projection, same refusals.

A `MemoryDisk` is what survives a crash of the engine; each `MemoryStore` on it is one opening for
writing, and fences off those before it.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Sequence

from dirigent.model.events.listening import Tell
from dirigent.model.ids import Digest, RunId, digest_of
from dirigent.model.problem import Refusal
from dirigent.model.program import Program
from dirigent.model.run.journal import Created, Fact
from dirigent.ports import AWAKE, Past, Waking
from dirigent.stores import codec
from dirigent.stores.projection import (
    EarChanged,
    Title,
    apply_begins,
    expect,
    large,
    missing_definition,
    project,
    told,
)
from dirigent.testing.shelf import MemoryShelf


class MemoryStore(MemoryShelf):
    """A store in memory; fits `ports.Journal` and `ports.Shelf`. Deterministic, on one event loop."""

    async def append(
        self,
        run: RunId,
        expected: int,
        facts: Sequence[Fact],
        wake_at: float = AWAKE,
        tells: Sequence[Tell] = (),
    ) -> None:
        """Store the facts at `expected`, or raise `Refusal`; a cancelled caller's append stands."""
        self.commit(run, expected, facts, wake_at, tells)
        # The real store lets others run before it answers; so does this one.
        await asyncio.sleep(0)

    async def take_in(self, run: RunId, facts: Sequence[Fact]) -> None:
        """Store the journal of a run from elsewhere; resources stay as they are."""
        self._store(run, 0, facts, AWAKE, foreign=True)

    def commit(
        self,
        run: RunId,
        expected: int,
        facts: Sequence[Fact],
        wake_at: float = AWAKE,
        tells: Sequence[Tell] = (),
    ) -> None:
        """Make the facts durable at once, or raise `Refusal`."""
        self._store(run, expected, facts, wake_at, tells)

    def _store(
        self,
        run: RunId,
        expected: int,
        facts: Sequence[Fact],
        wake_at: float,
        tells: Sequence[Tell] = (),
        *,
        foreign: bool = False,
    ) -> None:
        contents = [codec.encode_fact(fact) for fact in facts]
        for content in contents:
            large(run, content)
        self._check()
        journal = self.disk.journals.get(run, [])
        expect(run, expected, len(journal), len(contents))
        first = facts[0] if facts else None
        title = self.disk.titles.get(first.definition) if isinstance(first, Created) else None
        result = project(run, self.disk.standings.get(run), facts, title, wake_at)
        if title is not None and not foreign and apply_begins(run, title, facts, self.disk.newest_apply):
            self.disk.newest_apply = run
        self.disk.journals.setdefault(run, []).extend(contents)
        self.disk.standings[run] = result.standing
        if result.standing.phase is not None:
            self.disk.snapshots.pop(run, None)
        for change in told(run, facts, tells, result.changes):
            if not foreign or isinstance(change, EarChanged):
                self.disk.change(change)

    async def read(self, run: RunId, since: int = 0) -> list[Fact]:
        """Return the facts from a position on, oldest first; empty for a run that does not exist."""
        self._open()
        return self._facts(run, since)

    def _facts(self, run: RunId, since: int) -> list[Fact]:
        return [codec.decode_fact(content) for content in self.disk.journals.get(run, ())[since:]]

    async def recall(self, runs: Sequence[RunId]) -> list[Past | Refusal]:
        """Return what is known of each run, in their order."""
        self._open()
        return [self._past(run) for run in runs]

    def _past(self, run: RunId) -> Past | Refusal:
        position, snapshot = self.disk.snapshots.get(run, (0, None))
        try:
            return Past(self._facts(run, position), position, snapshot)
        except Refusal as why:
            return why

    async def wakings(self, after: Waking, limit: int) -> list[Waking]:
        """Return the next wakings of open runs behind `after`, by time, then by id."""
        self._open()
        standings = self.disk.standings.values()
        found = ((where.wake_at, where.id) for where in standings if where.wake_at is not None)
        return heapq.nsmallest(limit, (waking for waking in found if waking > after))

    async def keep_snapshot(self, run: RunId, position: int, content: bytes) -> None:
        """Keep what the first facts of an open run come to; one that has ended needs none."""
        self._check()
        where = self.disk.standings.get(run)
        if where is not None and where.phase is None and position <= len(self.disk.journals[run]):
            self.disk.snapshots[run] = (position, content)

    async def keep(self, program: Program) -> Digest:
        """Store a definition under its content hash; the same content is stored once."""
        self._check()
        content = codec.encode(program)
        digest = digest_of(content)
        self.disk.definitions[digest] = content
        self.disk.titles[digest] = Title(program.name, program.kind)
        return digest

    async def definition(self, digest: Digest) -> Program:
        """Return a stored definition, or raise `Refusal` (E5004)."""
        self._open()
        if digest not in self.disk.definitions:
            raise missing_definition(digest)
        return codec.decode(self.disk.definitions[digest], Program)
