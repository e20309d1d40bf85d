"""Wishes of other processes, granted: each once, and answered in the commit of the fact that it led to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import field
from typing import Final

from dirigent.engine.crew import Crew
from dirigent.engine.fleet.holding import Holding, is_loss
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.run.start import Start
from dirigent.ports.fleet import Tenancy, Wish

AT_ONCE: Final = 256


@dataclass(slots=True, eq=False)
class Wishes:
    """Looks for wishes to the shards that are held, and grants them."""

    tenancy: Tenancy
    holdings: Mapping[int, Holding]
    crew: Crew
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def hear(self) -> None:
        """See who wishes for something, and begin to grant what is not being granted yet."""
        ours = {shard: holding for shard, holding in self.holdings.items() if holding.ours}
        if not ours:
            return
        for wish in await self.tenancy.wishes([holding.tenure for holding in ours.values()]):
            holding = ours.get(wish.shard)
            if holding is not None and wish.id not in holding.wishes:
                holding.wishes.add(wish.id)
                self.crew.act(self._grant(holding, wish))

    async def _grant(self, holding: Holding, wish: Wish) -> None:
        """Do what is wished, and answer, unless the shard was lost: then the next owner does."""
        async with self._gate:
            try:
                answer = await _done(holding, wish)
                if not (isinstance(answer, Refusal) and is_loss(answer)):
                    await holding.tenure.answer(wish, answer)
                    self.tenancy.hint("answers")
            finally:
                holding.wishes.discard(wish.id)


async def _done(holding: Holding, wish: Wish) -> RunId | Refusal:
    """Do what is wished, and return the run that it came to, or why not."""
    holding.tenure.expect(wish)
    try:
        if isinstance(wish.wanted, Start):
            return await holding.engine.start(wish.wanted)
        await holding.engine.tell(wish.run, wish.wanted)
    except Refusal as refusal:
        return refusal
    return wish.run
