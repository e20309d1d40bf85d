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
from dirigent.model.fault import COMMUNICATION
from dirigent.model.ids import Position, RunId
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.tasks.asyncapi.request import Stream
from dirigent.tasks.asyncapi.site import Driver, Site, Subscription
from dirigent.tasks.http.failure import CallFailed

Key: TypeAlias = tuple[RunId, str]
Call: TypeAlias = tuple[Position, int]
Enter: TypeAlias = Callable[[], Awaitable[tuple[Site, Driver]]]
Take: TypeAlias = Callable[[Subscription], Awaitable[list[Value]]]


@dataclass(slots=True, eq=False)
class _Line:
    """One stream and its connection, while it has one.

    `call` took the message that is not settled yet; nothing follows its `last`. Whoever works with the
    connection holds the lock, and has taken it out of here: what fails meanwhile has closed it.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    subscription: Subscription | None = None
    call: Call | None = None
    last: bool = False
    idle: asyncio.TimerHandle | None = None

    def out(self) -> tuple[AsyncExitStack, Subscription | None]:
        """Take the connection out, if there is one."""
        if self.idle is not None:
            self.idle.cancel()
        stack, subscription = self.stack.pop_all(), self.subscription
        self.idle = self.subscription = None
        return stack, subscription

    def back(self, stack: AsyncExitStack, subscription: Subscription) -> None:
        """Keep a connection for the next message."""
        self.stack, self.subscription = stack.pop_all(), subscription


class Streams:
    """The streams of an engine, by run and name."""

    def __init__(self, idle_seconds: float = limits.STREAM_IDLE_SECONDS) -> None:
        """Begin with none; a connection that is not used for `idle_seconds` falls."""
        self._lines: dict[Key, _Line] = {}
        self._at_work: set[asyncio.Task[None]] = set()
        self._idle_seconds = idle_seconds

    async def next(self, run: RunId, call: Call, wanted: Stream, enter: Enter, take: Take) -> Value:
        """Return the next message and where it stands, or None when its time is over. Raises `CallFailed`.

        What fails or is stopped on the way has acknowledged nothing, and its connection falls. One that fell
        while nobody used it is made anew, where a broker keeps what comes meanwhile.
        """
        line = self._lines.setdefault((run, wanted.id), _Line())
        async with line.lock:
            kept = line.subscription is not None and line.subscription.lasting
            try:
                found = await _next(line, call, wanted, enter, take)
            except CallFailed as failure:
                if not kept or failure.fault.type != COMMUNICATION:
                    raise
                found = await _next(line, call, wanted, enter, take)
            if found is None:
                self._lines.pop((run, wanted.id), None)
            return found

    def durable(self, run: RunId, call: Call) -> None:
        """Acknowledge the message that a call took: the journal holds it."""
        self._told(run, call, self._settle)

    def lost(self, run: RunId, call: Call) -> None:
        """Let a connection fall whose last message nobody will record: the broker gives it again."""
        self._told(run, call, _fall)

    def ended(self, run: RunId) -> None:
        """Part from every stream of a run that is over: what a broker keeps is not for us any more."""
        for key in [each for each in self._lines if each[0] == run]:
            self._begin(_part(self._lines.pop(key)))

    async def close(self) -> None:
        """Let every connection fall that nobody uses, and wait until all that was begun is done."""
        await self.settled()
        for line in [each for each in self._lines.values() if not each.lock.locked()]:
            await _quietly(_fall(line, line.call))

    async def settled(self) -> None:
        """Wait until all is done that was begun."""
        while self._at_work:
            await asyncio.wait(set(self._at_work))

    def _told(
        self, run: RunId, call: Call, act: Callable[[_Line, Call | None], Coroutine[None, None, None]]
    ) -> None:
        for key, line in self._lines.items():
            if key[0] == run and line.call == call:
                self._begin(act(line, call))

    async def _settle(self, line: _Line, call: Call | None) -> None:
        if line.lock.locked():
            # The next message is being taken already, and that settles this one before anything else.
            return
        async with line.lock:
            if line.subscription is None or line.call != call:
                return
            stack, subscription = line.out()
            async with stack:
                if subscription is None:
                    return
                await subscription.settle()
                line.call = None
                if line.last:
                    await subscription.end()
                    return
                line.back(stack, subscription)
                rest = asyncio.get_running_loop().call_later
                line.idle = rest(self._idle_seconds, lambda: self._begin(_fall(line, None)))

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(_quietly(work))
        self._at_work.add(task)
        task.add_done_callback(self._at_work.discard)


async def _next(line: _Line, call: Call, wanted: Stream, enter: Enter, take: Take) -> Value:
    stack, subscription = line.out()
    async with stack:
        if subscription is None:
            site, driver = await enter()
            subscription = await stack.enter_async_context(driver.subscribed(site))
        elif line.call is not None:
            # The core asks for the next message only when this one is in the journal.
            await subscription.settle()
        line.call = None
        found = [] if wanted.leave else await take(subscription)
        if not found:
            await subscription.end()
            return None
        line.call, line.last = call, wanted.last
        line.back(stack, subscription)
        return {"message": found[0], "cursor": subscription.cursor}


async def _fall(line: _Line, call: Call | None) -> None:
    """Let go of a connection, if it is still this call's."""
    async with line.lock:
        if line.call == call:
            line.call = None
            await line.out()[0].aclose()


async def _part(line: _Line) -> None:
    async with line.lock:
        stack, subscription = line.out()
        async with stack:
            if subscription is not None:
                await subscription.end()


async def _quietly(work: Coroutine[None, None, None]) -> None:
    """What a broker does not hear comes again: no failure."""
    try:
        await work
    except CallFailed:
        return
