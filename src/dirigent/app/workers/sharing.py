"""The room that workers have, shared out among the engines of one process: one for each shard that it owns.

Law: together never more is let begin than the workers have room for, because what waits in the hub when
the process dies is in doubt. Who has something waiting goes first, and the first place goes round.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import field
from typing import Final

from dirigent.engine.queues import Queues, size
from dirigent.model.ids import RunId
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Fact
from dirigent.workers.hub import Hub, room_of

# Something may come to wait at an engine that was dealt nothing: so soon it is looked at.
LOOK_SECONDS: Final = 0.1


@dataclass(slots=True, eq=False)
class Shares:
    """Shares out the room of the workers of a hub for the queues in `remote`."""

    hub: Hub
    remote: Sequence[str]
    _engines: list[Queues] = field(default_factory=list)
    _turn: int = 0
    _soon: bool = False

    def join(self, queues: Queues) -> None:
        """Take in the queues of an engine that is about to open. It leaves when its crew has ended."""
        self._engines.append(queues)
        self.spread()

    def hear(self, _: RunId, __: Program, ___: int, ____: Sequence[Fact]) -> None:
        """Look again soon: something has begun or ended. An observer of engines."""
        if self.remote and not self._soon:
            self._soon = True
            asyncio.get_running_loop().call_soon(self.spread)

    def spread(self) -> None:
        """Share out what is free just now."""
        self._soon = False
        self._engines = [
            each for each in self._engines if not each.crew.closing and each.crew.failure is None
        ]
        self._turn += 1
        if self._engines:
            shift = self._turn % len(self._engines)
            for name in self.remote:
                self._spread(name, [*self._engines[shift:], *self._engines[:shift]])

    def _spread(self, name: str, engines: Sequence[Queues]) -> None:
        lines = [each.line(name) for each in engines]
        running = [len(line.running) for line in lines]
        free = max(0, room_of(self.hub, name) - sum(running))
        dealt = deal(free, [sum(1 for _ in line.waiting) for line in lines])
        for queues, busy, more in zip(engines, running, dealt, strict=True):
            size(queues, name, busy + more)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Share out whenever something changes, and now and then, for as long as the block runs."""
        self.hub.changed = self.spread
        looking = asyncio.ensure_future(self._look()) if self.remote else None
        try:
            yield
        finally:
            if looking is not None:
                looking.cancel()
                await asyncio.wait([looking])

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.spread()


def deal(free: int, waiting: Sequence[int]) -> list[int]:
    """Return how many places each gets: in turn one to each who has something waiting, the rest to all."""
    dealt = [0] * len(waiting)
    while free and any(have < want for have, want in zip(dealt, waiting, strict=True)):
        for place, want in enumerate(waiting):
            if free and dealt[place] < want:
                dealt[place] += 1
                free -= 1
    each, more = divmod(free, len(waiting)) if waiting else (0, 0)
    return [have + each + (place < more) for place, have in enumerate(dealt)]
