"""The engine as a whole: starts, many runs, timers, memory, observers, and how it fails."""

import asyncio

import pytest

from core.simulation import RUN
from dirigent.engine.conductor import LocalConductor
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Broken, Done
from dirigent.model.run.journal import Created, Intended, Succeeded
from dirigent.model.run.start import Start
from dirigent.testing import Rule, VirtualClock
from engine.harness import Case, Outside, Parts
from engine.workflows import document, scenario

ONE = "do: [{call: {run: {shell: {command: call}}}}, {last: {set: {got: '${ . }'}}}]"
NAP = "do: [{nap: {wait: {seconds: 100}}}, {call: {run: {shell: {command: call}}}}]"


def living(test, outside):
    """Run a test with an open engine, in at most twenty seconds of real time."""

    async def body():
        engine = outside.engine()
        await engine.open()
        try:
            return await asyncio.wait_for(test(engine), 20)
        finally:
            await engine.close()

    return asyncio.run(body())


def outside_of(text, *rules):
    return Outside(Case(document(text), rules))


async def begun(engine, outside, run=RUN):
    await engine.start(Start(run, outside.case.program, outside.case.input))
    return await engine.wait(run)


async def rounds(number=30):
    for _ in range(number):
        await asyncio.sleep(0)


# -- observers ---------------------------------------------------------------------------------------


def test_observers_hear_every_fact_once_in_order_and_not_before_it_is_durable():
    outside = Outside(scenario("nested-retries"))
    heard = []

    async def test(engine):
        def hear(run, program, first, facts):
            stored = [type(fact) for fact in outside.disk.journals[run]]
            assert first + len(facts) <= len(stored)
            assert first == len(heard)
            heard.extend(facts)

        engine.observers.append(hear)
        await begun(engine, outside)

    living(test, outside)
    assert heard == outside.journal


@pytest.mark.parametrize("late", [*range(40), 60, 90, 120, 150, 200, 300, 400, 500])
def test_whoever_follows_a_run_hears_its_history_first_and_then_what_comes(late):
    outside = Outside(scenario("nested-retries"))
    heard = []

    async def test(engine):
        conductor = LocalConductor(engine, engine.shelf)
        await conductor.start(Start(RUN, outside.case.program))
        await rounds(late)
        ended = await conductor.follow(RUN, lambda run, program, facts: heard.extend(facts))
        assert heard[-1] == ended
        assert engine.observers == []

    living(test, outside)
    assert heard == outside.journal


class Lagging:
    """A store whose answers take a while to arrive, as those of a thread do."""

    def __init__(self, sound):
        self.sound = sound

    def __getattr__(self, name):
        return getattr(self.sound, name)

    async def append(self, run, expected, facts):
        await self.sound.append(run, expected, facts)
        await rounds(15)

    async def read(self, run):
        found = await self.sound.read(run)
        await rounds(3)
        return found

    async def run(self, run):
        found = await self.sound.run(run)
        await rounds(3)
        return found


@pytest.mark.parametrize("late", range(40))
def test_whoever_follows_a_run_that_is_just_ending_hears_its_end_too(late):
    outside = outside_of(ONE, Rule(answers=(Done("ok"),), seconds=1))
    outside.clock = VirtualClock(0.0, patience=20)
    outside.parts = Parts(store=Lagging)
    heard = []

    async def test(engine):
        conductor = LocalConductor(engine, engine.shelf)
        await engine.start(Start(RUN, outside.case.program))
        await rounds(late)
        await conductor.follow(RUN, lambda run, program, facts: heard.extend(facts))

    living(test, outside)
    assert heard == outside.journal


def test_nobody_can_follow_a_run_that_is_not_there():
    outside = outside_of(ONE)

    async def test(engine):
        with pytest.raises(Refusal, match="E4004"):
            await LocalConductor(engine, engine.shelf).follow("nobody", lambda *_: None)

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
