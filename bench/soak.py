"""One engine through many runs, with retention on: what grows?

    python bench/soak.py [--runs 1000000] [--at-once 200] [--keep 2000] [--leak 0]

Prints resident memory, descriptors, tasks and the size of the store on the way; at the end the slope of it
after the first third, in bytes a run and in per cent an hour at this speed. `--leak` keeps so many bytes of
each run: a control that the slope must show.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
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
from dirigent.model.run.retention import Retention
from dirigent.model.run.start import Start
from dirigent.stores.retention import kept
from dirigent.stores.sqlite import SqliteStore
from dirigent.testing import FakeVault, ScriptedOracle

DOCUMENT = """
document: {dsl: 1.0.3, namespace: soak, name: soak, version: 1.0.0}
do:
  - first: {run: {shell: {command: 'true'}}}
  - both:
      fork:
        branches:
          - nap: {wait: {milliseconds: 5}}
          - second: {run: {shell: {command: 'true'}}}
  - last: {set: {got: '${ . }'}}
"""
PAGE = os.sysconf("SC_PAGE_SIZE")
SAMPLES = 12


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    async def sleep_until(self, at: float) -> None:
        """Sleep."""
        await asyncio.sleep(max(0.0, at - time.time()))


class Nothing:
    """Performs every effect by doing nothing."""

    async def perform(self, order: Order) -> Outcome:
        """Say that it is done."""
        return Done(order.attempt)

    async def abandon(self, order: Order) -> None:
        """Have nothing to stop."""


@dataclass(frozen=True)
class Sample:
    """What the process holds after so many runs, so many seconds after the beginning."""

    runs: int
    seconds: float
    resident: int
    descriptors: int
    tasks: int
    store: int

    def line(self) -> str:
        """Return it as a line of a table."""
        return (
            f"{self.runs:>10,} runs  {self.seconds:8.1f} s  {self.resident / 2**20:7.1f} MiB  "
            f"{self.descriptors:>3} descriptors  {self.tasks:>4} tasks  store {self.store / 2**20:7.1f} MiB"
        )


@dataclass
class Soak:
    """So many runs, so many at once, of which so many that have ended are kept. `leak` is the control."""

    runs: int
    at_once: int = 200
    keep: int = 2_000
    leak: int = 0
    leaked: list[bytes] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    async def go(self, path: str, *, quiet: bool = False) -> None:
        """Run all of them, and take samples on the way."""
        program = _program()
        store = SqliteStore.open_for_writing(path)
        clock, began = SystemClock(), time.perf_counter()
        effects = Effects({"shell": Nothing()}, ScriptedOracle(), FakeVault(), clock)
        engine = Engine(store, store, effects, Tools(LANGUAGE, SCHEMAS), clock)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(store.close)
            stack.push_async_callback(engine.close)
            await engine.open()
            await stack.enter_async_context(kept(store, Retention(runs=self.keep), clock))
            for part in range(SAMPLES):
                first, last = self.runs * part // SAMPLES, self.runs * (part + 1) // SAMPLES
                await self._some(engine, program, range(first, last))
                self.samples.append(_sample(last, time.perf_counter() - began, path))
                if not quiet:
                    print(self.samples[-1].line(), flush=True)

    async def _some(self, engine: Engine, program: Program, numbers: range) -> None:
        left = iter(numbers)

        async def take() -> None:
            for number in left:
                run = await engine.start(Start(RunId(f"soak-{number:09}"), program, {"n": number}))
                await engine.wait(run)
                if self.leak:
                    self.leaked.append(bytes(self.leak))

        await asyncio.gather(*(take() for _ in range(self.at_once)))

    def slope(self) -> float:
        """Return by how many bytes a run memory grows after the first third: a line of least squares."""
        later = self.samples[SAMPLES // 3 :]
        middle = sum(each.runs for each in later) / len(later)
        level = sum(each.resident for each in later) / len(later)
        rise = sum((each.runs - middle) * (each.resident - level) for each in later)
        return rise / sum((each.runs - middle) ** 2 for each in later)

    def hourly(self) -> float:
        """Return the same in per cent of the resident memory an hour, at the speed of this soak."""
        last = self.samples[-1]
        return 100 * self.slope() * (last.runs / last.seconds) * 3600 / last.resident


def soaked(soak: Soak, path: str) -> Soak:
    """Run all of it without a word, and return it."""
    asyncio.run(soak.go(path, quiet=True))
    return soak


def _program() -> Program:
    program, problems = read_naked(DOCUMENT, "soak.yaml", LANGUAGE)
    if program is None:
        raise SystemExit("\n".join(str(problem) for problem in problems))
    return program


def _sample(runs: int, seconds: float, path: str) -> Sample:
    gc.collect()
    resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * PAGE
    files = [Path(path), Path(f"{path}-wal")]
    return Sample(
        runs,
        seconds,
        resident,
        len(list(Path("/proc/self/fd").iterdir())),
        len(asyncio.all_tasks()),
        sum(file.stat().st_size for file in files if file.exists()),
    )


def main() -> None:
    """Soak, and print what grows."""
    parser = argparse.ArgumentParser(description="Run many runs through one engine, and see what grows.")
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--keep", type=int, default=2_000)
    parser.add_argument("--leak", type=int, default=0)
    asked = parser.parse_args()
    soak = Soak(asked.runs, asked.at_once, asked.keep, asked.leak)
    with tempfile.TemporaryDirectory(prefix="dirigent-soak-") as folder:
        asyncio.run(soak.go(f"{folder}/soak.db"))
    print(f"slope {soak.slope():.1f} bytes a run, {soak.hourly():.2f} % an hour at this speed")


if __name__ == "__main__":
    main()
