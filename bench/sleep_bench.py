"""What sleeping runs cost, and how soon a killed engine is back.

    python bench/sleep_bench.py [--runs 10000] [--fire 20000] [--rate 5000] [--open 1000]

D: so many runs are started that sleep for an hour: starts a second, memory each (difference of the resident
size), then an engine opens on the same store. Timers: so many sleepers come due, so many a second; how late
each fires. E: an engine is killed while so many runs are open; how long the next one takes to finish all.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from dirigent.app.rarely import collected_rarely
from dirigent.cli.waiting import loop_factory
from dirigent.core.machine import Tools
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.jq import LANGUAGE
from dirigent.lang.schema import SCHEMAS
from dirigent.lang.workflow.document import read_naked
from dirigent.model.ids import RunId
from dirigent.model.program import Program
from dirigent.model.run.effect import Done, Order, Outcome
from dirigent.model.run.journal import Fact, TimerFired, TimerSet
from dirigent.model.run.start import Start
from dirigent.stores.sqlite import SqliteStore
from dirigent.testing import FakeVault, ScriptedOracle

HEAD = "document: {dsl: 1.0.3, namespace: bench, name: NAME, version: 1.0.0}\n"
HOUR = "do:\n  - nap: {wait: {hours: 1}}\n"
UNTIL = "input: {from: .seconds}\ndo:\n  - nap: {wait: '${ . }'}\n"
STEP = "  - s{0}: {{run: {{shell: {{command: 'true'}}}}}}\n"
PAGE = os.sysconf("SC_PAGE_SIZE")
AT_ONCE = 500
# So many starts tell how long the others will take; between the last start and the first firing all is still.
TRIAL = 1_000
STILL_SECONDS = 6.0


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    async def sleep_until(self, at: float) -> None:
        """Sleep."""
        await asyncio.sleep(max(0.0, at - time.time()))


class Takes:
    """Performs every effect by waiting a little."""

    def __init__(self, seconds: float) -> None:
        """Take so long."""
        self.seconds = seconds

    def answer(self, order: Order) -> Outcome | None:
        """Answer on the spot when there is nothing to wait for."""
        return None if self.seconds else Done(order.attempt)

    async def perform(self, order: Order) -> Outcome:
        """Say that it is done."""
        await asyncio.sleep(self.seconds)
        return Done(order.attempt)

    async def abandon(self, order: Order) -> None:
        """Have nothing to stop."""


def program(name: str, body: str) -> Program:
    """Return the program of a document, which has no problems."""
    found, problems = read_naked(HEAD.replace("NAME", name) + body, f"{name}.yaml", LANGUAGE)
    if found is None:
        sys.exit("\n".join(str(problem) for problem in problems))
    return found


@asynccontextmanager
async def engine_on(folder: str, seconds: float = 0.0) -> AsyncIterator[Engine]:
    """Have an engine on the store of a folder."""
    store = SqliteStore.open_for_writing(str(Path(folder, "sleep.db")))
    effects = Effects({"shell": Takes(seconds)}, ScriptedOracle(), FakeVault(), SystemClock())
    engine = Engine(store, store, effects, Tools(LANGUAGE, SCHEMAS), SystemClock())
    await engine.open()
    try:
        yield engine
    finally:
        await engine.close()
        await store.close()


def resident() -> int:
    """Return the bytes that this process has in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE


async def start_all(engine: Engine, what: Program, inputs: Sequence[float], name: str = "sleeper") -> None:
    """Start one run for each input, some hundred at once."""
    numbers = iter(enumerate(inputs))

    async def take() -> None:
        for number, seconds in numbers:
            await engine.start(Start(RunId(f"{name}-{number}"), what, {"seconds": seconds}))

    await asyncio.gather(*(take() for _ in range(AT_ONCE)))


async def sleepers(folder: str, count: int) -> None:
    """Start so many, and open an engine on them."""
    what = program("nap", HOUR)
    async with engine_on(folder) as engine:
        await start_all(engine, what, [0.0] * 2000, "warm")
        before, wall, cpu = resident(), time.perf_counter(), time.process_time()
        await start_all(engine, what, [0.0] * count)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        grown = resident() - before
    print(
        f"D  {count:,} starts          {count / wall:8,.0f} starts/s  {1e6 * cpu / count:6.0f} CPU us each  "
        f"{grown / 1024 / count:6.3f} KiB each  {grown / 2**20:6.1f} MiB in all"
    )
    before, wall, cpu = resident(), time.perf_counter(), time.process_time()
    async with engine_on(folder):
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        grown = resident() - before
    print(f"   opening on them          {wall:8.3f} s  {cpu:.3f} CPU s  {grown / 2**20:.1f} MiB")


