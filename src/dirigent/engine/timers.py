"""When runs are to be woken: the nearest times in memory, the rest in the store.

Law: whatever comes at or before the edge is in memory; a sleeper that wakes later is in the store alone,
and is found when the window is filled again. One sleeping task for all of it, and none for a run.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import field
from typing import Final

from dirigent.model import limits
from dirigent.model.ids import RunId
from dirigent.model.record import dataclass
from dirigent.ports import AWAKE, NEVER, Clock, Journal, Waking

# Behind every run that is awake, and before every one that has a time; and behind all that have one.
FIRST: Final[Waking] = (math.nextafter(AWAKE, 1.0), RunId(""))
LAST: Final[Waking] = (NEVER, RunId(""))
# So many runs are woken together; who is due after them comes with the next ones.
TOGETHER: Final = 500
SPARE: Final = 64


@dataclass(slots=True, eq=False)
class Agenda:
    """One time for each run. An entry of the heap that is no longer true is passed over."""

    _times: dict[RunId, float] = field(default_factory=dict)
    _heap: list[Waking] = field(default_factory=list)

    def __len__(self) -> int:
        """Return how many runs have a time."""
        return len(self._times)

    def time_of(self, run: RunId) -> float:
        """Return the time of a run, `NEVER` if it has none."""
        return self._times.get(run, NEVER)

    def put(self, run: RunId, at: float) -> None:
        """Give a run a time, in place of any other."""
        if self._times.get(run) == at:
            return
        self._times[run] = at
        heapq.heappush(self._heap, (at, run))
        if len(self._heap) > 2 * len(self._times) + SPARE:
            self._rebuild((time, each) for each, time in self._times.items())

    def drop(self, run: RunId) -> None:
        """Take the time of a run away."""
        self._times.pop(run, None)

    def first(self) -> float:
        """Return the nearest time, `NEVER` when there is none."""
        while self._heap and self._times.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else NEVER

    def take(self, now: float, most: int) -> list[RunId]:
        """Return the runs whose time has come, in its order, and take their times away."""
        due: list[RunId] = []
        while len(due) < most and self.first() <= now:
            _, run = heapq.heappop(self._heap)
            del self._times[run]
            due.append(run)
        return due

    def cut(self, most: int) -> Waking:
        """Keep the nearest times only, and return the last one that is kept."""
        kept = heapq.nsmallest(most, ((at, run) for run, at in self._times.items()))
        self._times = {run: at for at, run in kept}
        self._rebuild(kept)
        return kept[-1]

    def _rebuild(self, wakings: Iterable[Waking]) -> None:
        self._heap = list(wakings)
        heapq.heapify(self._heap)


@dataclass(slots=True, eq=False)
class Timers:
    """`wake` takes runs whose time has come, in order of time; it returns when they have been turned.

    Runs that are in memory have alarms; those that are not are sleepers, of which a window is known here.
    """

    clock: Clock
    journal: Journal
    wake: Callable[[Sequence[RunId]], Awaitable[None]]
    _alarms: Agenda = field(default_factory=Agenda)
    _sleepers: Agenda = field(default_factory=Agenda)
    _edge: Waking = FIRST
    _filling: bool = False
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def alarm(self, run: RunId, at: float) -> None:
        """A run in memory has a timer. It may have others: the nearest counts."""
        self._sleepers.drop(run)
        if at < self._alarms.time_of(run):
            self._alarms.put(run, at)
            self._stir(at)

    def sleep(self, run: RunId, at: float) -> None:
        """A run has left memory until some time; the store knows that."""
        self.forget(run)
        if at == NEVER or ((at, run) > self._edge and not self._filling):
            return
        self._sleepers.put(run, at)
        self._stir(at)
        if len(self._sleepers) > 2 * limits.TIMERS_IN_MEMORY and not self._filling:
            self._edge = min(self._edge, self._sleepers.cut(limits.TIMERS_IN_MEMORY))

    def forget(self, run: RunId) -> None:
        """A run has no time any more: it is in memory again, or over."""
        self._alarms.drop(run)
        self._sleepers.drop(run)

    @property
    def count(self) -> int:
        """Return how many runs have a time here."""
        return len(self._alarms) + len(self._sleepers)

    async def fill(self) -> None:
        """Take the next sleepers of the store into the window."""
        # What falls asleep meanwhile may or may not be seen by the store's answer: all of it is kept.
        self._filling = True
        try:
            found = await self.journal.wakings(self._edge, limits.TIMERS_IN_MEMORY)
        finally:
            self._filling = False
        for at, run in found:
            # What was said here since then is newer than what the store answered.
            known = min(self._alarms.time_of(run), self._sleepers.time_of(run))
            if at < NEVER == known:
                self._sleepers.put(run, at)
        last = found[-1] if len(found) == limits.TIMERS_IN_MEMORY else LAST
        self._edge = min(last, LAST)

    async def serve(self) -> None:
        """Wake runs for ever. Cancel to stop."""
        while True:
            self._changed.clear()
            if self._edge < LAST and len(self._sleepers) < limits.TIMERS_IN_MEMORY // 2:
                await self.fill()
            now = self.clock.now()
            due = [*self._alarms.take(now, TOGETHER), *self._sleepers.take(now, TOGETHER)]
            if due:
                await self.wake(tuple(dict.fromkeys(due)))
            else:
                await self._pause(min(self._alarms.first(), self._sleepers.first()))

    def _stir(self, at: float) -> None:
        """Look again, if this is nearer than all that was known."""
        if at <= min(self._alarms.first(), self._sleepers.first()):
            self._changed.set()

    async def _pause(self, until: float) -> None:
        waits = [asyncio.ensure_future(self._heard())]
        if until < NEVER:
            waits.append(asyncio.ensure_future(self.clock.sleep_until(until)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _heard(self) -> None:
        await self._changed.wait()
