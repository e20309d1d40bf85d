"""The replicas of one service, and which of them serve."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from dirigent.providers.services.definition import Definition
from dirigent.providers.services.logs import LogWriter
from dirigent.providers.services.steward.balancer import Balancer
from dirigent.providers.services.steward.replica import Condition, Replica


class Fleet:
    """`serving` are the replicas of the current definition; others are on trial or on their way out."""

    def __init__(
        self, owner: str, balancer: Balancer, log: LogWriter, number: int, changed: Callable[[], None]
    ) -> None:
        """Begin empty; `number` is the last that a replica had, `changed` is called on every change."""
        self.serving: list[Replica] = []
        self._owner = owner
        self._balancer = balancer
        self._log = log
        self._number = number
        self._changed = changed
        self._leaving: set[asyncio.Task[None]] = set()

    def begin(self, definition: Definition, count: int, *, on_trial: bool) -> list[Replica]:
        """Start replicas; they serve only when `switch` says so."""
        begun = []
        for _ in range(count):
            self._number += 1
            replica = Replica(self._number, definition, self._log, self._owner, self._turned)
            replica.on_trial = on_trial
            replica.begin()
            begun.append(replica)
        return begun

    def switch(self, replicas: list[Replica]) -> None:
        """Let these serve from here on; what they replace may finish, and is then ended."""
        gone = [each for each in self.serving if each not in replicas]
        self.serving = replicas
        self._turned()
        for each in gone:
            task = asyncio.get_running_loop().create_task(self._retire(each))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def end_all(self) -> None:
        """End every replica, and wait for those that are on their way out."""
        await asyncio.gather(*(each.end() for each in self.serving), *self._leaving)
        self.serving = []

    async def _retire(self, replica: Replica) -> None:
        await self._balancer.drain(replica.port, replica.definition.grace_seconds)
        await replica.end()

    def _turned(self) -> None:
        self._balancer.route([each.port for each in self.serving if each.condition is Condition.HEALTHY])
        self._changed()


async def first_complaint(replicas: list[Replica]) -> str | None:
    """Return None when all are well, or what is wrong with one as soon as it will not be."""
    loop = asyncio.get_running_loop()
    waiting = {loop.create_task(each.settled()): each for each in replicas}
    pending = set(waiting)
    try:
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.result():
                    return waiting[task].complaint()
    finally:
        for task in pending:
            task.cancel()
    return None
