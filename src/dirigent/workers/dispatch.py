"""Who does a step: this process, or a worker outside of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from dirigent.model.run.effect import Order, Outcome
from dirigent.ports import Performer
from dirigent.workers.hub import Hub


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Fits `ports.Performer`. Steps of the queues in `remote` go to workers, others stay here if they can.

    A queue that nobody declared goes to workers while one is connected that asked for it by name.
    """

    hub: Hub
    remote: Collection[str] = ()
    local: Performer | None = None

    async def perform(self, order: Order) -> Outcome:
        """Do it, here or elsewhere."""
        return await self._who(order).perform(order)

    async def abandon(self, order: Order) -> None:
        """Stop it, wherever it is."""
        await self._who(order).abandon(order)

    def _who(self, order: Order) -> Performer:
        outside = order.queue in self.remote or (order.queue != "" and self.hub.serves(order.queue))
        return self.hub if self.local is None or outside else self.local
