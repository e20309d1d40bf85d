"""What engines on a database do once an hour for all of them: whoever comes first does it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from dirigent.model import limits
from dirigent.model.problem import Refusal
from dirigent.ports import Clock
from dirigent.stores.postgres.database import Database
from dirigent.stores.postgres.keeping.payloads import sweep
from dirigent.stores.postgres.session.statements import SQL

EVERY_SECONDS: Final = 3_600.0
LOOK_SECONDS: Final = 60.0
# Each with its statement and what that takes; to sweep the large values is more than one.
SWEEP: Final = "sweep"
CHORES: Final[tuple[tuple[str, Sequence[float]], ...]] = (
    ("forget_wishes", ()),
    ("forget_deaths", ()),
    ("forget_plans", (limits.PLAN_SECONDS,)),
    (SWEEP, ()),
)


@asynccontextmanager
async def tended(database: Database, clock: Clock) -> AsyncIterator[None]:
    """Do chores for as long as the block runs."""
    tending = asyncio.ensure_future(_tend(database, clock))
    try:
        yield
    finally:
        tending.cancel()
        await asyncio.wait([tending])


async def _tend(database: Database, clock: Clock) -> None:
    while True:
        await clock.sleep_until(clock.now() + LOOK_SECONDS)
        # Nobody waits for a chore: what cannot be done now is done an hour later.
        with suppress(Refusal):
            await once(database)


async def once(database: Database, every_seconds: float = EVERY_SECONDS) -> list[str]:
    """Do the chores that nobody has done for so long, and return which. Raises `Refusal`."""
    done = []
    for name, parameters in CHORES:
        if await database.links[0].fetch(SQL["claim_chore"], name, every_seconds):
            if name == SWEEP:
                await sweep(database.url)
            else:
                await database.links[0].fetch(SQL[name], *parameters)
            done.append(name)
    return done
