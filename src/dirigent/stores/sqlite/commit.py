"""Group commit: whatever has queued up while the last transaction ran goes into the next one.

A lone job is committed on the event loop's own thread: a hop costs more than it saves, unless the
disk is slow. A batch goes to the writer's thread, and meanwhile the loop collects the next. There is
no timer and no delay.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

from dirigent.model.problem import Refusal, refuse
from dirigent.stores.sqlite.failures import closed
from dirigent.stores.sqlite.writing import Job

Commit: TypeAlias = Callable[[Sequence[Job]], "list[Refusal | None]"]
# A hop costs a tenth of this; a loop that stood still for longer would keep everybody else waiting.
SLOW_SECONDS: Final = 0.001

_Waiter: TypeAlias = "asyncio.Future[None]"


class GroupCommit:
    """The queue before one writer. Used from one event loop at a time."""

    def __init__(self, path: str, commit: Commit) -> None:
        """Take the path for messages, and the function that writes a batch and answers each job of it."""
        self._path: Final = path
        self._commit: Final = commit
        self._closed = False
        self._slow = False
        self._thread: Final = ThreadPoolExecutor(1, thread_name_prefix="dirigent-store")
        self._queue: list[tuple[Job, _Waiter]] = []
        self._busy = False
        self._soon = False
        self._quiet: asyncio.Event | None = None

    async def submit(self, job: Job) -> None:
        """Return when the job is durable, or raise its `Refusal`.

        The job is done whole even if the caller is cancelled meanwhile; it just is not told.
        """
        if self._closed:
            raise closed(self._path)
        loop = asyncio.get_running_loop()
        waiter: _Waiter = loop.create_future()
        self._queue.append((job, waiter))
        self._wake(loop)
        await waiter

    async def close(self) -> None:
        """Take nothing more; return when everything that was submitted has been answered."""
        self._closed = True
        while self._queue or self._busy:
            self._quiet = asyncio.Event()
            await self._quiet.wait()
        self._thread.shutdown()

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._busy and not self._soon and self._queue:
            self._soon = True
            # After all that is ready now has had its turn to append.
            loop.call_soon(self._begin, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        self._soon = False
        batch, self._queue = self._queue, []
        if len(batch) == 1 and not self._slow:
            answers: list[Refusal | None] = [_broken()]
            try:
                answers = self._timed_commit([batch[0][0]])
            finally:
                self._answer(loop, batch, answers)
            return
        self._busy = True
        running = loop.run_in_executor(self._thread, self._timed_commit, [job for job, _ in batch])
        running.add_done_callback(lambda done: self._end(loop, batch, done))

    def _timed_commit(self, jobs: Sequence[Job]) -> list[Refusal | None]:
        """Commit, and note whether the disk was slow. Never on two threads at once."""
        began = time.perf_counter()
        try:
            return self._commit(jobs)
        finally:
            self._slow = time.perf_counter() - began > SLOW_SECONDS

    def _end(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[tuple[Job, _Waiter]],
        done: asyncio.Future[list[Refusal | None]],
    ) -> None:
        self._busy = False
        answers: list[Refusal | None] = [_broken()] * len(batch)
        try:
            answers = done.result()
        finally:
            self._answer(loop, batch, answers)

    def _answer(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[tuple[Job, _Waiter]],
        answers: list[Refusal | None],
    ) -> None:
        for (_, waiter), why in zip(batch, answers, strict=True):
            if waiter.cancelled():
                continue
            if why is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(Refusal(why.problems))  # one for each: tracebacks grow
        self._wake(loop)
        if self._quiet is not None and not self._queue:
            self._quiet.set()


def _broken() -> Refusal:
    """Return the answer for a batch whose writing ended in a defect of ours."""
    return refuse(
        "E5010",
        "the writer of the store failed; nothing of this batch is acknowledged",
        "start Dirigent again, and report the traceback in its log",
    )
