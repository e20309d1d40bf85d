"""A store with the faults of a real one: commits that are slow, shared, lost, or whose answer is lost.

What waits while one commit is under way goes into the next, all or nothing, as in the real store.
Every place at which a process can die or a disk can fail is passed through `passing`, by its name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import field
from typing import Final, TypeAlias

from dirigent.model.events.listening import Arrived, Event, Place, Tell
from dirigent.model.ids import Digest, RunId
from dirigent.model.problem import Refusal
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Fact
from dirigent.ports import AWAKE, Past, Waking
from dirigent.testing.memory import MemoryStore
from dirigent.testing.shelf import MemoryDisk, MemoryLog

Passing: TypeAlias = Callable[[str], Awaitable[None]]
"""Called with the name of each place: it may take its time, raise a `Refusal`, or never return."""

PLACES: Final = (
    "append asked",
    "commit before",
    "commit after",
    "append answered",
    "keep",
    "read",
    "snapshot",
    "log read",
    "event before",
    "event after",
)


@dataclass(frozen=True, slots=True)
class Commit:
    """One append that became durable: by which opening of the store, which was the `newest`, and what."""

    epoch: int
    newest: int
    run: RunId
    first: int
    facts: Sequence[Fact]


@dataclass(slots=True)
class SimulatedDisk(MemoryDisk):
    """A disk that remembers in which order what was written, and by whom."""

    commits: list[Commit] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    run: RunId
    expected: int
    facts: Sequence[Fact]
    wake_at: float
    answer: asyncio.Future[None]
    tells: Sequence[Tell] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedLog(MemoryLog):
    """The log of events of a store, with the places at which it can fail."""

    passing: Passing

    async def take_events(self, events: Sequence[tuple[float, Event]]) -> list[bool]:
        """Put events into the log; return of each whether it is new. Durable on return."""
        await self.passing("event before")
        # Not `super()`: a class with slots is made twice.
        taken = await MemoryLog.take_events(self, events)
        await self.passing("event after")
        return taken

    async def events(
        self, since: float, after: Place, limit: int, types: Collection[str] | None = None
    ) -> list[Arrived]:
        """Return events that arrived at a time or later, behind a place, oldest first."""
        await self.passing("log read")
        return await MemoryLog.events(self, since, after, limit, types)


class SimulatedStore(MemoryStore):
    """Fits `ports.Journal` and `ports.Shelf`; each one is an opening that fences off older ones."""

    def __init__(self, disk: SimulatedDisk, passing: Passing) -> None:
        """Open a disk; `passing` decides what happens at each place."""
        super().__init__(disk)
        self.epoch = disk.epoch
        self.commits = disk.commits
        self._passing = passing
        self._queue: list[_Waiting] = []
        self._writer: asyncio.Task[None] | None = None

    @property
    def stale(self) -> bool:
        """Return whether a newer opening has taken the disk over."""
        return self.epoch != self.disk.epoch

    @property
    def log(self) -> SimulatedLog:
        """Return the log of events."""
        return SimulatedLog(self.disk, self._open, self._check, self._passing)

    async def append(
        self,
        run: RunId,
        expected: int,
        facts: Sequence[Fact],
        wake_at: float = AWAKE,
        tells: Sequence[Tell] = (),
    ) -> None:
        """Store the facts at `expected`, or raise `Refusal`; a cancelled caller's append stands."""
        await self._passing("append asked")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(run, expected, tuple(facts), wake_at, loop.create_future(), tells)
        self._queue.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = loop.create_task(self._write())
        await asyncio.shield(waiting.answer)
        await self._passing("append answered")

    async def read(self, run: RunId, since: int = 0) -> list[Fact]:
        """Return the facts from a position on, oldest first."""
        await self._passing("read")
        return await super().read(run, since)

    async def recall(self, runs: Sequence[RunId]) -> list[Past | Refusal]:
        """Return what is known of each run, in their order."""
        await self._passing("read")
        return await super().recall(runs)

    async def wakings(self, after: Waking, limit: int) -> list[Waking]:
        """Return the next wakings of open runs, by time."""
        await self._passing("read")
        return await super().wakings(after, limit)

    async def keep_snapshot(self, run: RunId, position: int, content: bytes) -> None:
        """Keep what the first facts of an open run come to."""
        await self._passing("snapshot")
        await super().keep_snapshot(run, position, content)

    async def keep(self, program: Program) -> Digest:
        """Store a definition under its content hash."""
        await self._passing("keep")
        return await super().keep(program)

    async def _write(self) -> None:
        """Commit what waits, again and again until nothing does."""
        while self._queue:
            try:
                await self._passing("commit before")
            except Refusal as refusal:
                batch, self._queue = self._queue, []
                _answer(batch, dict.fromkeys(map(id, batch), refusal))
                continue
            batch, self._queue = self._queue, []
            refused = self.commit_batch(batch)
            try:
                await self._passing("commit after")
            except Refusal as refusal:
                refused = dict.fromkeys(map(id, batch), refusal)
            self.answer(batch, refused)

    def commit_batch(self, batch: Sequence[_Waiting]) -> dict[int, Refusal]:
        """Make a batch durable, and return which appends of it were refused."""
        refused: dict[int, Refusal] = {}
        for each in batch:
            try:
                self.commit(each.run, each.expected, each.facts, each.wake_at, each.tells)
            except Refusal as refusal:
                refused[id(each)] = refusal
            else:
                if each.facts:
                    self.commits.append(
                        Commit(self.epoch, self.disk.epoch, each.run, each.expected, each.facts)
                    )
        return refused

    def answer(self, batch: Sequence[_Waiting], refused: dict[int, Refusal]) -> None:
        """Tell everybody of a batch what became of it."""
        _answer(batch, refused)


def _answer(batch: Sequence[_Waiting], refused: dict[int, Refusal]) -> None:
    for each in batch:
        if each.answer.done():
            continue
        if id(each) in refused:
            each.answer.set_exception(refused[id(each)])
        else:
            each.answer.set_result(None)
