"""The real engine in a world that survives it, and deaths at chosen places.

One life is one event loop, one engine and one opening of the store. Death is a `Crash` at a place of the
fuse: before and after each append and each effect. What a client was not told of, he asks for again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from core.scenario import made, word
from core.simulation import TOOLS, answer
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Doubt
from dirigent.model.run.journal import Abandoned, Held, Repeated, Skipped, Vouched
from dirigent.model.run.start import Start
from dirigent.testing import (
    Crash,
    FakeVault,
    Fuse,
    FusedStore,
    MemoryDisk,
    MemoryStore,
    Rule,
    ScriptedOracle,
    ScriptedPerformer,
    VirtualClock,
    World,
)

RUN = RunId("run-1")
# A life that takes longer than this in real time hangs.
REAL_SECONDS = 60
FUNCTIONS = ("shell", "script", "http", "openapi", "workflow", "resource")


@dataclass(frozen=True)
class Case:
    """A program, its input, and what happens to it: rules of the world, and words of people by time."""

    program: object
    rules: tuple[Rule, ...] = ()
    input: object = None
    people: tuple = ()
    metadata: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Parts:
    """What a control exchanges: each takes the sound part and gives another one."""

    store: Callable = lambda sound: sound
    effects: Callable = lambda sound: sound
    performer: Callable = lambda sound: sound


@dataclass
class Outside:
    """All that is there when no engine is: disk, world and time. `happened` counts what truly did."""

    case: Case
    parts: Parts = Parts()
    deaths: tuple[int, ...] = ()
    disk: MemoryDisk = field(default_factory=MemoryDisk)
    world: World = field(default_factory=World)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(0.0, patience=200))
    happened: Counter = field(default_factory=Counter)
    places: list = field(default_factory=list)
    refused: set = field(default_factory=set)

    def __post_init__(self):
        self.fuse = Fuse(*self.deaths)

    def engine(self):
        """A new engine on the store, which fences off those before it."""
        store = self.parts.store(FusedStore(MemoryStore(self.disk), self.fuse))
        rules = [self.counted(rule) for rule in (*self.case.rules, Rule())]
        performer = ScriptedPerformer(*rules, world=self.world, fuse=self.fuse, clock=self.clock)
        performers = dict.fromkeys(FUNCTIONS, self.parts.performer(performer))
        effects = Effects(performers, ScriptedOracle(answer), FakeVault(), self.clock)
        return Engine(store, store, self.parts.effects(effects), TOOLS, self.clock)

    def counted(self, rule):
        def outcome(order):
            found = rule.outcome(order)
            self.happened[order.position, order.attempt] += not isinstance(found, Doubt)
            return found

        return replace(rule, answers=(outcome,))

    def live(self):
        """Live until the run has ended, dying as often as it was told to; return how it ended."""
        while True:
            try:
                return asyncio.run(asyncio.wait_for(self.life(), REAL_SECONDS))
            except Crash:
                self.places.append(len(self.fuse.places))
                self.fuse.revive()

    async def life(self):
        engine = self.engine()
        await engine.open()
        # What an effect in doubt becomes is told elsewhere; here the world knows.
        start = Start(RUN, self.case.program, self.case.input, {"doubt": "repeat", **self.case.metadata})
        await engine.start(start)
        talk = asyncio.ensure_future(self.talk(engine))
        end = asyncio.ensure_future(engine.wait(RUN))
        done, _ = await asyncio.wait({end, talk}, return_when=asyncio.FIRST_COMPLETED)
        ended = end.result() if end in done else talk.result()
        talk.cancel()
        await engine.close()
        self.places.append(len(self.fuse.places))
        return ended

    async def talk(self, engine):
        """Say what people say, each word once: one that is in the journal was heard, or it was refused."""
        for at, said in self.case.people:
            await self.clock.sleep_until(at)
            facts = await engine.journal.read(RUN)
            fact = said(at, held_in(facts))
            if at in self.refused or any(f.at == at and type(f) is type(fact) for f in facts):
                continue
            try:
                await engine.tell(RUN, fact)
            except Refusal as refusal:
                if refusal.problems[0].code != "E4003":
                    raise
                self.refused.add(at)
        await asyncio.Event().wait()

    @property
    def journal(self):
        return asyncio.run(MemoryStore(self.disk).read(RUN))


def held_in(facts):
    """The first effect of a journal that waits for a person."""
    held = {}
    for fact in facts:
        if isinstance(fact, Held):
            held[fact.position, fact.attempt] = fact
        elif isinstance(fact, Vouched | Skipped | Repeated | Abandoned):
            held.pop((fact.position, fact.attempt), None)
    return next(iter(held), ("", 0))


def case_of(given, program):
    """The case that a scenario file describes."""
    rules = []
    for rule in given.get("world", ()):
        outcomes = [made(each) for each in rule["gives"]]

        def by_attempt(order, outcomes=outcomes):
            return outcomes[min(order.attempt, len(outcomes)) - 1]

        rules.append(
            Rule(
                position=rule["at"],
                answers=(lambda order, of=by_attempt: of(order)[0],),
                seconds=lambda order, of=by_attempt: of(order)[1],
            )
        )
    rules.append(Rule(answers=(made({"done": "ok"})[0],)))
    people = tuple((said["at"], partial(word, said)) for said in given.get("people", ()))
    return Case(program, tuple(rules), given.get("input"), people, given.get("metadata", {}))


def random_case(program, world, given=None, people=()):
    """The case of a random program in a random world."""
    rule = Rule(
        answers=(lambda order: world.outcome(order.position, order.attempt, order.request),),
        seconds=lambda order: world.seconds(order.position, order.attempt),
    )
    return Case(program, (rule,), given, people)


def assert_same(outside, calm, where):
    """The end, the journal and the world are those of the calm life; no fact is lost, none is new."""
    assert outside.ended == calm.ended, where
    found, wanted = Counter(map(repr, outside.journal)), Counter(map(repr, calm.journal))
    assert found == wanted, f"{where}: too much {found - wanted}, missing {wanted - found}"
    assert_once(outside, calm, where)


def assert_once(outside, calm, where):
    """Each attempt of each effect happened once, and equal requests of a position went under one id."""
    assert +outside.happened == +calm.happened, f"{where}: {outside.happened - calm.happened}"
    ids = {}
    for order in outside.world.orders:
        assert ids.setdefault((order.position, repr(order.request)), order.id) == order.id, where


def calm_life(case, parts=None):
    """One life without a death: what every other one is compared with."""
    outside = Outside(case, parts or Parts())
    outside.ended = outside.live()
    return outside


def die_everywhere(case, parts=None, second=()):
    """Die at every place, and then again at each of `second` of the next life. Returns how many deaths."""
    calm = calm_life(case)
    deaths = 0
    for first in range(1, calm.places[-1] + 1):
        for more in [(), *((place,) for place in second)]:
            outside = Outside(case, parts or Parts(), (first, *more))
            outside.ended = outside.live()
            assert_same(outside, calm, f"died at place {(first, *more)}")
            deaths += outside.fuse.lives - 1
    return deaths


def living(test, outside):
    """Run a test with an open engine, in at most twenty seconds of real time."""

    async def body():
        engine = outside.engine()
        await engine.open()
        try:
            return await asyncio.wait_for(test(engine), 60)
        finally:
            await engine.close()

    return asyncio.run(body())


async def begun(engine, outside, run=RUN):
    await engine.start(Start(run, outside.case.program, outside.case.input))
    return await engine.wait(run)


async def rounds(number=30):
    for _ in range(number):
        await asyncio.sleep(0)
