"""Prefect: flows and tasks in this process, their states sent to a local server on SQLite."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from course import course, in_places, mark, take_part
from prefect import flow, get_client, task
from prefect.cache_policies import NO_CACHE
from prefect.states import Scheduled

ORDERS = course()
ASKED_AT_ONCE = 20
SEEN_RUNS = 200


@task(cache_policy=NO_CACHE)
async def step(run: str, number: int) -> dict[str, object]:
    """Do one step."""
    return mark(run, number)


@flow
async def chain(run: str, steps: int) -> int:
    """Run steps one after the other."""
    for number in range(steps):
        await step(run, number)
    return steps


@flow
async def fan(width: int) -> int:
    """Run steps side by side."""
    return len(await asyncio.gather(*(step("c", number) for number in range(width))))


class Prefect:
    """Calls flows."""

    def __init__(self) -> None:
        """Know of nothing that is done."""
        self.done: set[str] = set()

    async def chain(self, run: str, steps: int) -> None:
        """Run one chain, unless it is known to be done: nothing resumes an unfinished one in the middle."""
        if run not in self.done:
            await chain(run, steps)

    async def many(self, runs: int, steps: int, at_once: int) -> None:
        """Run chains, so many at a time."""
        if ORDERS.again:
            async with get_client() as client:
                found = await client.read_flow_runs(limit=SEEN_RUNS)
            self.done = {each.parameters["run"] for each in found if each.state_name == "Completed"}
        await in_places(self.chain, runs, steps, at_once)

    async def fan(self, width: int) -> None:
        """Run the tasks side by side in one flow."""
        await fan(width)

    async def sleepers(self, count: int) -> None:
        """Schedule flow runs in an hour: there is no durable sleep inside a flow."""
        places = asyncio.Semaphore(ASKED_AT_ONCE)
        state = Scheduled(scheduled_time=datetime.now(UTC) + timedelta(hours=1))
        async with get_client() as client:
            await client.create_flow(chain)

            async def start() -> None:
                async with places:
                    await client.create_flow_run(chain, parameters={"run": "x", "steps": 1}, state=state)

            await asyncio.gather(*(start() for _ in range(count)))


asyncio.run(take_part(Prefect(), ORDERS))
