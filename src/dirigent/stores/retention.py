"""What has ended is removed when its time is over: by policy beside the work, or by a person's word.

Small batches: each is one commit that others share, so that nobody waits long for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol, TypeAlias

from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Fact
from dirigent.model.run.retention import Pruned, Retention
from dirigent.ports import Clock

LOOKED_AT: Final = 1_000
BATCH: Final = 100
# How long to wait before looking again: the first after something was removed, then twice as long each time.
LOOK_SECONDS: Final = (1.0, 64.0)
# How long to wait before the files of large values are swept again: for that every fact is read.
SWEEP_SECONDS: Final = 3_600.0

Sweep: TypeAlias = Callable[[], Awaitable[object]]
"""Removes what lies beside the store and is named by nothing any more. Raises `Refusal`."""


class Removing(Protocol):
    """What a store can be relieved of: runs as wholes. One that is open is never removed."""

    async def prunable(self, policy: Retention, now: float, limit: int) -> list[RunId]:
        """Return ended runs that a policy no longer keeps, oldest first; no child of an open parent."""
        ...

    async def prune(self, runs: Sequence[RunId]) -> Pruned:
        """Remove those of the runs that have ended, each whole; say how much. History of resources stays."""
        ...


class Archive(Removing, Protocol):
    """What a store can be relieved of, and take in."""

    async def take_in(self, run: RunId, facts: Sequence[Fact]) -> None:
        """Store the journal of a run from elsewhere, whose definition is kept already.

        The resources that it changed are not those of this store, and stay as they are. Raises `Refusal`
        as `append` does: E5001 for a run that is here.
        """
        ...


async def prune(archive: Removing, policy: Retention, now: float) -> Pruned:
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
async def kept(
    archive: Removing, policy: Retention, clock: Clock, sweep: Sweep | None = None
) -> AsyncIterator[None]:
    """Remove what a policy no longer keeps for as long as the block runs; now and then `sweep` after it."""
    if policy.endless:
        yield
        return
    keeper = asyncio.ensure_future(_keep(archive, policy, clock, sweep))
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.wait([keeper])


async def _keep(archive: Removing, policy: Retention, clock: Clock, sweep: Sweep | None) -> None:
    shortest, longest = LOOK_SECONDS
    delay = shortest
    swept = clock.now()
    # A store that takes nothing more stops the engine; there is no need to say it twice.
    with suppress(Refusal):
        while True:
            removed = await prune(archive, policy, clock.now())
            delay = shortest if removed.runs else min(2 * delay, longest)
            if sweep is not None and clock.now() - swept >= SWEEP_SECONDS:
                await sweep()
                swept = clock.now()
            await clock.sleep_until(clock.now() + delay)
