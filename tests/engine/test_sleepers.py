"""Runs that sleep: they are in the store alone, a window of times is in memory, and each wakes in time."""

import asyncio
from dataclasses import dataclass, field

import pytest

from core.simulation import RUN, TOOLS
from dirigent.core.decide import wake_at
from dirigent.core.replay import replay
from dirigent.engine.engine import Engine
from dirigent.engine.timers import LAST, Timers
from dirigent.model import limits
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Done, Doubt
from dirigent.model.run.journal import Created, Ended, Resumed, Suspended, TimerFired, TimerSet
from dirigent.model.run.start import Start
from dirigent.model.run.ticket import Ticket
from dirigent.ports import AWAKE, NEVER
from dirigent.testing import Rule, VirtualClock
from engine.fleet import queue
from engine.harness import Parts, calm_life, living, rounds
from engine.workflows import OPEN, SCENARIOS, document, outside_of, scenario

NAP = "do: [{nap: {wait: {seconds: 100}}}, {call: {run: {shell: {command: call}}}}]"
NAPS = "input: {from: .seconds}\ndo: [{nap: {wait: '${ . }'}}]"
CALL = "do: [{call: {run: {shell: {command: call}}}}]"
ONE_AT_A_TIME = queue("q", 1)


@dataclass
class Spy:
    """A store that counts what it is asked, by method."""

    sound: object
    asked: dict = field(default_factory=dict)

    def __getattr__(self, name):
        method = getattr(self.sound, name)

        async def ask(*args, **kwargs):
            self.asked.setdefault(name, []).append(args)
            return await method(*args, **kwargs)

        return ask if asyncio.iscoroutinefunction(method) else method


def spied(outside):
    spy = Spy(None)

    def store(sound):
        spy.sound = sound
        return spy

    outside.parts = Parts(store=store)
    return spy


# -- starting and opening ---------------------------------------------------------------------------


def test_a_start_asks_the_store_nothing_but_to_record_it():
    outside = outside_of(NAP)
    spy = spied(outside)

    async def test(engine):
        spy.asked.clear()
        for number in range(10):
            await engine.start(Start(f"run-{number}", outside.case.program))
        assert {name: len(each) for name, each in spy.asked.items()} == {"keep": 10, "append": 10}

    living(test, outside)


def test_an_engine_that_opens_loads_no_run_that_only_sleeps():
    outside = outside_of(NAP)

    async def start(engine):
        for number in range(20):
            await engine.start(Start(f"run-{number}", outside.case.program))
        await engine.tell("run-3", Suspended(0.0))

    living(start, outside)
    spy = spied(outside)

    async def look(engine):
        await rounds(50)
        assert "recall" not in spy.asked
        assert "read" not in spy.asked
        assert engine._timers.count == 20
        await engine.tell("run-3", Resumed(0.0))
        assert spy.asked["recall"] == [(["run-3"],)]

    living(look, outside)


def test_runs_that_have_something_to_do_are_recalled_together():
    outside = outside_of(CALL, Rule(answers=(Done("ok"),), seconds=9))

    async def start(engine):
        for number in range(30):
            await engine.start(Start(f"run-{number:02}", outside.case.program))

    living(start, outside)
    spy = spied(outside)

    async def go_on(engine):
        assert len(spy.asked["recall"]) == 1
        assert len(engine.standing) == 30
        ended = await asyncio.gather(*(engine.wait(f"run-{number:02}") for number in range(30)))
        assert {each.output for each in ended} == {"ok"}

    living(go_on, outside)


def test_more_runs_than_are_taken_up_together_are_all_taken_up(monkeypatch):
    monkeypatch.setattr(limits, "RUNS_TAKEN_UP_TOGETHER", 7)
    outside = outside_of(CALL, Rule(answers=(Done("ok"),), seconds=9))

    async def start(engine):
        for number in range(28):
            await engine.start(Start(f"run-{number}", outside.case.program))

    living(start, outside)

    async def go_on(engine):
        ended = await asyncio.gather(*(engine.wait(f"run-{number}") for number in range(28)))
        assert {each.output for each in ended} == {"ok"}

    living(go_on, outside)


def test_whether_a_run_may_sleep_is_said_once_when_nobody_has_said_it():
    """The file of an older release says of every open run that it is awake."""
    outside = outside_of(NAP)

    async def start(engine):
        await engine.start(Start(RUN, outside.case.program))
        await engine.journal.append(RUN, 2, [], AWAKE)

    living(start, outside)
    spy = spied(outside)

    async def look(engine):
        assert spy.asked["append"] == [(RUN, 2, [], 100.0, ())]
        assert len(engine._memory) == 0
        spy.asked.clear()

    living(look, outside)

    async def again(engine):
        await rounds(20)
        assert not {"append", "recall"} & spy.asked.keys()
        assert (await engine.wait(RUN)).at == 100.0

    living(again, outside)