class Watch:
    """Hears how late each timer fires. An observer of the engine."""

    def __init__(self, count: int) -> None:
        """Expect so many timers to fire."""
        self.count = count
        self.due: dict[RunId, float] = {}
        self.late: list[float] = []
        self.over = asyncio.Event()

    def hear(self, run: RunId, _: Program, __: int, facts: Sequence[Fact]) -> None:
        """Note when a timer is due, and how late it was recorded."""
        for fact in facts:
            match fact:
                case TimerSet(until=until):
                    self.due[run] = until
                case TimerFired():
                    self.late.append(time.time() - self.due.pop(run))
                case _:
                    pass
        if len(self.late) == self.count:
            self.over.set()


async def lateness(folder: str, count: int, rate: float) -> None:
    """Have so many sleepers wake, so many a second, and see how late each is."""
    what = program("until", UNTIL)
    watch = Watch(count)
    async with engine_on(folder) as engine:
        trial = time.perf_counter()
        await start_all(engine, what, [3600.0] * TRIAL, "trial")
        trial = time.perf_counter() - trial
        engine.observers.append(watch.hear)
        # The first is due when all have been started; each start says how far away its time is by then.
        begin = time.time() + STILL_SECONDS + 2 * trial * count / TRIAL
        numbers = iter(range(count))

        async def take() -> None:
            for number in numbers:
                seconds = round(begin + number / rate - time.time(), 3)
                await engine.start(Start(RunId(f"until-{number}"), what, {"seconds": seconds}))

        await asyncio.gather(*(take() for _ in range(AT_ONCE)))
        if time.time() > begin - STILL_SECONDS / 2:
            sys.exit("the starts became slower and ran into the firings: the machine is too busy")
        await asyncio.sleep(begin - time.time() - 0.5)
        cpu = time.process_time()
        await watch.over.wait()
        cpu = time.process_time() - cpu
    late = sorted(watch.late)
    print(
        f"   {count:,} timers, {rate:,.0f}/s   lateness p50 {1e3 * late[count // 2]:.1f} ms  "
        f"p99 {1e3 * late[int(count * 0.99)]:.1f} ms  max {1e3 * late[-1]:.1f} ms  "
        f"{1e6 * cpu / count:.0f} CPU us each, where {1e6 / rate:.0f} are one core"
    )


async def killed(folder: str, count: int) -> None:
    """Have so many runs open in the middle of their ten steps, until somebody kills this process."""
    what = program("chain", "do:\n" + "".join(STEP.format(number) for number in range(10)))
    async with engine_on(folder, 0.05) as engine:
        await start_all(engine, what, [0.0] * count, "run")
        os.close(os.open(f"{folder}/ready", os.O_CREAT))
        await asyncio.sleep(3600)


async def back(folder: str, count: int) -> None:
    """Open an engine on what the killed one left, and wait until every run has ended."""
    wall, cpu = time.perf_counter(), time.process_time()
    async with engine_on(folder) as engine:
        opened = time.perf_counter() - wall
        ended = await asyncio.gather(*(engine.wait(RunId(f"run-{number}")) for number in range(count)))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        left = sum(each.phase != "completed" for each in ended)
    print(
        f"E  kill -9, {count:,} open      opened after {opened:.2f} s, all finished after {wall:.2f} s  "
        f"{cpu:.2f} CPU s  {left} not completed"
    )


def restart(folder: str, count: int) -> None:
    """Kill an engine in the middle, then see how long the next one takes."""
    child = os.fork()
    if child == 0:
        go(killed(folder, count))
        os._exit(0)
    while not Path(folder, "ready").exists():
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    go(back(folder, count))


def go(work: Coroutine[None, None, None]) -> None:
    """Run it as the command line runs."""
    with collected_rarely(), asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(work)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description="Measure sleepers, timers and restarts.")
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--fire", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=5_000.0)
    parser.add_argument("--open", type=int, default=1_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dirigent-sleep-") as folder:
        if asked.runs:
            go(sleepers(folder, asked.runs))
    with tempfile.TemporaryDirectory(prefix="dirigent-sleep-") as folder:
        if asked.fire:
            go(lateness(folder, asked.fire, asked.rate))
    with tempfile.TemporaryDirectory(prefix="dirigent-sleep-") as folder:
        if asked.open:
            restart(folder, asked.open)


if __name__ == "__main__":
    main()
