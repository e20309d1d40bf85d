"""DBOS Transact: durable async functions, the system database on SQLite or PostgreSQL."""

from __future__ import annotations

import asyncio

from course import course, in_places, mark, take_part
from dbos import DBOS, SetWorkflowID

ORDERS = course()
LAUNCHED_AT_ONCE = 100
POLL_SECONDS = 0.2
URL = ORDERS.url or f"sqlite:///{ORDERS.folder}/dbos.sqlite"
DBOS(
    config={
        "name": "bench",
        "system_database_url": URL,
        "log_level": "ERROR",
        "run_admin_server": False,
    }
)


@DBOS.step()
async def step(run: str, number: int) -> dict[str, object]:
    """Do one step."""
    return mark(run, number)


@DBOS.workflow()
async def chain(run: str, steps: int) -> int:
    """Run steps one after the other."""
    for number in range(steps):
        await step(run, number)
    return steps


@DBOS.workflow()
async def fan(width: int) -> int:
    """Run steps side by side."""
    return len(await asyncio.gather(*(step("c", number) for number in range(width))))


@DBOS.workflow()
async def nap() -> None:
    """Sleep durably."""
    await DBOS.sleep_async(3600)


class Dbos:
    """Starts workflows in this process, which is also their executor."""

    async def chain(self, run: str, steps: int) -> None:
        """Run one chain; the id finds the one that there is."""
        with SetWorkflowID(run):
            handle = await DBOS.start_workflow_async(chain, run, steps)
        if ORDERS.workload in "BE":
            await handle.get_result(polling_interval_sec=POLL_SECONDS)
        else:
            await handle.get_result()

    async def many(self, runs: int, steps: int, at_once: int) -> None:
        """Run chains, so many at a time."""
        await in_places(self.chain, runs, steps, at_once)

    async def fan(self, width: int) -> None:
        """Run the steps side by side in one workflow."""
        handle = await DBOS.start_workflow_async(fan, width)
        await handle.get_result()

    async def sleepers(self, count: int) -> None:
        """Start them."""
        places = asyncio.Semaphore(LAUNCHED_AT_ONCE)

        async def start() -> None:
            async with places:
                await DBOS.start_workflow_async(nap)

        await asyncio.gather(*(start() for _ in range(count)))


async def main() -> None:
    """Take part."""
    DBOS.launch()
    await take_part(Dbos(), ORDERS)


asyncio.run(main())
