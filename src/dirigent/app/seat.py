"""The seat of the engine: at most one process has it, and the others know its door.

Whoever keeps house in a store (removes, takes in, writes the file anew) sits there meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from dirigent.app.databases.driver import room
from dirigent.app.looking import SystemClock, readable
from dirigent.model import limits
from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.ports import Journal
from dirigent.service import door
from dirigent.service.conductor import HolderGone
from dirigent.settings import DatabaseUrl, Settings
from dirigent.stores import files
from dirigent.stores.folder.payloads import Payloads
from dirigent.stores.folder.sweeping import sweep
from dirigent.stores.lock import EngineLock, holder
from dirigent.stores.retention import Archive
from dirigent.stores.sqlite import SqliteStore
from dirigent.stores.sqlite.pruning import compact

KeepPlan: TypeAlias = Callable[[DatabaseUrl, Plan], Awaitable[None]]

# So long a lock may be held by a process that does not answer: one that starts, or that ends.
SEAT_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 0.05
# What a store says when the disk is full.
FULL: Final = "E5011"


async def keep_plan(settings: Settings, plan: Plan) -> None:
    """Store a plan, through whoever may write; an engine is not started for it."""
    if settings.database is not None:
        keep: KeepPlan = room("dirigent.app.databases.cluster").keep_plan
        await keep(settings.database, plan)
        return
    while (lock := await seat(settings)) is None:
        async with AsyncExitStack() as stack:
            with suppress(HolderGone):  # then the seat is free
                await door.DoorConductor(settings.socket, await readable(stack, settings)).keep_plan(plan)
                return
    with lock:
        store = opened(settings)
        try:
            await store.keep_plan(plan)
        finally:
            await store.close()


async def seat(settings: Settings) -> EngineLock | None:
    """Return the lock that makes us the engine, or None when another one answers at its door.

    Raises:
        Refusal: E7011 when neither is so for `SEAT_SECONDS`.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + SEAT_SECONDS
    while True:
        lock = EngineLock.try_take(settings.lock)
        if lock is not None:
            return lock
        if door.answers(settings.socket):
            return None
        if loop.time() > end:
            raise refuse(
                "E7011",
                f"the engine that holds this store does not answer ({holder(settings.lock)})",
                "wait until it ends, or end that process; nothing is lost when it is killed",
            )
        await asyncio.sleep(RETRY_SECONDS)


def opened(settings: Settings) -> SqliteStore:
    """Open the store to write. On a full disk the ballast is given up for it, and laid again later."""
    try:
        store = SqliteStore.open_for_writing(settings.store)
    except Refusal as refusal:
        if refusal.problems[0].code != FULL or not files.release_ballast(settings.ballast):
            raise
        return SqliteStore.open_for_writing(settings.store)
    files.lay_ballast(settings.ballast)
    return store


class Keeper(Protocol):
    """Whoever removes what has ended, and takes runs in. `compact` and `size` work after the block, too."""

    @property
    def archive(self) -> Archive:
        """Return what runs are removed from and taken into."""
        ...

    @property
    def journal(self) -> Journal:
        """Return where definitions are kept."""
        ...

    @property
    def clock(self) -> SystemClock:
        """Return the clock."""
        ...

    async def size(self) -> int:
        """Return how many bytes the store takes up."""
        ...

    async def clear(self) -> int:
        """Remove what nothing names: definitions, old plans, large values. Return the bytes of these."""
        ...

    async def compact(self) -> None:
        """Have the store give back the space that it does not need."""
        ...


KeepDatabase: TypeAlias = Callable[[DatabaseUrl], AbstractAsyncContextManager[Keeper]]


@dataclass(frozen=True, slots=True)
class FileKeeper:
    """The keeper of a store in a file."""

    settings: Settings
    store: SqliteStore
    clock: SystemClock

    @property
    def archive(self) -> Archive:
        """Return the store."""
        return self.store

    @property
    def journal(self) -> Journal:
        """Return the store."""
        return self.store

    async def size(self) -> int:
        """Return the bytes of the file and of its log."""
        parts = [Path(self.settings.store), Path(f"{self.settings.store}-wal")]
        return sum(part.stat().st_size for part in parts if part.exists())

    async def clear(self) -> int:
        """Remove what nothing names. Return the bytes of large values."""
        await self.store.drop_unused()
        await self.store.forget_plans(limits.PLAN_SECONDS)
        return await sweep(Payloads(self.settings.payloads), self.store)

    async def compact(self) -> None:
        """Write the file anew without gaps; space that was held back is given up for it."""
        files.release_ballast(self.settings.ballast)
        await asyncio.to_thread(compact, self.settings.store)
        files.lay_ballast(self.settings.ballast)


@asynccontextmanager
async def keeping(settings: Settings) -> AsyncIterator[Keeper]:
    """Hold the store alone while the block runs.

    Raises `Refusal` (E7031, on a database E5080) while an engine drives it.
    """
    async with AsyncExitStack() as stack:
        if settings.database is not None:
            keep: KeepDatabase = room("dirigent.app.databases.keeping").keeping
            yield await stack.enter_async_context(keep(settings.database))
            return
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
        yield FileKeeper(settings, store, SystemClock())
