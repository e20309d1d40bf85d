"""All timers of all runs: one heap and one sleeping task, however many runs wait."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from dirigent.model.ids import Position, RunId
from dirigent.ports import Clock


@dataclass(frozen=True, slots=True, order=True)
class Alarm:
    """A timer of one run that fires at `until`."""

    until: float
    run: RunId
    position: Position
    attempt: int
    purpose: str


@dataclass(slots=True)
class Timers:
    """`ring` is called for every alarm whose time has come, in order of time."""

    clock: Clock
    ring: Callable[[Alarm], None]
    _heap: list[Alarm] = field(default_factory=list)
    _known: dict[RunId, set[Alarm]] = field(default_factory=dict)
    _sooner: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, alarm: Alarm) -> None:
        """Set an alarm; the same one twice rings once."""
        known = self._known.setdefault(alarm.run, set())
        if alarm in known:
            return
        known.add(alarm)
        heapq.heappush(self._heap, alarm)
        if self._heap[0] is alarm:
            self._sooner.set()

    def forget(self, run: RunId) -> None:
        """Let no alarm of a run ring any more: the run is over."""
        self._known.pop(run, None)

    @property
    def count(self) -> int:
        """Return how many alarms are set."""
        return sum(len(known) for known in self._known.values())

    async def serve(self) -> None:
        """Ring alarms for ever. Cancel to stop."""
        while True:
            self._sooner.clear()
            self._ring_due()
            waits = {asyncio.ensure_future(self._changed())}
            if self._heap:
                waits.add(asyncio.ensure_future(self.clock.sleep_until(self._heap[0].until)))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()

    async def _changed(self) -> None:
        await self._sooner.wait()

    def _ring_due(self) -> None:
        now = self.clock.now()
        while self._heap and self._heap[0].until <= now:
            alarm = heapq.heappop(self._heap)
            known = self._known.get(alarm.run, set())
            if alarm not in known:
                continue
            known.discard(alarm)
            if not known:
                del self._known[alarm.run]
            self.ring(alarm)
