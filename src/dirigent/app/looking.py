"""Open a store to read, beside whatever engine drives it. Nothing is created."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol, TypeAlias

from dirigent.app.databases.driver import room
from dirigent.model.ids import RunId
from dirigent.model.problem import Problem, Refusal
from dirigent.model.record import dataclass
from dirigent.ports import Journal, Shelf
from dirigent.service import door
from dirigent.service.conductor import HolderGone
from dirigent.settings import DatabaseUrl, Settings
from dirigent.stores import files
from dirigent.stores.empty import EmptyStore
from dirigent.stores.sqlite import SqliteStore

ReadDatabase: TypeAlias = Callable[[AsyncExitStack, DatabaseUrl], Awaitable["Store"]]


class Store(Journal, Shelf, Protocol):
    """A whole store, wherever it is."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    async def sleep_until(self, at: float) -> None:
        """Sleep in short stretches, so that a clock that is set forward is noticed."""
        left = at - time.time()
        while left > 0:
            await asyncio.sleep(min(left, 30.0))
            left = at - time.time()


@dataclass(frozen=True, slots=True)
class Reader:
    """What a command needs that only looks."""

    journal: Journal
    shelf: Shelf
    clock: SystemClock


async def left_out(settings: Settings, journal: Journal) -> dict[RunId, Problem]:
    """Return what the engine that drives the store could not take up; nothing when nobody drives it."""
    if not door.answers(settings.socket):
        return {}
    try:
        return await door.DoorConductor(settings.socket, journal).left_out()
    except (HolderGone, Refusal):
        return {}  # It ends just now, or is of another release: a list must not fail for that.


@asynccontextmanager
async def looking(settings: Settings) -> AsyncIterator[Reader]:
    """Yield a reader of the store; of an empty one where nothing has happened yet."""
    async with AsyncExitStack() as stack:
        store = await readable(stack, settings)
        yield Reader(store, store, SystemClock())


async def readable(stack: AsyncExitStack, settings: Settings) -> Store:
    """Return the store, open for reading; `stack` closes it."""
    if settings.database is not None:
        read: ReadDatabase = room("dirigent.app.databases.cluster").readable
        return await read(stack, settings.database)
    if not files.there(settings.store):
        return EmptyStore()
    store = SqliteStore.open_for_reading(settings.store)
    stack.push_async_callback(store.close)
    return store
