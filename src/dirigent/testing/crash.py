"""Death at a chosen place, as a process dies: nothing is cleaned up, nothing goes on afterwards."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Protocol

from dirigent.model.events.cursor import Cursor
from dirigent.model.events.listening import Arrived, Event, Listener, Place, Tell
from dirigent.model.ids import Digest, PlanId, RunId
from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal
from dirigent.model.program import Program
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import Fact
from dirigent.model.run.summary import RunSummary
from dirigent.ports import AWAKE, Journal, Past, Shelf, Waking
from dirigent.ports.events import Logged, Outbox


class Crash(BaseException):
    """The process is dead. Not an `Exception`: no handler of the engine may survive it."""


class Fuse:
    """Counts the places where a process can die, and burns through at chosen ones.

    `Fuse(7)` dies at the seventh place; `Fuse(7, 2)` dies there, and after `revive` at the second
    place of the next life. Between death and `revive` every place is deadly, as for a dead process.
    """

    def __init__(self, *deaths: int) -> None:
        """Take the counts, from 1 on, one for each life; without any it only counts."""
        self.places: list[str] = []
        self.dead = False
        self.lives = 1
        self._deaths = list(deaths)

    def burn(self, place: str) -> None:
        """Pass a place, or die there with `Crash`."""
        if self.dead:
            raise Crash(f"{place}: this process is dead already")
        self.places.append(place)
        if self._deaths and len(self.places) == self._deaths[0]:
            self._deaths.pop(0)
            self.dead = True
            raise Crash(place)

    def revive(self) -> None:
        """Begin the next life, which counts its places anew."""
        self.dead = False
        self.lives += 1
        self.places = []


class Store(Journal, Shelf, Logged, Protocol):
    """The ports of a store."""


class FusedLog:
    """A log of events that burns a fuse before and after each taking in."""

    def __init__(self, log: Outbox, fuse: Fuse) -> None:
        """Put a fuse before a log."""
        self.log = log
        self.fuse = fuse

    async def take_events(self, events: Sequence[tuple[float, Event]]) -> list[bool]:
        """Put events into the log, unless the process dies before; it may also die before it learns of it."""
        self.fuse.burn("before events")
        fresh = await self.log.take_events(events)
        self.fuse.burn("after events")
        return fresh

    async def events(
        self, since: float, after: Place, limit: int, types: Collection[str] | None = None
    ) -> list[Arrived]:
        """Return events of the log."""
        return await self.log.events(since, after, limit, types)

    async def log_end(self) -> Place:
        """Return the place of the newest event."""
        return await self.log.log_end()

    async def forget(self, before: float, most: int, needed: float = math.inf) -> int:
        """Remove events."""
        return await self.log.forget(before, most, needed)

    async def cursors(self) -> list[Cursor]:
        """Return how far each sink is."""
        return await self.log.cursors()

    async def keep_cursor(self, cursor: Cursor) -> None:
        """Remember a sink."""
        await self.log.keep_cursor(cursor)

    async def claim(self, sink: str, holder: str, seconds: float) -> Place | None:
        """Become the one who delivers to a sink."""
        return await self.log.claim(sink, holder, seconds)

    async def advance(self, sink: str, holder: str, place: Place) -> bool:
        """Move a cursor, unless the process dies before; it may also die before it learns of it."""
        self.fuse.burn(f"before cursor {place[1]}")
        ours = await self.log.advance(sink, holder, place)
        self.fuse.burn(f"after cursor {place[1]}")
        return ours

    async def drop_cursor(self, sink: str) -> None:
        """Forget a sink."""
        await self.log.drop_cursor(sink)

    async def listeners(self) -> list[Listener]:
        """Return every task that listens."""
        return await self.log.listeners()


class FusedStore:
    """A store that burns a fuse before and after each append; all else passes through."""

    def __init__(self, store: Store, fuse: Fuse) -> None:
        """Put a fuse before a store."""
        self.store = store
        self.fuse = fuse
        self.log: Outbox = FusedLog(store.log, fuse)

    async def append(
        self,
        run: RunId,
        expected: int,
        facts: Sequence[Fact],
        wake_at: float = AWAKE,
        tells: Sequence[Tell] = (),
    ) -> None:
        """Append, unless the process dies before; it may also die before it learns of the success."""
        what = f"{run}@{expected} {' '.join(type(fact).__name__ for fact in facts)}"
        self.fuse.burn(f"before {what}")
        await self.store.append(run, expected, facts, wake_at, tells)
        self.fuse.burn(f"after {what}")

    async def read(self, run: RunId, since: int = 0) -> list[Fact]:
        """Return the facts from a position on, oldest first."""
        return await self.store.read(run, since)

    async def recall(self, runs: Sequence[RunId]) -> list[Past | Refusal]:
        """Return what is known of each run."""
        return await self.store.recall(runs)

    async def wakings(self, after: Waking, limit: int) -> list[Waking]:
        """Return the next wakings."""
        return await self.store.wakings(after, limit)

    async def keep_snapshot(self, run: RunId, position: int, content: bytes) -> None:
        """Keep a snapshot: a cache, so there is no death here that an append does not have."""
        await self.store.keep_snapshot(run, position, content)

    async def keep(self, program: Program) -> Digest:
        """Store a definition."""
        return await self.store.keep(program)

    async def definition(self, digest: Digest) -> Program:
        """Return a stored definition."""
        return await self.store.definition(digest)

    async def runs(self, *, only_open: bool = False, limit: int = 50) -> list[RunSummary]:
        """Return runs, newest first."""
        return await self.store.runs(only_open=only_open, limit=limit)

    async def run(self, run: RunId) -> RunSummary | None:
        """Return one run."""
        return await self.store.run(run)

    async def row(self, address: str) -> ResourceRow | None:
        """Return one resource instance."""
        return await self.store.row(address)

    async def rows(self) -> list[ResourceRow]:
        """Return every resource instance."""
        return await self.store.rows()

    async def history(self, address: str) -> list[tuple[float, RunId, ResourceRow | None]]:
        """Return what one instance was and is."""
        return await self.store.history(address)

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan."""
        await self.store.keep_plan(plan)

    async def plan(self, plan: PlanId) -> Plan | None:
        """Return a stored plan."""
        return await self.store.plan(plan)
