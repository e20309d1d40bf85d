"""What has ended is removed when its time is over: by policy beside the work, or by a person's word.

Small batches: each is one commit that others share, so that nobody waits long for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from dirigent.model.problem import Refusal
from dirigent.model.run.retention import Pruned, Retention
from dirigent.ports import Archive, Clock

LOOKED_AT: Final = 1_000
BATCH: Final = 100
# How long to wait before looking again: the first after something was removed, then twice as long each time.
LOOK_SECONDS: Final = (1.0, 64.0)


async def prune(archive: Archive, policy: Retention, now: float) -> Pruned:
    """Remove all that a policy no longer keeps, batch by batch, and return how much that was."""
    removed = Pruned()
    while runs := await archive.prunable(policy, now, LOOKED_AT):
        before = removed.runs
        for first in range(0, len(runs), BATCH):
            removed += await archive.prune(runs[first : first + BATCH])
        if removed.runs == before:
            break
    while removed.more:
        removed += await archive.prune(())
    return removed


@asynccontextmanager
async def kept(archive: Archive, policy: Retention, clock: Clock) -> AsyncIterator[None]:
    """Remove what a policy no longer keeps for as long as the block runs."""
    if policy.endless:
        yield
        return
    keeper = asyncio.ensure_future(_keep(archive, policy, clock))
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.wait([keeper])


async def _keep(archive: Archive, policy: Retention, clock: Clock) -> None:
    shortest, longest = LOOK_SECONDS
    delay = shortest
    # A store that takes nothing more stops the engine; there is no need to say it twice.
    with suppress(Refusal):
        while True:
            removed = await prune(archive, policy, clock.now())
            delay = shortest if removed.runs else min(2 * delay, longest)
            await clock.sleep_until(clock.now() + delay)
