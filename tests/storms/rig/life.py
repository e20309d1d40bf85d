"""One life of the real engine on a real store, with effects that are only noted. It says all that it does.

Each line is a JSON list: a letter, the monotonic time, and what was acknowledged. `F`: facts are
durable; `S` a start, `T` a word, `P` a plan was answered; `E`: an effect happens now; `R`: open;
`X`: the store refused, `V` and `N` whether it can be read; `D`: all is done.
"""

import asyncio
import json
import os
import resource
import time
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from zlib import crc32

from core.scenario import read
from dirigent.app.looking import SystemClock
from dirigent.app.tools import TOOLS
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.model.ids import PlanId
from dirigent.model.problem import Refusal
from dirigent.model.resource import ResourceRow
from dirigent.model.run.effect import Done
from dirigent.model.run.journal import ResourceChanged, Resumed, Suspended
from dirigent.model.run.start import Start
from dirigent.stores import codec
from dirigent.stores.sqlite import SqliteStore, opening, writing
from dirigent.testing import FakeVault, ScriptedOracle
from stores.samples import PLAN
from storms.rig.dice import Dice

LARGE_BYTES = 40_000
PARTING_SECONDS = 5.0
REFUSED = 1
DOCUMENT = """---
do:
  - first: {run: {shell: {command: first}}}
  - pause: {wait: {milliseconds: 1}}
  - both:
      fork:
        branches:
          - left: {run: {shell: {command: left}}}
          - right: {run: {shell: {command: right}}}
  - note: {set: {noted: true}}
  - last: {run: {shell: {command: last}}}
"""


@cache
def program():
    return read(DOCUMENT)[1]


def say(letter, *words):
    """Say one line, to whoever keeps the ledger."""
    os.write(1, json.dumps([letter, time.monotonic(), *words]).encode() + b"\n")


def sum_of(facts):
    """Return a checksum of facts, as they are stored."""
    return crc32(b"".join(codec.encode_fact(fact) for fact in facts))


class Noting:
    """Performs everything by saying so; sometimes the result is large, or changes a resource."""

    def __init__(self, large_bytes, tell=say):
        self.large_bytes, self.tell = large_bytes, tell

    async def perform(self, order):
        self.tell("E", order.run, order.position, order.attempt)
        await asyncio.sleep(0)
        dice = Dice(order.id)
        text = "x" * (self.large_bytes if dice.below(9) == 0 else dice.below(200))
        row = ResourceRow(order.run, order.run, "note", {"at": order.position}, {"text": text[:20]})
        changed = (ResourceChanged(0.0, order.run, row),) if dice.below(3) == 0 else ()
        return Done({"text": text, "seed": dice.below(1000)}, changed)

    async def abandon(self, order):
        pass


def engine_on(store, performer):
    clock = SystemClock()
    effects = Effects({"shell": performer}, ScriptedOracle(), FakeVault(), clock)
    return Engine(store, store, effects, TOOLS, clock)


def live(order):
    """Live until the work is done, the store refuses, or somebody kills us."""
    say("L")
    if order.get("weak"):
        opening.PRAGMAS = (*opening.PRAGMAS, f"synchronous = {order['weak']}")
    writing.BUSY_COMMITS, writing.LOG_BYTES = order.get("log", (writing.BUSY_COMMITS, writing.LOG_BYTES))
    if order.get("memory"):
        _limit(order["memory"])
    if order.get("checkpoint"):
        opening.PRAGMAS = (*opening.PRAGMAS, f"wal_autocheckpoint = {order['checkpoint']}")
    try:
        asyncio.run(_live(order))
    except Refusal as refusal:
        problem = refusal.problems[0]
        say("X", problem.code, problem.message, list(problem.help))
        asyncio.run(_look(order["path"]))
        raise SystemExit(REFUSED) from None
    say("D")


def _limit(more):
    """Let this process have so many bytes more than it has now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


async def _look(path):
    """Say whether what is stored can be read, `V`, or why not, `N`."""
    try:
        store = SqliteStore.open_for_reading(path)
        try:
            say("V", sum([len(await store.read(found.id)) for found in await store.runs(limit=1000)]))
        finally:
            store.abandon()
    except Refusal as refusal:
        say("N", refusal.problems[0].code)


async def _live(order):
    # A file system in user space counts as a network to the store; here it is one that we know.
    store = SqliteStore.open_for_writing(order["path"], network=True)
    engine = engine_on(store, Noting(order.get("large", LARGE_BYTES)))
    engine.observers.append(lambda run, _, first, facts: say("F", run, first, len(facts), sum_of(facts)))
    await engine.open()
    say("R")
    standing = await go_on(engine, store)
    numbers = iter(count()) if order.get("runs") is None else iter(range(order["runs"]))
    try:
        await asyncio.gather(
            *(engine.wait(run) for run in standing),
            *(_worker(engine, store, order, numbers) for _ in range(order.get("width", 6))),
        )
    finally:
        await engine.settle(PARTING_SECONDS)
        await engine.close()
        await store.close()


async def go_on(engine, store):
    """Let the runs go on that were suspended when the last life ended; return all that are open."""
    found = await store.runs(only_open=True, limit=100_000)
    for run in found:
        if run.phase == "suspended":
            await _word(engine, run.id, Resumed(3.0))
    return [run.id for run in found]


async def _worker(engine, store, order, numbers):
    """Start runs one after the other, with a word to some of them."""
    for number in numbers:
        run = f"{order['seed']}-{number}"
        await engine.start(Start(run, program(), {"n": number}))
        say("S", run)
        if number % 4 == 1:
            await _word(engine, run, Suspended(1.0 + number, "a while"))
            await _word(engine, run, Resumed(2.0 + number))
        if number % 5 == 2:
            plan = replace(PLAN, id=PlanId(f"plan-{run}"))
            await store.keep_plan(plan)
            say("P", plan.id)
        await engine.wait(run)


async def _word(engine, run, fact):
    try:
        await engine.tell(run, fact)
    except Refusal as refusal:
        if refusal.problems[0].code != "E4003":  # it was over before
            raise
    else:
        say("T", run, type(fact).__name__)
