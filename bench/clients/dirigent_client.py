"""Dirigent as a library: workflow documents on SQLite, interpreted by the engine in this process.

The steps are effects of one performer in this process that leaves a mark. A step in doubt after a crash is
repeated. Variants: `keyed`, its server knows its key; `pipelined`, it may be repeated at any time.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from course import Course, course, in_places, mark, take_part
from faster import go

from dirigent.app.looking import SystemClock
from dirigent.app.stacks import secret_of_workflow
from dirigent.app.tools import TOOLS
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.jq import LANGUAGE
from dirigent.lang.workflow.document import read_naked
from dirigent.model.ids import RunId
from dirigent.model.program import Program
from dirigent.model.run.effect import Done, Order, Outcome
from dirigent.model.run.start import Start
from dirigent.stores.sqlite import SqliteStore
from dirigent.tasks.oracle import JqOracle
from dirigent.tasks.secrets import EnvironmentVault

HEAD = "document: {dsl: 1.0.3, namespace: bench, name: NAME, version: 1.0.0}\ndo:\n"
STEP = "- s{0}: {{run: {{shell: {{command: '{0}'}}}}}}\n"
STARTED_AT_ONCE = 500


class Marking:
    """Performs every step by leaving a mark.

    With a ledger it stands for a server that keeps keys: what it has done once it does not do again.
    """

    def __init__(self, ledger: set[tuple[str, str]] | None) -> None:
        """Keep the ledger, if there is one."""
        self._ledger = ledger

    def answer(self, order: Order) -> Outcome:
        """Do the step whose number is its command: a plain function of this process."""
        number = str(order.request["command"])
        if self._ledger is None or (order.run, number) not in self._ledger:
            mark(order.run, int(number))
        return Done({"i": int(number), "ok": True})

    async def perform(self, order: Order) -> Outcome:
        """Do the same, for whoever does not ask for an answer at once."""
        return self.answer(order)

    async def abandon(self, order: Order) -> None:
        """Have nothing to stop."""


class Repeating(Marking):
    """Performs steps that may be repeated, so that the engine need not wait for the disk between them."""

    def repeatable(self, request: object) -> bool:
        """Say so."""
        del request
        return True


def program(name: str, body: str) -> Program:
    """Return the program of a document, which has no problems."""
    found, problems = read_naked(HEAD.replace("NAME", name) + body, f"{name}.yaml", LANGUAGE)
    if found is None:
        raise SystemExit("\n".join(str(problem) for problem in problems))
    return found


def indented(text: str, depth: int) -> str:
    """Return lines further to the right."""
    return "".join(" " * depth + line + "\n" for line in text.splitlines())


class Dirigent:
    """Starts runs in the engine and waits for their ends."""

    def __init__(self, engine: Engine) -> None:
        """Drive this engine."""
        self.engine = engine
        self.chains: dict[int, Program] = {}
        self.forks: dict[int, Program] = {}

    async def learn(self, orders: Course, keep: Callable[[Program], Awaitable[object]]) -> None:
        """Read the long documents and store them: they are known beforehand, as functions of peers are."""
        match orders.workload:
            case "A":
                await keep(self._chain(orders.steps))
            case "C":
                await keep(self._fork(orders.runs))
            case _:
                return

    def _chain(self, steps: int) -> Program:
        if steps not in self.chains:
            body = "".join(STEP.format(number) for number in range(steps))
            self.chains[steps] = program("chain", indented(body, 2))
        return self.chains[steps]

    def _fork(self, width: int) -> Program:
        if width not in self.forks:
            body = "".join(STEP.format(number) for number in range(width))
            fork = "  - all:\n      fork:\n        branches:\n" + indented(body, 10)
            self.forks[width] = program("fan", fork)
        return self.forks[width]

    async def _whole(self, name: str, what: Program) -> None:
        run = await self.engine.start(Start(RunId(name), what, {}))
        ended = await self.engine.wait(run)
        if ended.fault is not None:
            raise SystemExit(f"{run}: {ended.fault}")

    async def chain(self, run: str, steps: int) -> None:
        """Run one chain; the id finds the one that there is."""
        await self._whole(run, self._chain(steps))

    async def many(self, runs: int, steps: int, at_once: int) -> None:
        """Run chains, so many at a time."""
        await in_places(self.chain, runs, steps, at_once)

    async def fan(self, width: int) -> None:
        """Fork into so many branches, and join."""
        await self._whole("c", self._fork(width))

    async def sleepers(self, count: int) -> None:
        """Start them; a run and its timer are durable when `start` returns."""
        nap = program("nap", "  - nap: {wait: {hours: 1}}\n")
        for first in range(0, count, STARTED_AT_ONCE):
            numbers = range(first, min(count, first + STARTED_AT_ONCE))
            await asyncio.gather(*(self.engine.start(Start(RunId(f"n{n}"), nap, {})) for n in numbers))


def ledger_of(orders: Course) -> set[tuple[str, str]] | None:
    """Return what the server of keyed steps has done already."""
    if orders.extra.get("variant") != "keyed":
        return None
    trace = Path(orders.extra["trace"])
    lines = trace.read_text(encoding="ascii").splitlines() if trace.exists() else []
    return {(words[0], words[1]) for line in lines if (words := line.split())}


def effects_of(orders: Course) -> Effects:
    """Return what carries out the steps; vault, expression worker and clock are the real ones."""
    vault = EnvironmentVault({}, os.environ, Path(orders.folder), secret_of_workflow)
    kind = Repeating if orders.extra["variant"] == "pipelined" else Marking
    return Effects({"shell": kind(ledger_of(orders))}, JqOracle(), vault, SystemClock())


async def main() -> None:
    """Take part."""
    orders = course()
    store = SqliteStore.open_for_writing(str(Path(orders.folder, "bench.db")))
    engine = Engine(store, store, effects_of(orders), TOOLS, SystemClock())
    await engine.open()
    entrant = Dirigent(engine)
    await entrant.learn(orders, store.keep)
    await take_part(entrant, orders)


if __name__ == "__main__":
    go(main())
