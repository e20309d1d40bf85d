"""Real event loops in which time is virtual: it moves when the loop has nothing left to do.

Nothing is guessed: the loop says so itself, when it asks its selector to wait. Files and processes are
waited for in earnest, as long as somebody holds the clock.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import selectors
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TypeAlias, TypeVar

_T = TypeVar("_T")
_Sleeper: TypeAlias = "tuple[float, int, asyncio.Future[None]]"
_Events: TypeAlias = "list[tuple[selectors.SelectorKey, int]]"


class IdleClock:
    """Fits `ports.Clock`, in loops that `run` makes. Sleepers wake in order of time, then of arrival.

    It outlives the loops: whoever sleeps in one that has ended is forgotten.
    """

    def __init__(self, start: float = 1_000_000.0) -> None:
        """Begin at `start`, in seconds since the epoch."""
        self._now = start
        self._sleepers: list[_Sleeper] = []
        self._arrivals = 0
        self._holds = 0
        self._stalled: asyncio.Future[None] | None = None

    def now(self) -> float:
        """Return seconds since the epoch."""
        return self._now

    async def sleep_until(self, at: float) -> None:
        """Return when `now()` has reached `at`; always lets others run first."""
        if at <= self._now:
            await asyncio.sleep(0)
            return
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if at < math.inf:
            self._arrivals += 1
            heapq.heappush(self._sleepers, (at, self._arrivals, sleeper))
        await sleeper

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep time from moving while work goes on in another process or thread."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1

    def pass_by(self, seconds: float) -> None:
        """Let time pass between two loops, while nobody lives."""
        self._now += seconds

    async def stalled(self) -> None:
        """Return when nothing can happen any more: nobody works, and nobody sleeps."""
        self._stalled = asyncio.get_running_loop().create_future()
        await self._stalled

    def run(self, work: Callable[[], Coroutine[None, None, _T]]) -> _T:
        """Run a coroutine to its end in a loop of its own, and return what it gives."""
        self._sleepers.clear()
        self._stalled = None
        self._holds = 0
        with asyncio.Runner(loop_factory=self._loop) as runner:
            return runner.run(work())

    def move(self) -> bool:
        """Jump to the next time at which somebody wants to wake; return whether anything comes of it."""
        if self._holds:
            return False
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        if self._sleepers:
            self._now = max(self._now, self._sleepers[0][0])
            self._wake()
            return True
        if self._stalled is not None and not self._stalled.done():
            self._stalled.set_result(None)
            return True
        return False

    def _wake(self) -> None:
        while self._sleepers and self._sleepers[0][0] <= self._now:
            _, _, sleeper = heapq.heappop(self._sleepers)
            if not sleeper.done():
                sleeper.set_result(None)

    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop(_Idle(self))


class _Idle(selectors.DefaultSelector):
    """A selector that lets virtual time move before it waits."""

    def __init__(self, clock: IdleClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> _Events:
        """Return what is ready. When nothing is and the loop would wait, time moves instead."""
        if timeout is None or timeout > 0:
            found = super().select(0)
            if found or self._clock.move():
                return found
        return super().select(timeout)