def test_a_start_under_the_name_of_a_run_that_is_in_memory_asks_no_store():
    outside = outside_of(CALL, Rule(answers=(Done(1),), seconds=9))
    spy = spied(outside)

    async def test(engine):
        start = Start(RUN, outside.case.program, outside.case.input)
        await engine.start(start)
        assert len(engine._memory) == 1
        spy.asked.clear()
        assert await engine.start(start) == RUN
        with pytest.raises(Refusal, match=r"E4002.*exists with another input"):
            await engine.start(Start(RUN, outside.case.program, {"another": 2}))
        assert spy.asked.keys() == {"keep"}
        assert (await engine.wait(RUN)).phase == "completed"

    living(test, outside)


def test_a_start_under_the_name_of_a_sleeper_neither_wakes_nor_harms_it():
    outside = outside_of(NAP)

    async def test(engine):
        start = Start(RUN, outside.case.program, {"n": 1})
        await asyncio.gather(*(engine.start(start) for _ in range(5)))
        await engine.start(start)
        with pytest.raises(Refusal, match=r"E4002.*exists with another input"):
            await engine.start(Start(RUN, outside.case.program, {"n": 2}))
        assert len(engine._memory) == 0
        assert (await engine.wait(RUN)).at == 100.0
        assert [type(fact) for fact in await engine.journal.read(RUN)].count(Created) == 1

    living(test, outside)


def test_a_word_to_a_run_that_is_just_beginning_waits_for_it():
    outside = outside_of(NAP)

    async def test(engine):
        begun = asyncio.ensure_future(engine.start(Start(RUN, outside.case.program)))
        await asyncio.sleep(0)
        told = asyncio.ensure_future(engine.tell(RUN, Suspended(0.0)))
        await asyncio.gather(begun, told)
        assert (await engine.shelf.run(RUN)).phase == "suspended"

    living(test, outside)


# -- what the store is told ----------------------------------------------------------------------------


class Checked:
    """A store that compares what it is told about waking with what the journal says."""

    def __init__(self, sound, program, lie=lambda wakes: wakes):
        self.sound, self.program, self.lie, self.sleeps = sound, program, lie, 0

    def __getattr__(self, name):
        return getattr(self.sound, name)

    async def append(self, run, expected, facts, wakes=AWAKE, tells=()):
        wakes = self.lie(wakes)
        await self.sound.append(run, expected, facts, wakes, tells)
        journal = await self.sound.read(run)
        if not isinstance(journal[-1], Ended):
            assert wakes == wake_at(replay(self.program, run, journal, TOOLS), 0.0), facts[-1:]
            self.sleeps += wakes != AWAKE


def sleeps_of(name, monkeypatch, **more):
    case, made = scenario(name, monkeypatch), []

    def store(sound):
        made.append(Checked(sound, case.program, **more))
        return made[-1]

    calm_life(case, Parts(store=store))
    return sum(each.sleeps for each in made)


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - OPEN))
def test_the_store_is_told_when_a_run_wakes_as_its_journal_says(name, monkeypatch):
    sleeps_of(name, monkeypatch)


def test_some_of_those_runs_sleep_and_a_lie_about_it_is_caught(monkeypatch):
    assert sleeps_of("retry-constant", monkeypatch) > 0
    with pytest.raises(AssertionError):
        sleeps_of("retry-constant", monkeypatch, lie=lambda wakes: NEVER)


# -- the window ----------------------------------------------------------------------------------------


def waits(number):
    return [(each * 7919) % 900 + 10 for each in range(number)]


async def all_wake_in_time(engine, seconds):
    ended = await asyncio.gather(*(engine.wait(f"run-{number}") for number in range(len(seconds))))
    assert [each.output for each in ended] == seconds
    for number, at in enumerate(seconds):
        (fired,) = [f for f in await engine.journal.read(f"run-{number}") if isinstance(f, TimerFired)]
        assert fired.at == at


@pytest.mark.parametrize("size", [4, 40, 10_000])
def test_however_small_the_window_every_sleeper_wakes_in_time(monkeypatch, size):
    monkeypatch.setattr(limits, "TIMERS_IN_MEMORY", size)
    outside = outside_of(NAPS)
    outside.clock = VirtualClock(0.0, patience=20)
    seconds = waits(150)

    async def test(engine):
        with outside.clock.hold():
            for number, each in enumerate(seconds):
                await engine.start(Start(f"run-{number}", outside.case.program, {"seconds": each}))
            assert engine._timers.count <= 2 * size
        await all_wake_in_time(engine, seconds)

    living(test, outside)


