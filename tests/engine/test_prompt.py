"""Performers that answer on the spot: the same promises, without a task for each effect."""

import asyncio

import pytest

from core.simulation import RUN
from dirigent.model.problem import refuse
from dirigent.model.run.effect import Done
from dirigent.model.run.journal import Failed, Succeeded
from dirigent.model.run.start import Start
from engine.harness import Parts, begun, calm_life, die_everywhere, living
from engine.test_controls import ActsBeforeItIsDurable
from engine.workflows import document, outside_of, scenario

NAMES = ("sequence", "definite-retry", "doubtful-retry", "fork-context", "nested-loops")
TWO = "do: [{first: {run: {shell: {command: a}}}}, {second: {run: {shell: {command: b}}}}]"


class AtOnce:
    """Answers on the spot what the performer beside it would answer after a while."""

    def __init__(self, sound):
        self.sound, self.waited = sound, 0

    def answer(self, order):
        work = self.sound.perform(order)
        try:
            while True:
                assert work.send(None) is None, "this takes time, so it cannot be answered on the spot"
        except StopIteration as done:
            return done.value

    async def perform(self, order):
        raise AssertionError("a task was made for what is answered on the spot")

    async def abandon(self, order):
        await self.sound.abandon(order)


class Says(AtOnce):
    """Does with every order what a function says."""

    def __init__(self, say):
        self.say = say

    def answer(self, order):
        return self.say(order)

    async def perform(self, order):
        await asyncio.sleep(0)
        return Done("later")


def said(say):
    outside = outside_of(TWO)
    outside.parts = Parts(performer=lambda sound: Says(say))
    return outside


@pytest.mark.parametrize("name", NAMES)
def test_the_journal_is_that_of_a_performer_that_takes_its_time(name):
    with_tasks, at_once = (calm_life(scenario(name), parts) for parts in (Parts(), Parts(performer=AtOnce)))
    assert at_once.ended == with_tasks.ended
    assert at_once.happened == with_tasks.happened
    assert sorted(map(repr, at_once.journal)) == sorted(map(repr, with_tasks.journal))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_crash_anywhere_changes_nothing(name):
    assert die_everywhere(scenario(name), Parts(performer=AtOnce), second=(1, 4)) > 0


def test_an_answer_before_the_intent_is_durable_would_be_found():
    with pytest.raises(AssertionError, match="died at place"):
        die_everywhere(scenario("sequence"), Parts(ActsBeforeItIsDurable, performer=AtOnce))


def test_whoever_cannot_answer_on_the_spot_is_given_a_task():
    outside = said(lambda order: None if order.position.endswith("first") else Done(order.request["command"]))

    async def test(engine):
        assert (await begun(engine, outside)).output == "b"
        facts = await engine.journal.read(RUN)
        assert [fact.output for fact in facts if isinstance(fact, Succeeded)] == ["later", "b"]

    living(test, outside)


def test_a_refusal_on_the_spot_is_a_fault_of_the_task():
    def refused(order):
        raise refuse("E6001", "there is no secret `x`", "declare it under `secrets`")

    outside = said(refused)

    async def test(engine):
        ended = await begun(engine, outside)
        assert (ended.phase, ended.fault.status, ended.fault.title) == ("faulted", 403, "Refused")
        assert sum(isinstance(fact, Failed) for fact in await engine.journal.read(RUN)) == 1

    living(test, outside)


def test_a_defect_on_the_spot_fails_the_engine_and_everybody_is_told():
    def broken(order):
        raise ZeroDivisionError("the performer is broken")

    outside = said(broken)

    async def test(engine):
        await engine.start(Start(RUN, document(TWO)))
        with pytest.raises(ZeroDivisionError):
            await engine.wait(RUN)
        with pytest.raises(ZeroDivisionError):
            await engine.start(Start("run-2", document(TWO)))
        assert not any(isinstance(fact, Succeeded | Failed) for fact in await engine.journal.read(RUN))

    living(test, outside)
