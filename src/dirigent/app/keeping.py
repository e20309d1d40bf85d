"""Keep house in a store that nobody drives: remove what is past its time, and write the file anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from dirigent.app.conducting import opened
from dirigent.app.looking import SystemClock
from dirigent.app.seat import seat
from dirigent.model.problem import refuse
from dirigent.ports import Archive, Journal
from dirigent.settings import Settings
from dirigent.stores import ballast
from dirigent.stores.lock import holder
from dirigent.stores.sqlite.pruning import compact


@dataclass(frozen=True, slots=True)
class Keeper:
    """Whoever removes what has ended. `compact` is for after the block."""

    settings: Settings
    archive: Archive
    journal: Journal
    clock: SystemClock

    def size(self) -> int:
        """Return the bytes of the file and of its log."""
        files = [Path(self.settings.store), Path(f"{self.settings.store}-wal")]
        return sum(file.stat().st_size for file in files if file.exists())

    async def compact(self) -> None:
        """Write the file anew without gaps; space that was held back is given up for it."""
        ballast.release(self.settings.ballast)
        await asyncio.to_thread(compact, self.settings.store)
        ballast.lay(self.settings.ballast)


@asynccontextmanager
async def keeping(settings: Settings) -> AsyncIterator[Keeper]:
    """Hold the store alone while the block runs. Raises `Refusal` (E7031) while an engine drives it."""
    if settings.database is not None:
        raise refuse(
            "E5035",
            "nothing can be removed from a store on a database yet, nor taken into one",
            "name a store that is a file, with `--state`",
        )
    async with AsyncExitStack() as stack:
        lock = await seat(settings)
        if lock is None:
            raise refuse(
                "E7031",
                f"an engine drives this store ({holder(settings.lock)})",
                "end it first, or let it do the work: `policy: {retention: {completed: 30d}}`",
            )
        stack.enter_context(lock)
        store = opened(settings)
        stack.push_async_callback(store.close)
        yield Keeper(settings, store, store, SystemClock())