def test_a_new_engine_finds_the_sleepers_of_the_old_one_window_by_window(monkeypatch):
    monkeypatch.setattr(limits, "TIMERS_IN_MEMORY", 8)
    outside = outside_of(NAPS)
    outside.clock = VirtualClock(0.0, patience=20)
    seconds = [*waits(60), *[500] * 30]

    async def start(engine):
        with outside.clock.hold():
            for number, each in enumerate(seconds):
                await engine.start(Start(f"run-{number}", outside.case.program, {"seconds": each}))

    living(start, outside)

    async def wait(engine):
        assert engine._timers.count <= 16
        await all_wake_in_time(engine, seconds)

    living(wait, outside)


def test_a_window_that_believes_to_know_all_is_caught(monkeypatch):
    async def blind(self):
        self._edge = LAST

    monkeypatch.setattr(Timers, "fill", blind)
    monkeypatch.setattr(limits, "TIMERS_IN_MEMORY", 4)
    outside = outside_of(NAPS)
    outside.clock = VirtualClock(0.0, patience=20)

    async def test(engine):
        for number, each in enumerate(waits(20)):
            await engine.start(Start(f"run-{number}", outside.case.program, {"seconds": each}))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(all_wake_in_time(engine, waits(20)), 1)

    living(test, outside)


def test_a_run_is_not_woken_by_a_timer_that_it_no_longer_waits_for():
    text = (
        "do: [{call: {timeout: {after: {seconds: 50}}, run: {shell: {command: call}}}}, "
        "{nap: {wait: {seconds: 100}}}]"
    )
    outside = outside_of(text, Rule(answers=(Done("ok"),)))

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        await rounds(50)
        assert await engine.journal.wakings((-1.0, ""), 9) == [(100.0, RUN)]
        assert (await engine.wait(RUN)).at == 100.0

    living(test, outside)


def test_two_timers_of_a_run_that_come_at_one_time_both_fire():
    text = (
        "do: [{all: {fork: {branches: [{a: {wait: {seconds: 60}}}, {b: {wait: {seconds: 60}}}, "
        "{c: {wait: {seconds: 90}}}]}}}]"
    )
    outside = outside_of(text)

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        assert (await engine.wait(RUN)).at == 90.0
        facts = await engine.journal.read(RUN)
        assert [fact.at for fact in facts if isinstance(fact, TimerFired)] == [60.0, 60.0, 90.0]

    living(test, outside)


def test_of_a_sleeper_that_cannot_be_loaded_whoever_waits_is_told_and_the_others_wake():
    outside = outside_of(NAP, Rule(answers=(Done("ok"),)))

    async def test(engine):
        for name in ("sound", "strange"):
            await engine.start(Start(name, outside.case.program))
        waiting = asyncio.ensure_future(engine.wait("strange"))
        await rounds()
        await engine.journal.append("strange", 2, [TimerSet(0.0, "/do/7/no", 1, "wait", 9.0)], 100.0)
        assert (await engine.wait("sound")).output == "ok"
        with pytest.raises(Refusal, match="E4001"):
            await waiting
        assert list(engine.left_out) == ["strange"]

    living(test, outside)


def test_a_held_run_sleeps_until_a_person_speaks():
    outside = outside_of(CALL, Rule(answers=(Doubt("who knows"),)))

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        await rounds(50)
        assert await engine.journal.wakings((-1.0, ""), 9) == [(NEVER, RUN)]

    living(test, outside)


def test_sleepers_leave_nothing_behind_in_memory():
    outside = outside_of(NAPS)
    outside.clock = VirtualClock(0.0, patience=20)

    async def test(engine):
        for number in range(100):
            await engine.start(Start(f"run-{number}", document(NAPS), {"seconds": 50 + number % 3}))
        await asyncio.gather(*(engine.wait(f"run-{number}") for number in range(100)))
        await rounds(20)
        assert (len(engine._memory), engine._timers.count) == (0, 0)
        assert len(engine._timers._sleepers._heap) <= 64
        assert not engine._memory._claims
        assert not engine._crew._ends

    living(test, outside)


def test_a_sleeper_keeps_its_place_in_a_queue_over_a_restart():
    outside = outside_of(NAP, Rule(answers=(Done("ok"),)))
    ticket = Ticket("q", dedupe="one")

    def engine_of():
        engine = outside.engine()
        return Engine(
            engine.journal, engine.shelf, engine.effects, TOOLS, outside.clock, declared=ONE_AT_A_TIME
        )

    async def test():
        older = engine_of()
        await older.open()
        await older.start(Start("a", outside.case.program, ticket=ticket))
        await rounds()
        assert len(older._memory) == 0
        await older.close()
        newer = engine_of()
        await newer.open()
        assert await newer.start(Start("b", outside.case.program, ticket=ticket)) == "a"
        await newer.start(Start("c", outside.case.program, ticket=Ticket("q")))
        ended = [(await asyncio.wait_for(newer.wait(run), 60)).at for run in "ac"]
        assert ended == [100.0, 200.0]
        await newer.close()

    asyncio.run(test())
