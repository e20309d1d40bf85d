"""When to look again at each queue because time alone lets something go: one sleeping task for all."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import field

from dirigent.model.record import dataclass
from dirigent.ports import Clock


@dataclass(slots=True, eq=False)
class Again:
    """Calls `look` for a queue when its time has come."""

    clock: Clock
    look: Callable[[str], None]
    _times: dict[str, float] = field(default_factory=dict)
    _sooner: asyncio.Event = field(default_factory=asyncio.Event)

    def at(self, queue: str, time: float | None) -> None:
        """Look at a queue at this time, instead of what was said before; None is never."""
        if time is None:
            self._times.pop(queue, None)
        elif self._times.get(queue) != time:
            self._times[queue] = time
            self._sooner.set()

    async def serve(self) -> None:
        """Look for ever. Cancel to stop."""
        while True:
            self._sooner.clear()
            now = self.clock.now()
            for queue in [queue for queue, at in self._times.items() if at <= now]:
                del self._times[queue]
                self.look(queue)
            waits: set[asyncio.Future[object]] = {asyncio.ensure_future(_done(self._sooner.wait()))}
            if self._times:
                waits.add(asyncio.ensure_future(_done(self.clock.sleep_until(min(self._times.values())))))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for wait in waits:
                    wait.cancel()


async def _done(wait: Awaitable[object]) -> object:
    return await wait
