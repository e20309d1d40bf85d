"""The engine as a whole: starts, many runs, timers, memory, observers, and how it fails."""

import asyncio

import pytest

from core.simulation import RUN
from dirigent.model.fault import COMMUNICATION, RUNTIME, Fault
from dirigent.model.problem import Refusal, refuse
from dirigent.model.run.effect import Broken, Done, Doubt
from dirigent.model.run.journal import Created, Ended, Failed, Held, Intended, Succeeded, TimerFired, Vouched
from dirigent.model.run.start import Start
from dirigent.testing import MemoryStore, Rule, VirtualClock
from engine.harness import Case, Parts, begun, living, rounds
from engine.workflows import document, outside_of

ONE = "do: [{call: {run: {shell: {command: call}}}}, {last: {set: {got: '${ . }'}}}]"
NAP = "do: [{nap: {wait: {seconds: 100}}}, {call: {run: {shell: {command: call}}}}]"


# -- starting ---------------------------------------------------------------------------------------


def test_the_same_start_many_times_at_once_is_one_run():
    outside = outside_of(ONE)
    start = Start(RUN, outside.case.program, {"n": 1})

    async def test(engine):
        assert await asyncio.gather(*(engine.start(start) for _ in range(20))) == [RUN] * 20
        assert (await engine.wait(RUN)).phase == "completed"
        assert await engine.start(start) == RUN

    living(test, outside)
    assert sum(outside.happened.values()) == 1


def test_a_known_id_with_another_program_or_input_is_refused():
    outside = outside_of(ONE)

    async def test(engine):
        await begun(engine, outside)
        with pytest.raises(Refusal, match=r"E4002.*exists with another input"):
            await engine.start(Start(RUN, outside.case.program, {"n": 2}))
        with pytest.raises(Refusal, match=r"E4002.*exists with another definition"):
            await engine.start(Start(RUN, document(NAP)))
        assert (await begun(engine, outside, "run-2")).phase == "completed"

    living(test, outside)


@pytest.mark.parametrize("value", ["x" * 5_000_000, "\ud800"])
def test_a_start_or_a_word_that_no_journal_could_hold_is_refused_and_harms_nobody(value):
    outside = outside_of(ONE)

    async def test(engine):
        with pytest.raises(Refusal, match="E4017"):
            await engine.start(Start(RUN, outside.case.program, value))
        with pytest.raises(Refusal, match="E4017"):
            await engine.tell(RUN, Vouched(0.0, "/do/0/call", 1, value))
        assert (await begun(engine, outside)).phase == "completed"

    living(test, outside)


# -- many -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_thousand_runs_at_once_end_each_with_its_own_output():
    outside = outside_of(ONE, Rule(answers=(lambda order: Done(order.run),), seconds=3))

    async def test(engine):
        names = [f"run-{number}" for number in range(1000)]
        ended = await asyncio.gather(*(begun(engine, outside, name) for name in names))
        assert [each.output["got"] for each in ended] == names
        await rounds()
        assert len(engine._memory) == 0

    living(test, outside)


@pytest.mark.slow
def test_thousands_of_timers_fire_each_once_in_order_and_not_early():
    outside = outside_of("input: {from: .seconds}\ndo: [{nap: {wait: '${ . }'}}]")
    outside.clock = VirtualClock(0.0, patience=10)

    async def test(engine):
        waits = [(number * 7919) % 3000 for number in range(1500)]
        with outside.clock.hold():
            for number, seconds in enumerate(waits):
                await engine.start(Start(f"run-{number}", outside.case.program, {"seconds": seconds + 10}))
        assert len(engine._memory) == 0
        assert engine._timers.count == 1500
        ended = await asyncio.gather(*(engine.wait(f"run-{number}") for number in range(1500)))
        assert [each.output for each in ended] == [seconds + 10 for seconds in waits]
        for number, seconds in enumerate(waits):
            fired = [f for f in await engine.journal.read(f"run-{number}") if isinstance(f, TimerFired)]
            assert [f.at >= seconds + 10 for f in fired] == [True]
        assert engine._timers.count == 0

    living(test, outside)


# -- memory -----------------------------------------------------------------------------------------


def test_a_run_that_only_waits_leaves_memory_and_its_timer_brings_it_back():
    outside = outside_of(NAP)

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        await rounds()
        assert len(engine._memory) == 0
        assert (await engine.wait(RUN)).at == 100.0

    living(test, outside)


