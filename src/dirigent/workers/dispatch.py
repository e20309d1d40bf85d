"""Who does a step: this process, or a worker outside of it."""

from __future__ import annotations

from collections.abc import Collection

from dirigent.model.record import dataclass
from dirigent.model.run.effect import Order, Outcome
from dirigent.ports import Performer, Prompt
from dirigent.workers.hub import Hub


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Fits `ports.Performer`. Steps of the queues in `remote` go to workers, others stay here if they can.

    A queue that nobody declared goes to workers while one is connected that asked for it by name. What
    stays here and can be done on the spot is asked of `prompt`.
    """

    hub: Hub
    remote: Collection[str] = ()
    local: Performer | None = None
    prompt: Prompt | None = None

    async def perform(self, order: Order) -> Outcome:
        """Do it, here or elsewhere."""
        return await self._who(order).perform(order)

    def answer(self, order: Order) -> Outcome | None:
        """Do it on the spot, if it stays here and can be."""
        if self.prompt is None or order.queue:
            return None
        return self.prompt.answer(order)

    async def abandon(self, order: Order) -> None:
        """Stop it, wherever it is."""
        await self._who(order).abandon(order)

    def _who(self, order: Order) -> Performer:
        outside = order.queue in self.remote or (order.queue != "" and self.hub.serves(order.queue))
        return self.hub if self.local is None or outside else self.local
