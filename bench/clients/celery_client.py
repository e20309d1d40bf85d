"""Celery with Redis: a worker of two processes, each step sends the next. Not durable step by step."""

from __future__ import annotations

import asyncio
import subprocess
import time
from pathlib import Path

from celery import Celery as Library
from celery import chord, group
from course import Course, course, mark, take_part

ORDERS = course()
POLL_SECONDS = 0.01
app = Library("celery_client", broker=ORDERS.url, backend=ORDERS.url)
app.conf.worker_hijack_root_logger = False
app.conf.broker_connection_retry_on_startup = True
app.conf.task_acks_late = True


@app.task(name="step")
def step(run: str, number: int) -> dict[str, object]:
    """Do one step."""
    return mark(run, number)


@app.task(name="link")
def link(run: str, number: int, last: int) -> dict[str, object]:
    """Do one step and send the next: a chain of 1,000 in one message would carry all of them each time."""
    result = mark(run, number)
    if number < last:
        link.apply_async((run, number + 1, last))
    else:
        app.backend.client.incr("done")
    return result


@app.task(name="join")
def join(results: list) -> int:
    """Join a fan."""
    return len(results)


@app.task(name="nap")
def nap() -> int:
    """Be done."""
    return 1


class Celery:
    """Sends messages, and polls a counter for their end."""

    def __init__(self) -> None:
        """Count from nothing."""
        self.expected = 0

    def _until(self, more: int) -> None:
        self.expected += more
        while int(app.backend.client.get("done") or 0) < self.expected:
            time.sleep(POLL_SECONDS)

    async def chain(self, run: str, steps: int) -> None:
        """Run one chain."""
        link.apply_async((run, 0, steps - 1))
        self._until(1)

    async def many(self, runs: int, steps: int, at_once: int) -> None:
        """Send all; the worker's two processes take what comes."""
        del at_once
        for number in range(runs):
            link.apply_async((f"w{number}", 0, steps - 1))
        self._until(runs)

    async def fan(self, width: int) -> None:
        """Run a chord."""
        header = group(step.s("c", number) for number in range(width))
        chord(header, join.s()).apply_async().get(timeout=250)

    async def sleepers(self, count: int) -> None:
        """Send them with a countdown; they wait in the memory of the worker."""
        for _ in range(count):
            nap.apply_async(countdown=3600)
        while app.backend.client.llen("celery") > 0:
            time.sleep(0.05)


def worker(orders: Course) -> subprocess.Popen:
    """Start the worker and wait until it has done something."""
    command = [str(Path(orders.extra["environment"], "bin", "celery")), "-A", "celery_client", "worker"]
    started = subprocess.Popen(
        [*command, "-c", "2", "-l", "ERROR"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    step.apply_async(("warm", 0)).get(timeout=60)
    return started


if __name__ == "__main__":
    worker(ORDERS)
    asyncio.run(take_part(Celery(), ORDERS))
