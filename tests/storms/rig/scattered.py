"""One life of the real engine on the real store with random programs under way, in a time that runs fast.

The programs and the reference interpreter are those of `tests/simulation`.
"""

import asyncio
import time

from dirigent.app.tools import TOOLS
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.model.ids import RunId
from dirigent.model.run.start import Start
from dirigent.stores.sqlite import SqliteStore
from dirigent.testing import Dice, FakeVault, ScriptedOracle
from simulation.rig.drawing import Shape
from simulation.rig.outcomes import Outcomes
from simulation.rig.programs import program_of
from storms.rig.life import say, sum_of

# A program that waits for seconds ends in milliseconds.
FASTER = 1000.0
SHAPE = Shape(classes=("keyed", "supervised", "pure"), slow=False)
FUNCTIONS = ("http", "shell", "script", "openapi")


def program(number):
    """Return the random program of a number."""
    return program_of(Dice(number), SHAPE)


def name(number):
    """Return what the run of a program is called."""
    return RunId(f"random-{number}")


class FastClock:
    """The time since `epoch`, running fast; it goes on between two lives.

    Counted from the beginning of the storm: a thousandfold time of day could not tell microseconds apart.
    """

    def __init__(self, epoch):
        self.epoch = epoch

    def now(self):
        return (time.time() - self.epoch) * FASTER

    async def sleep_until(self, at):
        await asyncio.sleep(max(0.0, at / FASTER + self.epoch - time.time()))


class Drawn:
    """What becomes of an effect is drawn from its run, position and attempt: the same in every life."""

    def __init__(self, seed):
        self.outcomes = Outcomes(seed)

    async def perform(self, order):
        await asyncio.sleep(0)
        return self.outcomes.of(order.run, order.position, order.attempt)

    async def abandon(self, order):
        pass


def live(order):
    """Live until all programs have ended, or somebody kills us."""
    say("L")
    asyncio.run(_live(order))
    say("D")


async def _live(order):
    store = SqliteStore.open_for_writing(order["path"])
    clock = FastClock(order["epoch"])
    performers = dict.fromkeys(FUNCTIONS, Drawn(order["seed"]))
    effects = Effects(performers, ScriptedOracle(), FakeVault(), clock)
    engine = Engine(store, store, effects, TOOLS, clock)
    engine.observers.append(lambda run, _, first, facts: say("F", run, first, len(facts), sum_of(facts)))
    await engine.open()
    say("R")
    known = {found.id for found in await store.runs(limit=1_000_000)}
    numbers = iter([n for n in range(order["from"], order["to"]) if name(n) not in known])
    await asyncio.gather(*(_worker(engine, numbers) for _ in range(order["width"])))
    for found in await store.runs(only_open=True, limit=100_000):
        await engine.wait(found.id)
    await engine.close()
    await store.close()


async def _worker(engine, numbers):
    for number in numbers:
        run = name(number)
        await engine.start(Start(run, program(number), None))
        say("S", run)
        await engine.wait(run)
