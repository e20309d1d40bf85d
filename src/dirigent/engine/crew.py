"""The tasks that act for an engine, and what becomes of them when one of them fails.

What cannot be mended takes the engine down as a crash would: every task stops where it is, everybody
who waits is told why, and the journal knows where the next engine goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from dataclasses import field

from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Ended


@dataclass(slots=True, eq=False)
class Crew:
    """Owns every task and every promise of an engine."""

    failure: BaseException | None = None
    closing: bool = False
    _acting: set[asyncio.Task[None]] = field(default_factory=set)
    _asked: set[asyncio.Task[None]] = field(default_factory=set)
    _ends: dict[RunId, asyncio.Future[Ended]] = field(default_factory=dict)

    def act(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Begin work that nobody waits for; if it fails, the engine does."""
        task = asyncio.ensure_future(work)
        self._acting.add(task)
        task.add_done_callback(self._reap)
        return task

    async def ask(self, work: Coroutine[None, None, None]) -> None:
        """Do what a caller wants. It goes on to its end when the caller is gone."""
        task = asyncio.ensure_future(work)
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)
        await asyncio.shield(task)

    def end_of(self, run: RunId) -> asyncio.Future[Ended]:
        """Return the promise of a run's end; the same one for everybody who waits for that run."""
        return self._ends.setdefault(run, asyncio.get_running_loop().create_future())

    def ended(self, run: RunId, fact: Ended) -> None:
        """Keep the promise of a run's end, if somebody waits for it."""
        future = self._ends.pop(run, None)
        if future is not None and not future.done():
            future.set_result(fact)

    def lost(self, run: RunId, why: Refusal) -> None:
        """Tell whoever waits for a run's end that it will not come."""
        future = self._ends.pop(run, None)
        if future is not None and not future.done():
            future.set_exception(why)
            future.exception()

    def forget(self, run: RunId) -> None:
        """Nobody can wait for a run that is not there."""
        self._ends.pop(run, None)

    def fail(self, failure: BaseException) -> None:
        """Stop acting, for the first failure that comes, and tell everybody who waits."""
        if self.failure is not None or self.closing:
            return
        self.failure = failure
        for task in self._acting - {asyncio.current_task()}:
            task.cancel()
        for future in self._ends.values():
            if not future.done():
                future.set_exception(failure)
                future.exception()  # Whoever waited may be gone; it is no news then.

    def check(self) -> None:
        """Raise what the engine failed of, if it did."""
        if self.failure is not None:
            raise self.failure

    async def close(self, appends: Collection[asyncio.Future[None]]) -> None:
        """Stop every task where it is, and wait for no append, as a crash would."""
        self.closing = True
        while tasks := [*self._acting, *self._asked, *appends]:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for future in self._ends.values():
            future.cancel()

    def _reap(self, task: asyncio.Task[None]) -> None:
        self._acting.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            self.fail(failure)
