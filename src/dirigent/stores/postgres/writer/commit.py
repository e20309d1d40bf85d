"""Group commit: whatever has queued up while the last statement was under way goes into the next one.

There is no timer and no delay. A connection that breaks is mended by the writer; until then the queue waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import field
from typing import TypeAlias

from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres.session import failures
from dirigent.stores.postgres.writer.batch import Append

Commit: TypeAlias = Callable[[Sequence[Append]], Awaitable["dict[Append, Refusal | None]"]]
_Waiter: TypeAlias = "asyncio.Future[None]"


@dataclass(slots=True, eq=False)
class GroupCommit:
    """The queue before one writer."""

    url: DatabaseUrl
    commit: Commit
    _queue: list[tuple[Append, _Waiter]] = field(default_factory=list)
    _filled: asyncio.Event = field(default_factory=asyncio.Event)
    _closed: bool = False
    _serving: asyncio.Task[None] | None = None

    async def submit(self, job: Append) -> None:
        """Return when the job is durable, or raise its `Refusal`.

        The job is done whole even if the caller is cancelled meanwhile; it just is not told.
        """
        if self._closed:
            raise failures.closed(self.url)
        if self._serving is None:
            self._serving = asyncio.ensure_future(self._serve())
        waiter: _Waiter = asyncio.get_running_loop().create_future()
        self._queue.append((job, waiter))
        self._filled.set()
        await waiter

    async def close(self) -> None:
        """Take nothing more; return when everything that was submitted has been answered."""
        self._closed = True
        self._filled.set()
        if self._serving is not None:
            await self._serving

    async def abandon(self) -> None:
        """Stop where it is, as a crash would."""
        self._closed = True
        if self._serving is not None:
            self._serving.cancel()
            with suppress(asyncio.CancelledError):
                await self._serving

    async def _serve(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            # After all that is ready now has had its turn to append.
            await asyncio.sleep(0)
            batch, self._queue = self._queue, []
            if batch:
                await self._carry(batch)
            elif self._closed:
                return

    async def _carry(self, batch: list[tuple[Append, _Waiter]]) -> None:
        answers: dict[Append, Refusal | None] = {}
        whole = False
        try:
            answers = await self.commit([job for job, _ in batch])
            whole = True
        finally:
            left = [each for each in batch if each[0] not in answers]
            for job, waiter in batch:
                if job in answers and not waiter.done():
                    _answer(waiter, answers[job])
            if whole:
                self._queue[:0] = left
            else:
                for _, waiter in left:
                    if not waiter.done():
                        waiter.set_exception(failures.failed(self.url, "the writer stopped"))
            if self._queue or self._closed:
                self._filled.set()


def _answer(waiter: _Waiter, why: Refusal | None) -> None:
    if why is None:
        waiter.set_result(None)
    else:
        waiter.set_exception(Refusal(why.problems))  # one for each: tracebacks grow
