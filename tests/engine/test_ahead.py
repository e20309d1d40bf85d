"""Effects that may be repeated run ahead of the journal; all others wait for everything before them.

The world moves on: whatever is read twice has changed meanwhile. So an effect that was begun on something
that a crash then took away is seen: nothing in the journal tells of it.
"""

import asyncio
from dataclasses import dataclass, field

import pytest

from core.simulation import RUN, TOOLS
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.model import limits
from dirigent.model.program import OnDoubt
from dirigent.model.run.command import Perform
from dirigent.model.run.effect import Done
from dirigent.model.run.journal import Abandoned, Ended, Intended, Succeeded, Suspended
from dirigent.model.run.start import Start
from dirigent.stores import codec
from dirigent.testing import (
    Crash,
    FakeVault,
    Fuse,
    FusedStore,
    MemoryDisk,
    MemoryStore,
    ScriptedOracle,
    VirtualClock,
)
from engine.workflows import document

STEP = "  - {0}: {{run: {{shell: {{command: {1}, stdin: '${{ tostring }}'}}}}}}\n"
VERBS = {"r": "read", "w": "write"}


def workflow(kinds):
    """Tasks one after the other, each with what the one before it gave: r reads, w writes."""
    return document("do:\n" + "".join(STEP.format(f"{k}{n}", VERBS[k]) for n, k in enumerate(kinds)))


class Late:
    """A store that takes its time before anything is durable."""

    def __init__(self, sound):
        self.sound = sound

    def __getattr__(self, name):
        return getattr(self.sound, name)

    async def append(self, *append):
        for _ in range(5):
            await asyncio.sleep(0)
        await self.sound.append(*append)


@dataclass
class Moving:
    """A world that is another one each time somebody looks. Writing leaves a mark in it for ever."""

    disk: MemoryDisk = field(default_factory=MemoryDisk)
    fuse: Fuse = field(default_factory=Fuse)
    looked: int = 0
    written: list = field(default_factory=list)
    early: int = 0
    everything_repeatable: bool = False
    wait: bool = False

    def repeatable(self, request):
        return self.everything_repeatable or request["command"] == "read"

    def answer(self, order):
        if self.wait:
            return None
        self.fuse.burn(f"before {order.position}")
        recorded = any(
            isinstance(fact, Intended)
            and (fact.position, fact.attempt, fact.request) == (order.position, order.attempt, order.request)
            for fact in self.journal
        )
        if order.request["command"] == "read":
            self.looked += 1
            self.early += not recorded
            found = Done(self.looked)
        else:
            self.written.append((order.position, order.request["stdin"], recorded))
            found = Done("written")
        self.fuse.burn(f"after {order.position}")
        return found

    async def perform(self, order):
        await asyncio.sleep(0)
        self.wait = False
        try:
            return self.answer(order)
        finally:
            self.wait = True

    async def abandon(self, order):
        pass

    @property
    def journal(self):
        return [codec.decode_fact(content) for content in self.disk.journals.get(RUN, ())]

    def engine(self):
        clock = VirtualClock(0.0)
        effects = Effects({"shell": self}, ScriptedOracle(), FakeVault(), clock)
        store = FusedStore(Late(MemoryStore(self.disk)), self.fuse)
        return Engine(store, store, effects, TOOLS, clock)

    def live(self, program):
        """Live until the run has ended, dying where the fuse says."""
        while True:
            try:
                return asyncio.run(asyncio.wait_for(self.life(program), 60))
            except Crash:
                self.fuse.revive()

    async def life(self, program):
        engine = self.engine()
        heard = []
        engine.observers.append(lambda run, program, first, facts: heard.append((first, tuple(facts))))
        await engine.open()
        # What is in doubt is written again, so that the run comes to its end by itself.
        await engine.start(Start(RUN, program, 0, {"doubt": "repeat"}))
        ended = await engine.wait(RUN)
        for first, facts in heard:
            assert self.journal[first : first + len(facts)] == list(facts), "told of what is not durable"
        await engine.close()
        return ended


def requests(journal):
    return {(fact.position, fact.request["stdin"]) for fact in journal if isinstance(fact, Intended)}


def assert_nothing_was_written_on_sand(world):
    """Whatever was written had been recorded before, with all that it came from, and still is."""
    assert all(recorded for _, _, recorded in world.written), "begun before its intent was durable"
    assert {(position, given) for position, given, _ in world.written} <= requests(world.journal)


