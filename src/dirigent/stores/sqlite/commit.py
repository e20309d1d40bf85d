"""Group commit: whatever has queued up while the last transaction ran goes into the next one.

A batch is committed on the event loop's own thread: a hop costs more than it saves. Only where the disk
is slow, in the mean, does it go to the writer's thread, and meanwhile the loop collects the next. There
is no timer and no delay.
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
# A loop that stood still for longer, in the mean, would keep everybody waiting.
SLOW_SECONDS: Final = 0.001
# While one run appends alone there is nothing to be done meanwhile: a hop would only make it wait twice more.
ALONE_SECONDS: Final = 0.005
# One flush that takes its time is chance: the disk is as slow as the mean of about so many.
MEAN: Final = 8
# So many batches go to the thread before the loop tries how the disk is now. On the thread that cannot be
# told: the time in which it waits for the interpreter is in it.
PATIENCE: Final = 64

Waiter: TypeAlias = "asyncio.Future[None]"


class GroupCommit:
    """The queue before one writer. Used from one event loop at a time."""

    def __init__(self, path: str, commit: Commit) -> None:
        """Take the path for messages, and the function that writes a batch and answers each job of it.

        Raises `Refusal` (E5022) when the system gives us no thread.
        """
        self._path: Final = path
        self._commit: Final = commit
        self._closed = False
        self._away = 0
        self._waits, self._looks = 0.0, MEAN
        self._thread: Final = _thread(path)
        self._queue: list[tuple[Job, Waiter]] = []
        self._busy = False
        self._soon = False
        self._quiet: asyncio.Event | None = None

    def submit(self, job: Job) -> Waiter:
        """Return what is done when the job is durable, or fails with its `Refusal`.

        The job is done whole even if the caller is cancelled meanwhile; it just is not told.
        """
        if self._closed:
            raise closed(self._path)
        loop = asyncio.get_running_loop()
        waiter: Waiter = loop.create_future()
        self._queue.append((job, waiter))
        if not self._busy and not self._soon:
            self._wake(loop)
        return waiter

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
        jobs = [job for job, _ in batch]
        if not batch:
            return
        if self._away:
            self._away -= 1
            self._busy = True
            running = loop.run_in_executor(self._thread, self._commit, jobs)
            running.add_done_callback(lambda done: self._end(loop, batch, done))
            return
        answers: list[Refusal | None] | None = None
        try:
            answers = self._timed_commit(jobs)
        finally:
            self._answer(loop, batch, answers)
        if len(batch) == 1 and not self._soon:
            # Behind whoever was answered: what is appended now need not wait for another turn of the loop.
            self._soon = True
            loop.call_soon(self._begin, loop)

    def _timed_commit(self, jobs: Sequence[Job]) -> list[Refusal | None]:
        """Commit here, and go away for the next batches if this thread did little but wait for the disk."""
        began, worked = time.perf_counter(), time.thread_time()
        try:
            return self._commit(jobs)
        finally:
            waited = time.perf_counter() - began - (time.thread_time() - worked)
            self._looks = min(self._looks + 1, MEAN)
            self._waits += (waited - self._waits) / self._looks
            if self._waits > (ALONE_SECONDS if len(jobs) == 1 else SLOW_SECONDS):
                self._away = PATIENCE
                self._looks = 0  # What the loop sees when it is back counts for itself.

    def _end(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[tuple[Job, Waiter]],
        done: asyncio.Future[list[Refusal | None]],
    ) -> None:
        self._busy = False
        answers: list[Refusal | None] | None = None
        try:
            answers = done.result()
        finally:
            self._answer(loop, batch, answers)

    def _answer(
        self,
        loop: asyncio.AbstractEventLoop,
        batch: list[tuple[Job, Waiter]],
        answers: list[Refusal | None] | None,
    ) -> None:
        """Tell whoever waits. Without answers the writing ended in a defect of ours."""
        answers = answers or [_broken()] * len(batch)
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


def _thread(path: str) -> ThreadPoolExecutor:
    """Return a thread that runs already: one that could not start amid a commit would answer nobody."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="dirigent-store")
    try:
        thread.submit(time.thread_time)
    except RuntimeError as error:
        raise refuse(
            "E5022",
            f"the system gives the store `{path}` no thread: {error}",
            "give this process more memory or more threads, then start Dirigent again; nothing is lost",
        ) from None
    return thread


def _broken() -> Refusal:
    """Return the answer for a batch whose writing ended in a defect of ours."""
    return refuse(
        "E5010",
        "the writer of the store failed; nothing of this batch is acknowledged",
        "start Dirigent again, and report the traceback in its log",
    )
