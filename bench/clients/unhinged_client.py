"""Unhinged: durable tasks in one SQLite file, worker threads in this process."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

from course import Course, course, mark, take_part
from unhinged import Unhinged as Library

LEASE_SECONDS = 10
POLL_SECONDS = 0.02
BUSY_SECONDS = 60
# More threads than these only wait for the one writer's lock.
THREADS = 8


class Unhinged:
    """Spawns tasks and waits for their results; the library is plain, so nothing here runs at once."""

    def __init__(self, orders: Course) -> None:
        """Declare the tasks."""
        self.library = Library(str(Path(orders.folder, "u.db")), queue_name="q", busy_timeout=BUSY_SECONDS)
        self.threads = 1 if orders.workload in "AF" else min(orders.at_once, THREADS)
        self.library.register_task("chain")(self._chain)
        self.library.register_task("one")(self._one)
        self.library.register_task("nap")(self._nap)

    def open(self) -> None:
        """Begin to work."""
        threading.Thread(target=self._work, daemon=True).start()

    def _work(self) -> None:
        self.library.start_worker(
            concurrency=self.threads, poll_interval=POLL_SECONDS, claim_timeout=LEASE_SECONDS
        )

    def _step(self, context, run: str, number: int):
        return context.step(f"s{number}", lambda: mark(run, number))

    def _chain(self, given, context) -> int:
        for number in range(given["steps"]):
            self._step(context, given["run"], number)
        return given["steps"]

    def _one(self, given, context) -> None:
        self._step(context, "c", given["number"])

    def _nap(self, _given, context) -> None:
        context.sleep_for("nap", 3600)

    def _all(self, tasks: list) -> None:
        for spawned in tasks:
            self.library.await_task_result(spawned["task_id"])

    async def chain(self, run: str, steps: int) -> None:
        """Run one chain."""
        self._all([self.library.spawn("chain", {"run": run, "steps": steps})])

    async def many(self, runs: int, steps: int, at_once: int) -> None:
        """Spawn all; the keys find those that there are."""
        del at_once
        names = [f"w{number}" for number in range(runs)]
        self._all(
            [
                self.library.spawn("chain", {"run": name, "steps": steps}, idempotency_key=name)
                for name in names
            ]
        )

    async def fan(self, width: int) -> None:
        """Run one task for each: steps of one task cannot run side by side."""
        self._all([self.library.spawn("one", {"number": number}) for number in range(width)])

    async def sleepers(self, count: int) -> None:
        """Spawn them, and wait until each has run and gone to sleep."""
        tasks = [self.library.spawn("nap")["task_id"] for _ in range(count)]
        while any(self.library.fetch_task_result(task).state != "sleeping" for task in tasks):
            time.sleep(0.1)


async def main() -> None:
    """Take part."""
    orders = course()
    engine = Unhinged(orders)
    engine.open()
    await take_part(engine, orders)


asyncio.run(main())
