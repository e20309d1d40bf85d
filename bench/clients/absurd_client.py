"""Absurd: durable tasks on PostgreSQL, one worker in this process."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

from absurd_sdk import AsyncAbsurd
from course import Course, course, mark, take_part

LEASE_SECONDS = 10
POLL_SECONDS = 0.02


class Absurd:
    """Spawns tasks and polls for their results, as the SDK does."""

    def __init__(self, orders: Course) -> None:
        """Declare the tasks."""
        self.worker = AsyncAbsurd(orders.url, queue_name="q")
        self.client = AsyncAbsurd(orders.url, queue_name="q")
        self.at_once = orders.at_once
        self.worker.register_task(name="chain")(self._chain)
        self.worker.register_task(name="fan")(self._fan)
        self.worker.register_task(name="nap")(self._nap)

    async def open(self) -> asyncio.Task[None]:
        """Begin to work."""
        working = self.worker.start_worker(
            concurrency=self.at_once, poll_interval=POLL_SECONDS, claim_timeout=LEASE_SECONDS
        )
        return asyncio.create_task(working)

    async def _step(self, context, run: str, number: int):
        async def body():
            return mark(run, number)

        return await context.step(f"s{number}", body)

    async def _chain(self, given, context) -> int:
        for number in range(given["steps"]):
            await self._step(context, given["run"], number)
        return given["steps"]

    async def _fan(self, given, context) -> int:
        return len(await asyncio.gather(*(self._step(context, "c", n) for n in range(given["width"]))))

    async def _nap(self, _given, context) -> None:
        await context.sleep_for("nap", 3600)

    async def _spawn(self, task: str, given: dict, key: str | None = None) -> str:
        spawned = await self.client.spawn(task, given, queue="q", idempotency_key=key)
        return spawned["task_id"]

    async def _result(self, task: str) -> None:
        while True:
            found = await self.client.fetch_task_result(task, "q")
            if found is not None and found.state in ("completed", "failed"):
                if found.state == "failed":
                    raise RuntimeError(str(found))
                return
            await asyncio.sleep(POLL_SECONDS)

    async def chain(self, run: str, steps: int) -> None:
        """Run one chain."""
        await self._result(await self._spawn("chain", {"run": run, "steps": steps}))

    async def many(self, runs: int, steps: int, at_once: int) -> None:
        """Spawn all; the worker takes `at_once` of them at a time. The keys find those that there are."""
        del at_once
        names = [f"w{number}" for number in range(runs)]
        tasks = [await self._spawn("chain", {"run": name, "steps": steps}, name) for name in names]
        for task in tasks:
            await self._result(task)

    async def fan(self, width: int) -> None:
        """Run the steps side by side in one task."""
        await self._result(await self._spawn("fan", {"width": width}))

    async def sleepers(self, count: int) -> None:
        """Spawn them, and wait until each has run and gone to sleep."""
        for _ in range(count):
            await self._spawn("nap", {})
        asleep = "select count(*) as count from absurd.t_q where state = 'sleeping'"
        while True:
            row = await (await self.client._conn.execute(asleep)).fetchone()
            if (row["count"] if isinstance(row, dict) else row[0]) >= count:
                return
            await asyncio.sleep(0.1)


async def main() -> None:
    """Take part."""
    orders = course()
    if not orders.again:
        control = Path(orders.extra["environment"], "bin", "absurdctl")
        subprocess.run([control, "init", "-d", orders.url], check=True, stdout=subprocess.DEVNULL)
    engine = Absurd(orders)
    if not orders.again:
        await engine.client.create_queue()
    working = await engine.open()
    await take_part(engine, orders)
    await working


asyncio.run(main())
