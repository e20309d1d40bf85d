"""procrastinate on PostgreSQL: every step is a job that defers the next."""

from __future__ import annotations

import asyncio
import logging

import procrastinate
from course import course, mark, take_part

ORDERS = course()
STALLED_SECONDS = 10
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=ORDERS.url, max_size=20))
logging.disable(logging.ERROR)


class Waiting:
    """Who is waited for, and the event that all have come."""

    def __init__(self) -> None:
        """Wait for nobody."""
        self.left: set[str] = set()
        self.all_in = asyncio.Event()

    def forget(self, name: str) -> None:
        """Take one that has come off the list."""
        self.left.discard(name)
        if not self.left:
            self.all_in.set()

    async def for_all(self, names: set[str]) -> None:
        """Return when all of these have come."""
        self.all_in.clear()
        self.left = names
        await self.all_in.wait()


WAITING = Waiting()


@app.task(queue="q", name="step", retry=True)
async def step(run: str, number: int, last: int) -> None:
    """Do one step and defer the next."""
    mark(run, number)
    if number < last:
        following = step.configure(queueing_lock=f"{run}-{number + 1}")
        await following.defer_async(run=run, number=number + 1, last=last)
    else:
        WAITING.forget(run)


@app.task(queue="q", name="one")
async def one(number: int) -> None:
    """Do one step of a fan."""
    mark("c", number)
    WAITING.forget(str(number))


@app.task(queue="q", name="nap")
async def nap() -> None:
    """Be done."""


class Procrastinate:
    """Defers jobs to the worker in this process."""

    async def chain(self, run: str, steps: int) -> None:
        """Run one chain."""
        waiting = asyncio.create_task(WAITING.for_all({run}))
        await asyncio.sleep(0)
        await step.defer_async(run=run, number=0, last=steps - 1)
        await waiting

    async def many(self, runs: int, steps: int, at_once: int) -> None:
        """Defer all; the worker takes `at_once` of them at a time."""
        del at_once
        if ORDERS.again:
            await self._recover()
            return
        names = [f"w{number}" for number in range(runs)]
        waiting = asyncio.create_task(WAITING.for_all(set(names)))
        await asyncio.sleep(0)
        await step.batch_defer_async(*[{"run": name, "number": 0, "last": steps - 1} for name in names])
        await waiting

    async def _recover(self) -> None:
        """Retry the jobs of the dead worker, as the documentation says."""
        unfinished = "select count(*) as count from procrastinate_jobs where status in ('todo', 'doing')"
        while True:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
                await app.job_manager.retry_job(job)
            if not (await app.connector.execute_query_one_async(unfinished))["count"]:
                return
            await asyncio.sleep(0.3)

    async def fan(self, width: int) -> None:
        """Run one job for each."""
        waiting = asyncio.create_task(WAITING.for_all({str(number) for number in range(width)}))
        await asyncio.sleep(0)
        await one.batch_defer_async(*[{"number": number} for number in range(width)])
        await waiting

    async def sleepers(self, count: int) -> None:
        """Defer them to an hour from now."""
        for _ in range(count):
            await nap.configure(schedule_in={"hours": 1}).defer_async()


async def main() -> None:
    """Take part."""
    async with app.open_async():
        if not ORDERS.again:
            await app.schema_manager.apply_schema_async()
        at_once = ORDERS.at_once if ORDERS.workload in "BCE" else 1
        working = asyncio.create_task(
            app.run_worker_async(
                queues=["q"],
                concurrency=at_once,
                wait=True,
                listen_notify=True,
                install_signal_handlers=False,
                fetch_job_polling_interval=1.0,
            )
        )
        await asyncio.sleep(0.3)
        await take_part(Procrastinate(), ORDERS)
        await working


asyncio.run(main())
