"""Dirigent with one `dirigent worker` beside it that does every step in one of two processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import python_flows
from course import Course, course, take_part
from dirigent_client import Dirigent, effects_of
from faster import go

from dirigent.app.tools import TOOLS
from dirigent.engine.conductor import LocalConductor
from dirigent.engine.engine import Engine
from dirigent.model.program import Call, InQueue, OnDoubt, Program, Sequence, Task
from dirigent.model.queue import Limits, Queue
from dirigent.service import door
from dirigent.stores.sqlite import SqliteStore
from dirigent.workers.dispatch import Dispatch
from dirigent.workers.hub import Hub

PROCESSES = 2
QUEUE = Queue("outside", Limits(256), workers=0)


class Outside(Dirigent):
    """Chains of Python steps in a queue that workers serve."""

    async def chain(self, run: str, steps: int) -> None:
        """Run one chain: a program of calls, as a stack would lower it."""
        if steps not in self.chains:
            tasks = tuple(self._task(number) for number in range(steps))
            root = Task("root", "", Sequence(tasks))
            self.chains[steps] = Program("chain", "bench", "1.0.0", root)
        await self._whole(run, self.chains[steps])

    def _task(self, number: int) -> Task:
        request = {"step": python_flows.outside.reference, "args": [number], "kwargs": {}}
        call = Call("python", request, OnDoubt.HOLD, InQueue(QUEUE.name))
        return Task(f"s{number}", f"/do/{number}/s{number}", call)


async def worker(orders: Course, address: str, joined: asyncio.Event) -> subprocess.Popen[bytes]:
    """Start the worker, and return when it has come."""
    words = ["--connect", address, "--queue", QUEUE.name, "--concurrency", str(PROCESSES), "--quiet"]
    command = [sys.executable, "-m", "dirigent", "worker", "-C", str(Path(__file__).parent), *words]
    started = subprocess.Popen([*command, "--state", orders.folder], stdout=subprocess.DEVNULL)
    await joined.wait()
    return started


async def main() -> None:
    """Take part."""
    orders = course()
    store = SqliteStore.open_for_writing(str(Path(orders.folder, "bench.db")))
    hub, joined = Hub(lambda value: value, return_seconds=3.0), asyncio.Event()
    effects = effects_of(orders)
    effects.performers["python"] = Dispatch(hub, [QUEUE.name])
    engine = Engine(store, store, effects, TOOLS, effects.clock, declared={QUEUE.name: QUEUE})
    engine.observers.append(hub.hear)

    async def welcome(*knocking: object) -> None:
        joined.set()
        await hub.welcome(*knocking)

    address = str(Path(orders.folder, "engine.sock"))
    async with door.opened(address, LocalConductor(engine, store), {"work": welcome}):
        await engine.open()
        await worker(orders, address, joined)
        await take_part(Outside(engine), orders)


go(main())
