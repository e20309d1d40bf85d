"""Dirigent as a library: workflows in Python on SQLite, through `dirigent.open` as a user would."""

from __future__ import annotations

import asyncio

from course import course, in_places, take_part
from faster import go
from python_flows import chain, fan, nap

import dirigent

STARTED_AT_ONCE = 500


class Python:
    """Starts workflows in the engine of this process and waits for their results."""

    def __init__(self, orchestra: dirigent.Orchestra) -> None:
        """Use this engine."""
        self.orchestra = orchestra

    async def chain(self, run: str, steps: int) -> None:
        """Run one chain; the id finds the one that there is. A step in doubt after a crash is repeated."""
        await (await self.orchestra.start(chain(run, steps), id=run, on_doubt="repeat")).result()

    async def many(self, runs: int, steps: int, at_once: int) -> None:
        """Run chains, so many at a time."""
        await in_places(self.chain, runs, steps, at_once)

    async def fan(self, width: int) -> None:
        """Run the steps side by side in one workflow."""
        await (await self.orchestra.start(fan(width), id="c")).result()

    async def sleepers(self, count: int) -> None:
        """Start them; a run and its timer are durable when `start` returns."""
        for first in range(0, count, STARTED_AT_ONCE):
            numbers = range(first, min(count, first + STARTED_AT_ONCE))
            await asyncio.gather(*(self.orchestra.start(nap(), id=f"n{number}") for number in numbers))


async def main() -> None:
    """Take part."""
    orders = course()
    async with dirigent.open(orders.folder) as orchestra:
        await take_part(Python(orchestra), orders)


go(main())