def test_a_run_whose_timer_is_near_stays():
    outside = outside_of("do: [{nap: {wait: {seconds: 2}}}]")

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        assert len(engine._memory) == 1
        await engine.wait(RUN)

    living(test, outside)


def test_runs_that_wait_are_not_kept_in_memory_by_a_new_engine_either():
    outside = outside_of(NAP)

    async def start(engine):
        with outside.clock.hold():
            for number in range(50):
                await engine.start(Start(f"run-{number}", outside.case.program))

    async def look(engine):
        assert len(engine._memory) == 0
        assert engine._timers.count == 50
        ended = await asyncio.gather(*(engine.wait(f"run-{number}") for number in range(50)))
        assert {each.at for each in ended} == {100.0}

    living(start, outside)
    living(look, outside)


def test_a_timer_that_came_due_while_no_engine_ran_fires_at_once():
    outside = outside_of(NAP)
    living(lambda engine: engine.start(Start(RUN, outside.case.program)), outside)
    outside.clock.advance(5000.0)
    assert living(lambda engine: engine.wait(RUN), outside).at == 5000.0


def test_a_held_run_leaves_memory_and_many_words_at_once_bring_back_one():
    outside = outside_of(ONE, Rule(answers=(Doubt("who knows"),)))

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        await rounds(100)
        assert len(engine._memory) == 0
        words = [Vouched(0.0, "/do/0/call", 1, number) for number in range(10)]
        told = await asyncio.gather(*(engine.tell(RUN, word) for word in words), return_exceptions=True)
        assert sum(each is None for each in told) == 1
        assert (await engine.wait(RUN)).output == {"got": 0}

    living(test, outside)


def test_the_timers_of_a_run_that_ended_are_forgotten():
    outside = outside_of("do: [{call: {run: {shell: {command: call}}, timeout: {after: {seconds: 900}}}}]")

    async def test(engine):
        ended = await begun(engine, outside)
        await rounds()
        assert engine._timers.count == 0
        await outside.clock.sleep_until(2000.0)
        assert (await engine.journal.read(RUN))[-1] == ended

    living(test, outside)


# -- what performers and stores do ----------------------------------------------------------------------


class Bad(Exception):
    """What no performer says it raises."""


def bad(order):
    raise Bad("a bug")


def test_an_exception_that_nobody_expects_takes_the_engine_down_and_everybody_hears_of_it():
    outside = outside_of(
        ONE, Rule(position="*", answers=(lambda o: bad(o) if o.run == RUN else Done(1),), seconds=5)
    )

    async def test(engine):
        await engine.start(Start("other", outside.case.program))
        await engine.start(Start(RUN, outside.case.program))
        waiting = await asyncio.gather(
            engine.wait(RUN), engine.wait("other"), engine.wait(RUN), return_exceptions=True
        )
        assert [type(each) for each in waiting] in ([Bad] * 3, [Bad, Ended, Bad])
        for late in (
            engine.wait("other"),
            engine.start(Start("new", outside.case.program)),
            engine.tell(RUN, None),
        ):
            with pytest.raises(Bad):
                await late
        assert not engine._crew._acting or await rounds() or not engine._crew._acting
        facts = await MemoryStore(outside.disk).read(RUN)
        assert [type(fact) for fact in facts] == [Created, Intended]

    living(test, outside)


def test_after_a_failure_the_next_engine_goes_on():
    outside = outside_of(ONE, Rule(answers=(bad,)))

    async def fails(engine):
        with pytest.raises(Bad):
            await begun(engine, outside)

    living(fails, outside)
    outside.case = Case(outside.case.program, (Rule(answers=(Done("ok"),)),))
    assert living(lambda engine: engine.wait(RUN), outside).output == {"got": "ok"}
    assert [order.doubtful for order in outside.world.orders] == [False, True]


def test_what_the_user_must_mend_is_a_fault_of_the_task():
    def missing(order):
        raise refuse("E6001", "there is no secret `key`", "declare it")

    def wrong(order):
        raise refuse("E1000", "the request is not understood")

    for answer, status in ((missing, 403), (wrong, 400)):
        outside = outside_of(ONE, Rule(answers=(answer,)))
        ended = living(lambda engine, outside=outside: begun(engine, outside), outside)
        assert (ended.fault.status, ended.fault.title) == (status, "Refused")