def die_everywhere(program, **options):
    calm = Moving(**options)
    calm.live(program)
    places = len(calm.fuse.places)
    for first in range(1, places + 1):
        for second in ((), (1,), (3,)):
            world = Moving(fuse=Fuse(first, *second), **options)
            assert world.live(program).phase == "completed"
            assert_nothing_was_written_on_sand(world)
    return places


KINDS = ("rrwrrw", "wrwr", "rrrw", "wwrr")


@pytest.mark.slow
@pytest.mark.parametrize("wait", [False, True], ids=["on the spot", "in a task"])
@pytest.mark.parametrize("kinds", KINDS)
def test_no_write_ever_ran_on_a_read_that_a_crash_could_take_away(kinds, wait):
    assert die_everywhere(workflow(kinds), wait=wait) > 8


@pytest.mark.parametrize("wait", [False, True], ids=["on the spot", "in a task"])
def test_if_writes_ran_ahead_too_it_would_be_found(wait):
    with pytest.raises(AssertionError, match="before its intent was durable"):
        die_everywhere(workflow("rrw"), everything_repeatable=True, wait=wait)


def test_a_lost_read_with_a_write_upon_it_would_be_found_in_the_journal_alone():
    worlds = [Moving(fuse=Fuse(place), everything_repeatable=True) for place in range(1, 12)]
    for world in worlds:
        world.live(workflow("rrw"))
        world.written = [(position, given, True) for position, given, _ in world.written]
    found = [requests(world.journal) >= {each[:2] for each in world.written} for world in worlds]
    assert not all(found)


def test_reads_run_ahead_and_share_an_append():
    world = Moving()
    world.live(workflow("r" * 10))
    appends = [place for place in world.fuse.places if place.startswith("before run-1@")]
    # The beginning, and all the rest.
    assert len(appends) == 2
    assert world.early == 9
    assert sum(isinstance(fact, Succeeded) for fact in world.journal) == 10


def test_writes_share_none():
    world = Moving()
    world.live(workflow("w" * 10))
    appends = [place for place in world.fuse.places if place.startswith("before run-1@")]
    assert len(appends) == 11
    assert [recorded for _, _, recorded in world.written] == [True] * 10


def test_a_run_does_not_get_ahead_of_the_journal_without_end(monkeypatch):
    monkeypatch.setattr(limits, "FACTS_AHEAD", 8)
    world = Moving()
    world.live(workflow("r" * 40))
    sizes = [len(place.split(" ")) - 2 for place in world.fuse.places if place.startswith("before run-1@")]
    assert max(sizes) <= 8 + 2
    assert sum(sizes) == len(world.journal)


RACE = """
do:
  - first: {run: {shell: {command: read, stdin: x}}}
  - race:
      fork:
        compete: true
        branches:
          - slow: {run: {shell: {command: write, stdin: late}}}
          - quick: {run: {shell: {command: read, stdin: now}}}
"""


def test_what_is_not_wanted_any_more_and_has_not_begun_never_begins():
    world = Moving()
    assert world.live(document(RACE)).output == 2
    assert world.written == []
    assert sum(isinstance(fact, Abandoned) for fact in world.journal) == 1


def test_the_first_append_of_a_run_is_never_run_ahead_of():
    world = Moving()
    world.live(workflow("r"))
    assert world.early == 0


@pytest.mark.parametrize(
    ("command", "on_doubt", "repeatable"),
    [
        ("write", OnDoubt.HOLD, False),
        ("write", OnDoubt.SKIP, False),
        ("write", OnDoubt.REPEAT, True),
        ("read", OnDoubt.HOLD, True),
    ],
)
def test_the_author_or_the_performer_may_say_that_an_effect_is_repeatable(command, on_doubt, repeatable):
    effects = Moving().engine().effects
    assert (
        effects.repeatable(Perform("/do/0", 1, "id", "shell", {"command": command}, on_doubt)) is repeatable
    )


def test_without_anybody_who_says_so_an_effect_is_not_repeatable():
    effects = Moving().engine().effects
    assert not effects.repeatable(Perform("/do/0", 1, "id", "http", {"method": "get"}, OnDoubt.HOLD))


def test_a_suspended_run_begins_nothing_ahead_either():
    world = Moving(wait=True)

    async def test():
        engine = world.engine()
        await engine.open()
        await engine.start(Start(RUN, workflow("r" * 50), 0))
        await engine.tell(RUN, Suspended(0.0))
        for _ in range(50):
            await asyncio.sleep(0)
        await engine.close()

    asyncio.run(test())
    kinds = [type(fact) for fact in world.journal]
    assert Intended in kinds[: kinds.index(Suspended)]
    assert Intended not in kinds[kinds.index(Suspended) :]
    assert Ended not in kinds
