"""A fleet takes its share of the shards, drives each with an engine of its own, lets go of what is lost."""

import asyncio
from dataclasses import dataclass, field

import pytest

from dirigent.app.tools import TOOLS
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.engine.fleet import fleet as fleets
from dirigent.engine.fleet.fleet import Fleet
from dirigent.model.problem import Refusal, refuse
from dirigent.model.run.journal import CancelRequested
from dirigent.model.run.start import Start
from dirigent.ports.fleet import Census, Wish
from dirigent.testing import FakeVault, MemoryDisk, MemoryStore, VirtualClock
from stores.samples import PROGRAM, in_loop

SHARDS = 4
GONE = refuse("E5002", "another engine has taken the shard over")


@dataclass
class World:
    """What a database knows: who owns which shard, who lives, and what the shards hold."""

    owners: dict = field(default_factory=dict)
    living: list = field(default_factory=list)
    disks: dict = field(default_factory=lambda: {shard: MemoryDisk() for shard in range(SHARDS)})


@dataclass(eq=False)
class FakeTenure:
    shard: int
    journal: MemoryStore
    why: Refusal | None = None
    answers: list = field(default_factory=list)

    @property
    def shelf(self):
        return self.journal

    def lost(self):
        return self.why

    def expect(self, wish):
        """No append of these tests answers by itself."""

    async def answer(self, wish, answer):
        self.answers.append(answer)


@dataclass(eq=False)
class FakeTenancy:
    """One process. `poke` gives it a hint; without one it sleeps."""

    world: World
    away: bool = False
    wished: list = field(default_factory=list)
    heard: asyncio.Queue = field(default_factory=asyncio.Queue)
    taken: list = field(default_factory=list)

    async def take(self, count):
        free = [shard for shard in range(SHARDS) if shard not in self.world.owners][:count]
        self.world.owners.update(dict.fromkeys(free, self))
        made = [FakeTenure(shard, MemoryStore(self.world.disks[shard])) for shard in free]
        self.taken.extend(made)
        return made

    async def renew(self, held):
        if self not in self.world.living:
            self.world.living.append(self)
        if self.away:
            return None
        return Census(len(self.world.living), SHARDS, SHARDS - len(self.world.owners))

    async def release(self, held, *, leaving=False):
        for tenure in held:
            del self.world.owners[tenure.shard]
        if leaving:
            self.world.living.remove(self)

    async def wishes(self, held):
        return [wish for wish in self.wished if wish.shard in {each.shard for each in held}]

    def hint(self, word):
        """Nobody listens."""

    async def hinted(self, seconds):
        return frozenset({await self.heard.get()})

    def poke(self, word):
        self.heard.put_nowait(word)

    def owned(self):
        return [shard for shard, owner in self.world.owners.items() if owner is self]


def build(tenure, crew):
    effects = Effects({}, None, FakeVault(), VirtualClock())
    return Engine(tenure.journal, tenure.shelf, effects, TOOLS, VirtualClock(), _crew=crew)


async def until(holds):
    """Let others run until something holds."""
    for _ in range(100_000):
        if holds():
            return
        await asyncio.sleep(0)
    pytest.fail("it never came to hold")


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(fleets, "LOOK_SECONDS", 0.0)


@in_loop
async def test_the_first_takes_all_and_the_second_its_half():
    world = World()
    one, two = FakeTenancy(world), FakeTenancy(world)
    first, second = Fleet(one, build), Fleet(two, build)
    await first.open()
    assert all(first.engine(shard) for shard in range(SHARDS))
    await second.open()
    one.poke("shards")
    await until(lambda: len(one.owned()) == 2)
    two.poke("shards")
    await until(lambda: len(two.owned()) == 2)
    await until(lambda: sum(second.engine(shard) is not None for shard in range(SHARDS)) == 2)
    await second.close()
    one.poke("shards")
    await until(lambda: len(one.owned()) == SHARDS)
    await first.close()
    assert world.owners == {}
    assert world.living == []


@in_loop
async def test_a_shard_that_is_lost_is_dropped_and_the_others_go_on():
    tenancy = FakeTenancy(World())
    fleet = Fleet(tenancy, build)
    await fleet.open()
    lost = fleet.engine(1)
    tenancy.taken[1].why = GONE
    assert fleet.engine(1) is None  # at once, before anybody has looked
    await until(lambda: tenancy.taken[1] not in [each.tenure for each in fleet._holdings.values()])
    with pytest.raises((Refusal, asyncio.CancelledError)):
        await asyncio.wait_for(lost.wait("nobody"), 1)
    assert fleet.engine(0) is not None
    assert fleet.crew.failure is None
    del tenancy.world.owners[1]
    tenancy.poke("shards")
    await until(lambda: fleet.engine(1) is not None)
    assert fleet.engine(1) is not lost
    await fleet.close()


@in_loop
async def test_an_engine_that_is_refused_as_a_past_owner_takes_nobody_down():
    tenancy = FakeTenancy(World())
    fleet = Fleet(tenancy, build)
    await fleet.open()
    MemoryStore(tenancy.world.disks[2])  # somebody opens it, and fences us off
    with pytest.raises(Refusal):
        await fleet.engine(2).start(Start("r", PROGRAM, {}))
    await until(lambda: fleet.engine(2) is None or fleet._holdings[2].crew.failure is None)
    assert fleet.crew.failure is None
    assert fleet.engine(3) is not None


@in_loop
async def test_any_other_failure_of_an_engine_is_one_of_the_process():
    tenancy = FakeTenancy(World())
    fleet = Fleet(tenancy, build)
    await fleet.open()
    fleet._holdings[0].crew.fail(refuse("E5047", "the database failed"))
    await until(lambda: fleet.crew.failure is not None)
    with pytest.raises(Refusal):
        fleet.crew.check()


@in_loop
async def test_while_the_store_is_away_nothing_is_taken_and_nothing_given_back():
    tenancy = FakeTenancy(World(), away=True)
    fleet = Fleet(tenancy, build)
    await fleet.open()
    assert tenancy.owned() == []
    tenancy.away = False
    tenancy.poke("shards")
    await until(lambda: len(tenancy.owned()) == SHARDS)
    await fleet.close()


@in_loop
async def test_wishes_are_granted_once_or_refused_with_the_reason():
    tenancy = FakeTenancy(World())
    fleet = Fleet(tenancy, build)
    await fleet.open()
    tenancy.wished = [
        Wish(1, 0, "nobody", CancelRequested(0.0)),
        Wish(2, 1, "r", Start("r", PROGRAM, {})),
    ]
    for _ in range(3):
        tenancy.poke("inbox")
    await until(lambda: tenancy.taken[0].answers and tenancy.taken[1].answers)
    tenancy.wished.clear()
    assert tenancy.taken[0].answers[0].problems[0].code == "E4004"
    assert tenancy.taken[1].answers[0] == "r"
    assert (await tenancy.taken[1].shelf.run("r")).id == "r"
    await fleet.close()