def test_a_function_that_nobody_performs_is_a_fault_of_the_task():
    outside = outside_of(ONE)

    async def test(engine):
        engine.effects.performers.clear()
        ended = await begun(engine, outside)
        assert "cannot perform `shell`" in ended.fault.detail

    living(test, outside)


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Done("x" * 5_000_000), Failed),
        (Done("\ud800"), Failed),
        (Broken(Fault(RUNTIME, 500, "t", "x" * 5_000_000)), Failed),
        (Broken(Fault(RUNTIME, 500, "\ud800")), Failed),
        (Doubt("x" * 5_000_000, {"seen": "y"}), Held),
    ],
)
def test_what_no_journal_could_hold_becomes_something_that_it_can(outcome, kind):
    outside = outside_of(ONE, Rule(answers=(outcome,)))

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        await rounds(200)
        facts = await engine.journal.read(RUN)
        assert kind in {type(fact) for fact in facts}

    living(test, outside)


class Refusing:
    """A store that takes no more after so many appends."""

    def __init__(self, sound, appends):
        self.sound, self.left = sound, appends

    def __getattr__(self, name):
        return getattr(self.sound, name)

    async def append(self, run, expected, facts, *rest):
        self.left -= 1
        if self.left < 0:
            raise refuse("E5009", "the disk is full")
        await self.sound.append(run, expected, facts, *rest)


@pytest.mark.parametrize("appends", range(4))
def test_a_refused_append_stops_the_engine_and_loses_nothing_that_was_acknowledged(appends):
    outside = outside_of(ONE, Rule(answers=(Done("ok"),)))
    outside.parts = Parts(store=lambda sound: Refusing(sound, appends))
    acknowledged = []

    async def start_four(engine):
        for number in range(4):
            run = f"run-{number}"
            await engine.start(Start(run, outside.case.program))
            acknowledged.append(run)
            acknowledged.append(await engine.wait(run))

    async def test(engine):
        with pytest.raises(Refusal, match="E5009"):
            await start_four(engine)
        with pytest.raises(Refusal, match="E5009"):
            await engine.start(Start("more", outside.case.program))

    living(test, outside)
    outside.parts = Parts()

    async def look(engine):
        for each in acknowledged:
            if isinstance(each, str):
                assert (await engine.wait(each)).output == {"got": "ok"}

    living(look, outside)
    assert not outside.happened or set(outside.happened.values()) <= {1, 2}


def test_of_two_engines_on_one_store_the_older_one_is_fenced_and_stops():
    outside = outside_of(ONE, Rule(answers=(Done("ok"),), seconds=10))

    async def test(older):
        await older.start(Start(RUN, outside.case.program))
        newer = outside.engine()
        await newer.open()
        waiting = asyncio.ensure_future(older.wait(RUN))
        assert (await newer.wait(RUN)).output == {"got": "ok"}
        with pytest.raises(Refusal, match="E5002"):
            await waiting
        with pytest.raises(Refusal, match="E5002"):
            await older.start(Start("run-2", outside.case.program))
        assert (await begun(newer, outside, "run-2")).phase == "completed"
        await newer.close()

    living(test, outside)
    facts = outside.journal
    assert [type(fact) for fact in facts] == [Created, Intended, Succeeded, Ended]


def test_an_engine_that_is_closed_lets_nobody_wait_for_ever():
    outside = outside_of(NAP)

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        waiting = asyncio.ensure_future(engine.wait(RUN))
        await rounds()
        await engine.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    living(test, outside)


# -- an orderly end ------------------------------------------------------------------------------------


def test_an_orderly_end_waits_for_what_the_next_engine_could_only_guess_and_begins_nothing():
    post = "{call: http, with: {method: post, endpoint: 'http://shop.example/'}}"
    text = f"do: [{{a: {post}}}, {{b: {post}}}]"
    outside = outside_of(text, Rule(answers=(Done("ok"),), seconds=10))

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        await engine.settle(5.0)
        await engine.settle(5.0)

    living(test, outside)
    assert [type(fact) for fact in outside.journal] == [Created, Intended, Succeeded]
    assert living(lambda engine: engine.wait(RUN), outside).output == "ok"
    assert +outside.happened == {("/do/0/a", 1): 1, ("/do/1/b", 1): 1}


def test_a_doubtful_answer_is_told_to_a_person_with_its_error():
    lost = Broken(Fault(COMMUNICATION, 503, "Connection lost", doubtful=True))
    outside = outside_of(ONE, Rule(answers=(lost,)))

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        await rounds(100)
        held = (await engine.journal.read(RUN))[-1]
        assert (held.reason, held.evidence["error"]["status"]) == ("Connection lost", 503)

    living(test, outside)
