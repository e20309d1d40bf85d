"""Streams of messages that are taken one by one: a connection that outlives the call that took the last.

Law: a message is acknowledged when the journal holds it, and before the next is taken. A connection that is
not used for a while falls; what its broker keeps for the name of the stream is there when it is made anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import field
from typing import TypeAlias

from dirigent.model import limits
from dirigent.model.ids import Position, RunId
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.asyncapi.request import Stream
from dirigent.tasks.asyncapi.site import Driver, Site, Subscription
from dirigent.tasks.http.failure import CallFailed

Key: TypeAlias = tuple[RunId, str]
Enter: TypeAlias = Callable[[], Awaitable[tuple[Site, Driver]]]
Take: TypeAlias = Callable[[Subscription], Awaitable[list[Value]]]


@dataclass(slots=True, eq=False)
class _Open:
    """One stream: its connection, while it has one, and what it took last.

    `last` says that nothing is to follow; `place` is the call that took the message that is not settled yet.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    stack: AsyncExitStack | None = None
    subscription: Subscription | None = None
    last: bool = False
    place: tuple[Position, int] | None = None
    idle: asyncio.TimerHandle | None = None


class Streams:
    """The streams of an engine, by run and name."""

    def __init__(self, idle_seconds: float = limits.STREAM_IDLE_SECONDS) -> None:
        """Begin with none; a connection that is not used for `idle_seconds` falls."""
        self._open: dict[Key, _Open] = {}
        self._at_work: set[asyncio.Task[None]] = set()
        self._idle_seconds = idle_seconds

    async def next(
        self, run: RunId, place: tuple[Position, int], wanted: Stream, enter: Enter, take: Take
    ) -> Value:
        """Return the next message and where it stands, or None when its time is over. Raises `CallFailed`.

        What fails or is stopped on the way has acknowledged nothing, and its connection falls.
        """
        stream = self._open.setdefault((run, wanted.id), _Open())
        async with stream.lock, AsyncExitStack() as undone:
            undone.push_async_callback(_fallen, stream)
            _resting(stream)
            subscription = stream.subscription
            if subscription is None:
                stack = stream.stack = AsyncExitStack()
                site, driver = await enter()
                subscription = await stack.enter_async_context(driver.subscribed(site))
                stream.subscription = subscription
            elif stream.place is not None:
                # The core asks for the next one only when this one is in the journal.
                await subscription.settle()
            stream.place = None
            if wanted.leave:
                await subscription.end()
                self._open.pop((run, wanted.id), None)
                return None
            found = await take(subscription)
            if not found:
                await subscription.end()
                self._open.pop((run, wanted.id), None)
                return None
            stream.place, stream.last = place, wanted.last
            undone.pop_all()
            return {"message": found[0], "cursor": subscription.cursor}

    def durable(self, run: RunId, place: tuple[Position, int]) -> None:
        """Acknowledge the message that a call took: the journal holds it."""
        for key, stream in self._open.items():
            if key[0] == run and stream.place == place:
                self._begin(self._settle(key, stream, place))
                return

    def lost(self, run: RunId, place: tuple[Position, int]) -> None:
        """Let a connection fall whose last message nobody will record: the broker gives it again."""
        for key, stream in self._open.items():
            if key[0] == run and stream.place == place:
                self._begin(_lost(stream, place))
                return

    def ended(self, run: RunId) -> None:
        """Part from every stream of a run that is over; what a broker keeps is not for us any more."""
        for key in [each for each in self._open if each[0] == run]:
            self._begin(self._part(self._open.pop(key)))

    async def close(self) -> None:
        """Let every connection fall, and wait until all that was begun is done."""
        for stream in list(self._open.values()):
            _resting(stream)
            await _fallen(stream)
        while self._at_work:
            await asyncio.wait(set(self._at_work))

    async def _settle(self, key: Key, stream: _Open, place: tuple[Position, int]) -> None:
        async with stream.lock:
            subscription = stream.subscription
            if subscription is None or stream.place != place:
                return
            async with AsyncExitStack() as undone:
                undone.push_async_callback(_fallen, stream)
                await subscription.settle()
                if stream.last:
                    await subscription.end()
                    self._open.pop(key, None)
                    return
                stream.place = None
                loop = asyncio.get_running_loop()
                stream.idle = loop.call_later(self._idle_seconds, self._drop, stream)
                undone.pop_all()

    async def _part(self, stream: _Open) -> None:
        async with stream.lock:
            _resting(stream)
            async with AsyncExitStack() as undone:
                undone.push_async_callback(_fallen, stream)
                if stream.subscription is not None:
                    await stream.subscription.end()

    def _drop(self, stream: _Open) -> None:
        self._begin(self._rest(stream))

    async def _rest(self, stream: _Open) -> None:
        async with stream.lock:
            if stream.idle is not None and stream.place is None:
                await _fallen(stream)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(_quietly(work))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)


async def _quietly(work: Coroutine[None, None, None]) -> None:
    """What a broker does not hear comes again: no failure."""
    try:
        await work
    except CallFailed:
        return


async def _lost(stream: _Open, place: tuple[Position, int]) -> None:
    async with stream.lock:
        if stream.place == place:
            await _fallen(stream)


async def _fallen(stream: _Open) -> None:
    """Let go of a connection, however it is."""
    _resting(stream)
    stack, stream.stack, stream.subscription, stream.place = stream.stack, None, None, None
    if stack is not None:
        await _quietly(stack.aclose())


def _resting(stream: _Open) -> None:
    if stream.idle is not None:
        stream.idle.cancel()
        stream.idle = None
