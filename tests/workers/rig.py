"""An engine with a door, whose Python steps are done by workers; and the programs that it is given."""

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from core.simulation import TOOLS
from dirigent.app.looking import SystemClock
from dirigent.app.workers.posting import CHILD, measured
from dirigent.engine.conductor import LocalConductor
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.model.program import Call, InQueue, OnDoubt, Program, Sequence, Task
from dirigent.model.queue import Limits, Queue
from dirigent.service import door
from dirigent.stores.sqlite import SqliteStore
from dirigent.testing import FakeVault, ScriptedOracle
from dirigent.workers.dispatch import Dispatch
from dirigent.workers.hub import Hub
from dirigent.workers.worker import Wish, Worker

STEPS = Path(__file__).parent / "steps"
QUEUES = {"gpu": Queue("gpu", Limits(256), workers=0)}
COMMAND = (sys.executable, "-c", CHILD, str(STEPS))


def call(step, *args, on_doubt=OnDoubt.HOLD, **named):
    request = {"step": f"shopsteps:{step}", "args": list(args), "kwargs": named}
    return Call("python", request, on_doubt, InQueue("gpu"))


def program(*calls, name="steps"):
    tasks = tuple(Task(f"s{n}", f"/do/{n}/s{n}", each) for n, each in enumerate(calls))
    return Program(name, "tests", "1.0.0", Task("root", "", Sequence(tasks)))


@asynccontextmanager
async def engine_at(folder, return_seconds=60.0, queues=None, kind=Hub):
    """A real engine on a store in `folder`, behind the door `folder/engine.sock`."""
    store = SqliteStore.open_for_writing(str(folder / "dirigent.db"))
    hub = kind(lambda value: value, return_seconds=return_seconds)
    performers = {"python": Dispatch(hub, list(QUEUES))}
    effects = Effects(performers, ScriptedOracle(), FakeVault(), SystemClock())
    engine = Engine(store, store, effects, TOOLS, SystemClock(), declared=queues or QUEUES)
    engine.observers.append(hub.hear)
    measured(hub, engine.queues, list(QUEUES))
    joined = asyncio.Event()

    async def welcome(*knocking):
        joined.set()
        await hub.welcome(*knocking)

    async with door.opened(str(folder / "engine.sock"), LocalConductor(engine, store), {"work": welcome}):
        await engine.open()
        try:
            yield engine, joined
        finally:
            await engine.close()
            await store.close()


def worker_at(folder, concurrency=2, name="w1", queues=(), kind=Worker):
    return kind(
        Wish(name, queues),
        lambda: door.knock(str(folder / "engine.sock")),
        COMMAND,
        concurrency,
        lambda _: None,
    )


@asynccontextmanager
async def working(worker):
    task = asyncio.ensure_future(worker.work())
    try:
        yield worker
    finally:
        task.cancel()
        await asyncio.wait([task])


async def until(holds):
    """Return when something holds; the time-out is the caller's."""
    while True:
        if holds():
            return
        await asyncio.sleep(0.01)


def noted(ledger):
    """Return what says whether a step has written its line, whole: the file is there before that is."""
    return lambda: ledger.exists() and ledger.read_text().endswith("\n")
