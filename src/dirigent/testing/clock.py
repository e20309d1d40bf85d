"""A clock that stands still until everybody sleeps, then jumps to the first who wants to wake."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

_Sleeper: TypeAlias = "tuple[float, int, asyncio.Future[None]]"


class VirtualClock:
    """Fits `ports.Clock`. Deterministic: sleepers wake in order of time, then of arrival.

    `patience` is how many rounds of the event loop must pass without a new sleeper before time
    moves on; work that leaves the loop (threads, processes) must `hold` the clock meanwhile.
    """

    def __init__(self, start: float = 1_000_000.0, *, patience: int = 50) -> None:
        """Begin at `start`, in seconds since the epoch."""
        self.jumps = 0
        self._now = start
        self._patience = patience
        self._sleepers: list[_Sleeper] = []
        self._arrivals = 0
        self._holds = 0
        self._mover: asyncio.Task[None] | None = None

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._now

    async def sleep_until(self, at: float) -> None:
        """Return when `now()` has reached `at`; always lets others run first."""
        if at <= self._now:
            await asyncio.sleep(0)
            return
        loop = asyncio.get_running_loop()
        sleeper: asyncio.Future[None] = loop.create_future()
        self._arrivals += 1
        heapq.heappush(self._sleepers, (at, self._arrivals, sleeper))
        # A mover that belongs to a loop which has ended will never move again.
        if self._mover is None or self._mover.done() or self._mover.get_loop() is not loop:
            self._mover = loop.create_task(self._move())
        await sleeper

    def advance(self, seconds: float) -> None:
        """Move on at once, and wake whoever is due."""
        self._now += seconds
        self._wake()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep time from moving while work goes on that the event loop does not see."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1

    async def _move(self) -> None:
        """Jump from sleeper to sleeper for as long as there are any."""
        while self._sleepers:
            await self._settle()
            while self._sleepers and self._sleepers[0][2].done():
                heapq.heappop(self._sleepers)
            if self._sleepers:
                self.jumps += 1
                self._now = max(self._now, self._sleepers[0][0])
                self._wake()

    async def _settle(self) -> None:
        """Return when nobody has gone to sleep, and nobody held the clock, for a while."""
        quiet, seen = 0, self._arrivals
        while quiet < self._patience:
            # A hold waits for the real world, so a little real time may pass.
            await asyncio.sleep(0.001 if self._holds else 0)
            quiet = 0 if self._holds or seen != self._arrivals else quiet + 1
            seen = self._arrivals

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, sleeper = heapq.heappop(self._sleepers)
            if not sleeper.done() and not sleeper.get_loop().is_closed():
                sleeper.set_result(None)
