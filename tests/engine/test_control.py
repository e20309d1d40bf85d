"""People steer runs: cancel, suspend and resume at every point, and words that come at the wrong time."""

import asyncio

import pytest

from core.laws import assert_lawful
from core.simulation import RUN, Simulation
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import (
    Abandoned,
    CancelRequested,
    Ended,
    Intended,
    Resumed,
    Suspended,
    Vouched,
)
from dirigent.model.run.start import Start
from engine.harness import Outside, calm_life
from engine.workflows import an_apply, scenario

WORKFLOWS = (
    "fork-failure",
    "compete",
    "nested-retries",
    "for",
    "retry-attempt-duration",
    "wait",
    "slow-failure",
)


def cases():
    return [*((name, scenario(name)) for name in WORKFLOWS), ("apply", an_apply())]


class Interrupted(Outside):
    """Says a word as soon as so many batches of facts are durable."""

    def after(self, batches, *words):
        self.batches, self.words = batches, words
        return self

    def engine(self):
        engine = super().engine()
        engine.observers.append(lambda run, program, first, facts: self.heard(engine))
        return engine

    def heard(self, engine):
        self.batches -= 1
        if self.batches == 0:
            self.talking = asyncio.ensure_future(self.say(engine))

    async def say(self, engine):
        for word in self.words:
            try:
                await engine.tell(RUN, word(self.clock.now()))
            except Refusal as refusal:
                if refusal.problems[0].code != "E4003":
                    raise
            await self.clock.sleep_until(self.clock.now() + 0.01)


def assert_stopped(outside, case):
    """Nothing began after the word, all that had begun is settled, and the laws hold."""
    lawful = Simulation(case.program, lambda command: None, case.input)
    for fact in outside.journal:
        lawful.record(fact)
    assert_lawful(case.program, lawful.facts, lawful.moments)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "case"), cases(), ids=[name for name, _ in cases()])
def test_a_run_can_be_cancelled_at_every_point(name, case):
    calm = calm_life(case)
    for batches in range(1, len(calm.journal) + 1):
        outside = Interrupted(case).after(batches, CancelRequested)
        ended = outside.live()
        assert ended.phase in {"cancelled", calm.ended.phase}
        assert_stopped(outside, case)
        stopped = {(o.position, o.attempt) for o in outside.world.abandoned}
        given_up = {(f.position, f.attempt) for f in outside.journal if isinstance(f, Abandoned)}
        assert given_up <= stopped


@pytest.mark.slow
@pytest.mark.parametrize(("name", "case"), cases(), ids=[name for name, _ in cases()])
def test_a_run_can_be_suspended_at_every_point_and_comes_to_the_same_end(name, case):
    calm = calm_life(case)
    for batches in range(1, len(calm.journal) + 1):
        outside = Interrupted(case).after(batches, Suspended, Resumed)
        ended = outside.live()
        assert (ended.phase, ended.output, ended.fault) == (
            calm.ended.phase,
            calm.ended.output,
            calm.ended.fault,
        )
        assert +outside.happened == +calm.happened
        assert_stopped(outside, case)


def open_with(test):
    """Run a test with an engine that is open."""

    async def body(case):
        outside = Outside(case)
        engine = outside.engine()
        await engine.open()
        await engine.start(Start(RUN, case.program, case.input))
        await asyncio.wait_for(test(engine, outside), 60)
        await engine.close()

    return body


def test_a_word_at_the_wrong_time_is_refused_and_leaves_the_run_alone():
    async def test(engine, outside):
        for word in (Resumed(0.0), Vouched(0.0, "/do/0/nowhere", 1, None)):
            with pytest.raises(Refusal, match=r"E4003.*is running and cannot take"):
                await engine.tell(RUN, word)
        with pytest.raises(Refusal, match=r"E4004.*there is no run `nobody`"):
            await engine.tell("nobody", CancelRequested(0.0))
        with pytest.raises(Refusal, match="E4004"):
            await engine.wait("nobody")
        ended = await engine.wait(RUN)
        with pytest.raises(Refusal, match=r"E4003.*is ended and cannot take `CancelRequested`"):
            await engine.tell(RUN, CancelRequested(0.0))
        assert await engine.wait(RUN) == ended

    asyncio.run(open_with(test)(scenario("wait")))


def test_a_word_is_durable_when_it_is_acknowledged_even_while_the_run_is_turning():
    async def test(engine, outside):
        told = await asyncio.gather(
            engine.tell(RUN, Suspended(0.0)), engine.tell(RUN, Suspended(0.0)), return_exceptions=True
        )
        assert sorted(type(each).__name__ for each in told) == ["NoneType", "Refusal"]
        facts = await engine.journal.read(RUN)
        assert sum(isinstance(fact, Suspended) for fact in facts) == 1

    asyncio.run(open_with(test)(scenario("fork-failure")))


def test_a_caller_who_goes_away_takes_nothing_back():
    async def body():
        case = scenario("sequence")
        outside = Outside(case)
        engine = outside.engine()
        await engine.open()
        caller = asyncio.ensure_future(engine.start(Start(RUN, case.program, case.input)))
        for _ in range(3):
            await asyncio.sleep(0)
        caller.cancel()
        for _ in range(20):
            await asyncio.sleep(0)
        assert (await asyncio.wait_for(engine.wait(RUN), 60)).phase == "completed"
        await engine.close()

    asyncio.run(body())


def test_a_run_that_is_cancelled_before_it_did_anything_ends_at_once():
    async def test(engine, outside):
        await engine.tell(RUN, CancelRequested(0.0, "never mind"))
        assert (await engine.wait(RUN)).phase == "cancelled"
        facts = await engine.journal.read(RUN)
        assert not any(isinstance(fact, Intended) for fact in facts)
        assert isinstance(facts[-1], Ended)

    asyncio.run(open_with(test)(scenario("wait")))


def test_a_word_for_a_run_that_is_just_beginning_waits_for_it():
    async def body():
        case = scenario("wait")
        outside = Outside(case)
        engine = outside.engine()
        await engine.open()
        start, stop = await asyncio.gather(
            engine.start(Start(RUN, case.program, case.input)),
            engine.tell(RUN, CancelRequested(0.0)),
            return_exceptions=True,
        )
        assert (start, stop) == (RUN, None)
        assert (await engine.wait(RUN)).phase == "cancelled"
        await engine.close()

    asyncio.run(body())


def test_an_engine_that_closes_while_a_word_is_being_written_lets_nobody_wait():
    async def body():
        case = scenario("wait")
        outside = Outside(case)
        engine = outside.engine()
        await engine.open()
        await engine.start(Start(RUN, case.program, case.input))
        words = [asyncio.ensure_future(engine.tell(RUN, Suspended(0.0))) for _ in range(2)]
        for _ in range(2):
            await asyncio.sleep(0)
        await engine.close()
        await asyncio.wait(words, timeout=60)
        assert all(word.done() for word in words)
        await asyncio.gather(*words, return_exceptions=True)

    asyncio.run(body())
