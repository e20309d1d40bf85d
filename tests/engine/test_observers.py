"""Whoever listens hears every fact once, in order, and not before it is durable."""

import pytest

from core.simulation import RUN
from dirigent.engine.conductor import LocalConductor
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Done
from dirigent.model.run.start import Start
from dirigent.testing import Rule, VirtualClock
from engine.harness import Outside, Parts, begun, living, rounds
from engine.workflows import outside_of, scenario

ONE = "do: [{call: {run: {shell: {command: call}}}}, {last: {set: {got: '${ . }'}}}]"


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

    async def append(self, run, expected, facts, *rest):
        await self.sound.append(run, expected, facts, *rest)
        await rounds(15)

    async def read(self, run, since=0):
        found = await self.sound.read(run, since)
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
