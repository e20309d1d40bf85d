"""What ends at nearly the same time is recorded by one append, and nothing of it is lost on the way there.

Each effect of the world here ends a little later than the one before it: never two in one round of the loop.
"""

import asyncio
from dataclasses import dataclass

import pytest

from core.simulation import RUN, TOOLS
from dirigent.engine import turning
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.model.run.journal import Succeeded
from dirigent.model.run.start import Start
from dirigent.testing import FakeVault, Fuse, FusedStore, MemoryStore, ScriptedOracle, VirtualClock
from engine.test_ahead import Moving, assert_nothing_was_written_on_sand
from engine.workflows import document

BRANCH = "          - b{0}: {{run: {{shell: {{command: write, stdin: '{0}'}}}}}}\n"


def side_by_side(count):
    branches = "".join(BRANCH.format(n) for n in range(count))
    return document("do:\n  - all:\n      fork:\n        branches:\n" + branches)


@dataclass
class Procession(Moving):
    """A world whose effects end one after the other, some rounds of the loop apart."""

    wait: bool = True
    apart: int = 2
    begun: int = 0

    async def perform(self, order):
        self.begun += 1
        for _ in range(self.apart * self.begun):
            await asyncio.sleep(0)
        return await super().perform(order)

    def engine(self):
        clock = VirtualClock(0.0)
        effects = Effects({"shell": self}, ScriptedOracle(), FakeVault(), clock)
        store = FusedStore(MemoryStore(self.disk), self.fuse)
        return Engine(store, store, effects, TOOLS, clock)

    @property
    def appends(self):
        return sum(place.startswith("before run-1@") for place in self.fuse.places)

    @property
    def recorded(self):
        return sorted(fact.position for fact in self.journal if isinstance(fact, Succeeded))


def lived(count, **options):
    world = Procession(**options)
    assert world.live(side_by_side(count)).phase == "completed"
    assert_nothing_was_written_on_sand(world)
    return world


def test_what_is_about_to_end_goes_into_the_same_append(monkeypatch):
    together = lived(60)
    monkeypatch.setattr(turning, "MANY", 1_000)
    alone = lived(60)
    assert together.recorded == alone.recorded
    assert together.appends * 2 < alone.appends


def test_it_is_not_waited_for_what_does_not_end():
    """The rounds are counted: an effect that goes on for long holds nobody back."""
    world = lived(12, apart=4 * turning.ROUNDS)
    assert world.appends >= 12


def test_few_effects_are_not_gathered():
    world = lived(turning.MANY - 1, apart=8)
    assert world.appends >= turning.MANY - 1


def test_a_death_while_results_gather_forgets_none_and_records_none_twice():
    program = side_by_side(14)
    places = len(lived(14).fuse.places)
    assert places > 30
    for place in range(1, places + 1):
        world = Procession(fuse=Fuse(place))
        assert world.live(program).phase == "completed"
        assert_nothing_was_written_on_sand(world)
        assert len(world.recorded) == len(set(world.recorded)) == len({each[0] for each in world.written})


def settled_after(world, program, rounds):
    """End an engine in good order some rounds after the start; return which effects came to their end."""

    async def life():
        engine = world.engine()
        await engine.open()
        await engine.start(Start(RUN, program, 0, {"doubt": "repeat"}))
        for _ in range(rounds):
            await asyncio.sleep(0)
        await engine.settle(60)
        await engine.close()
        return {each[0] for each in world.written}

    return asyncio.run(life())


@pytest.mark.parametrize("rounds", range(0, 60, 3))
def test_an_engine_that_ends_in_good_order_records_what_gathers(rounds):
    program = side_by_side(14)
    world = Procession()
    ended = settled_after(world, program, rounds)
    assert ended == set(world.recorded)
    assert world.live(program).phase == "completed"
    assert len(world.recorded) == len(set(world.recorded)) == 14


def test_a_gathering_that_is_forgotten_at_the_end_would_be_found(monkeypatch):
    """Results that wait in memory alone when the engine goes are lost: the test above sees it."""
    monkeypatch.setattr(turning.Turning, "_gather", lambda self, live, gathered, rounds: gathered.cancel())
    world = Procession()
    assert settled_after(world, side_by_side(14), 9) > set(world.recorded)
