"""Durable steps a second of the whole engine on SQLite, with effects that do nothing.

    python bench/engine_bench.py

A: one run of 1,000 steps, each flushed before the next; then with steps that may be repeated, which need
not wait for the flush. B: 1,000 runs of 10 steps, 100 at a time. C: one run that forks into 1,000 steps and
joins. First of all the memory of 1,000 runs in the middle of a step.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from dirigent.core.machine import Tools
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.jq import LANGUAGE
from dirigent.lang.schema import SCHEMAS
from dirigent.lang.workflow.document import read_naked
from dirigent.model.ids import RunId
from dirigent.model.program import Program
from dirigent.model.run.effect import Done, Order, Outcome
from dirigent.model.run.start import Start
from dirigent.model.values import Value
from dirigent.ports import Performer
from dirigent.stores.sqlite import SqliteStore
from dirigent.testing import FakeVault, ScriptedOracle

HEAD = "document: {dsl: 1.0.3, namespace: bench, name: NAME, version: 1.0.0}\ndo:\n"
STEP = "  - s{0}: {{run: {{shell: {{command: 'true'}}}}}}\n"


class Nothing:
    """Performs every effect by doing nothing, at once: a step is a function of this process."""

    def answer(self, order: Order) -> Outcome:
        """Say that it is done."""
        return Done(order.attempt)

    async def perform(self, order: Order) -> Outcome:
        """Say the same, for whoever does not ask for an answer at once."""
        return self.answer(order)

    async def abandon(self, order: Order) -> None:
        """Have nothing to stop."""


class Reading(Nothing):
    """Performs effects that may be repeated, so that they run ahead of the journal."""

    def repeatable(self, request: Value) -> bool:
        """Say so of every command."""
        return isinstance(request, dict)


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    async def sleep_until(self, at: float) -> None:
        """Sleep."""
        await asyncio.sleep(max(0.0, at - time.time()))


def program(name: str, body: str) -> Program:
    """Return the program of a document, which has no problems."""
    found, problems = read_naked(HEAD.replace("NAME", name) + body, f"{name}.yaml", LANGUAGE)
    if found is None:
        sys.exit("\n".join(str(problem) for problem in problems))
    return found


def chain(steps: int) -> Program:
    """Return so many steps one after the other."""
    return program("chain", "".join(STEP.format(number) for number in range(steps)))


def fan(steps: int) -> Program:
    """Return so many steps side by side."""
    branches = "".join("      " + STEP.format(number) for number in range(steps))
    return program(
        "fan", "  - all:\n      fork:\n        branches:\n" + branches.replace("        - ", "          - ")
    )


async def one(engine: Engine, name: str, what: Program) -> None:
    """Run a program to its end."""
    run = await engine.start(Start(RunId(name), what, {}))
    await engine.wait(run)


async def many(engine: Engine, count: int, at_once: int, what: Program) -> None:
    """Run a program so many times, so many at once."""
    places = asyncio.Semaphore(at_once)

    async def take(number: int) -> None:
        async with places:
            await one(engine, f"b{number}", what)

    await asyncio.gather(*(take(number) for number in range(count)))


async def open_engine(folder: str, performer: Performer) -> tuple[SqliteStore, Engine]:
    """Return an open engine on a fresh store in a folder."""
    store = SqliteStore.open_for_writing(str(Path(folder, "b.db")))
    effects = Effects({"shell": performer}, ScriptedOracle(), FakeVault(), SystemClock())
    engine = Engine(store, store, effects, Tools(LANGUAGE, SCHEMAS), SystemClock())
    await engine.open()
    return store, engine


async def measure(
    title: str, steps: int, work: Callable[[Engine], Awaitable[None]], performer: Performer | None = None
) -> None:
    """Print the steps a second of some work on a fresh store."""
    with tempfile.TemporaryDirectory(prefix="dirigent-bench-") as folder:
        store, engine = await open_engine(folder, performer or Nothing())
        wall, cpu = time.perf_counter(), time.process_time()
        await work(engine)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        await engine.close()
        await store.close()
    print(f"{title:34} {steps / wall:8,.0f} steps/s   {1000 * cpu / steps:6.3f} CPU s per 1,000 steps")


class Waiting:
    """Performs no effect to its end, until it is told to go on."""

    def __init__(self) -> None:
        """Begin with everything waiting."""
        self.go_on = asyncio.Event()

    async def perform(self, order: Order) -> Outcome:
        """Wait."""
        await self.go_on.wait()
        return Done(order.attempt)

    async def abandon(self, order: Order) -> None:
        """Have nothing to stop."""


async def weigh(runs: int, what: Program) -> None:
    """Print how much memory the process takes while so many runs are in the middle of a step."""
    performer = Waiting()
    with tempfile.TemporaryDirectory(prefix="dirigent-bench-") as folder:
        store, engine = await open_engine(folder, performer)
        before = resident()
        names = [RunId(f"m{number}") for number in range(runs)]
        await asyncio.gather(*(engine.start(Start(name, what, {})) for name in names))
        await asyncio.sleep(0.1)
        found = resident()
        performer.go_on.set()
        await asyncio.gather(*(engine.wait(name) for name in names))
        await engine.close()
        await store.close()
    each = 1024 * (found - before) / runs
    print(f"{f'{runs:,} live runs':34} {found:8.1f} MiB resident, {each:.1f} KiB of it each run")


def resident() -> float:
    """Return the memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 2**20


async def main() -> None:
    """Measure the workloads. What reading a document costs is not in it."""
    await weigh(1000, chain(10))
    single, short, wide = chain(1000), chain(10), fan(1000)
    await measure("A  1 run x 1,000, strict", 1000, lambda engine: one(engine, "a", single))
    await measure("A  the same, repeatable", 1000, lambda engine: one(engine, "a", single), Reading())
    await measure("B  1,000 runs x 10, 100 at once", 10_000, lambda engine: many(engine, 1000, 100, short))
    await measure("C  1 -> 1,000 -> join", 1000, lambda engine: one(engine, "c", wide))


if __name__ == "__main__":
    asyncio.run(main())
