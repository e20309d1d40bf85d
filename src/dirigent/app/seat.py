"""The seat of the engine: at most one process has it, and the others know its door."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Final, TypeAlias

from dirigent.app.databases.driver import room
from dirigent.app.looking import readable
from dirigent.model.plan import Plan
from dirigent.model.problem import refuse
from dirigent.service import door
from dirigent.service.conductor import HolderGone
from dirigent.settings import DatabaseUrl, Settings
from dirigent.stores.lock import EngineLock, holder
from dirigent.stores.sqlite import SqliteStore

KeepPlan: TypeAlias = Callable[[DatabaseUrl, Plan], Awaitable[None]]

# So long a lock may be held by a process that does not answer: one that starts, or that ends.
SEAT_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 0.05


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
        store = SqliteStore.open_for_writing(settings.store)
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
