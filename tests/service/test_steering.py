"""What people name is found, what would not help is refused with the reason, and a rerun says why it is."""

import asyncio
from types import SimpleNamespace

import pytest

from core.simulation import RUN, TOOLS
from dirigent.engine.conductor import LocalConductor
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Broken, Done
from dirigent.model.run.journal import Created, Overruled, Retried, Suspended
from dirigent.model.run.origin import Origin
from dirigent.model.run.start import Start
from dirigent.model.run.ticket import Ticket
from dirigent.service.steering.answering import Word, speak
from dirigent.service.steering.rerun import rerun
from dirigent.testing import Rule
from engine.harness import Case, Outside
from engine.test_children import PARENT, Family
from engine.test_retrying import CHAIN, FORK
from engine.workflows import an_apply

BROKEN = Broken(Fault(COMMUNICATION, 400, "Down"))
FAILS = (Rule(position="*b", answers=(BROKEN, Done("b"))), Rule(seconds=5))


def desk_of(engine, outside):
    return SimpleNamespace(
        journal=engine.journal,
        shelf=engine.shelf,
        clock=outside.clock,
        conductor=LocalConductor(engine, engine.shelf),
    )


def at_desk(test, program=CHAIN, rules=FAILS, kind=Outside, ticket=None):
    """Run a test at the desk of an engine whose run `run-1` was started."""
    outside = kind(Case(program, rules))

    async def life():
        engine = outside.engine()
        await engine.open()
        await engine.start(Start(RUN, program, {"n": 1}, ticket=ticket))
        try:
            return await test(engine, desk_of(engine, outside))
        finally:
            await engine.close()

    return asyncio.run(asyncio.wait_for(life(), 60))


def refused(word, program=CHAIN, rules=FAILS, kind=Outside, run=RUN, *, ended=True):
    async def test(engine, desk):
        if ended:
            await engine.wait(RUN)
        else:
            await desk.clock.sleep_until(1.0)
        wanted = run if isinstance(run, str) else await run(engine)
        with pytest.raises(Refusal) as caught:
            await speak(desk, TOOLS, wanted, word)
        (problem,) = caught.value.problems
        assert problem.help
        return problem

    return at_desk(test, program, rules, kind)


def said(word, program=CHAIN, rules=FAILS):
    async def test(engine, desk):
        await engine.wait(RUN)
        told = await speak(desk, TOOLS, RUN, word)
        ended = await engine.wait(RUN)
        return told, ended.phase, await engine.journal.read(RUN)

    return at_desk(test, program, rules)


@pytest.mark.parametrize("place", ["", "b", "/do/1/b"])
def test_a_run_goes_on_from_what_failed_or_from_what_is_named(place):
    told, phase, facts = said(Word("again", place, reason="it is back", by="ana"))
    assert (told, phase) == ((RUN, "/do/1/b"), "completed")
    (fact,) = (fact for fact in facts if isinstance(fact, Retried))
    assert (fact.reason, fact.by, fact.attempt) == ("it is back", "ana", 1)


@pytest.mark.parametrize("answer", ["skip", "output"])
def test_what_failed_can_be_answered_for(answer):
    told, phase, facts = said(Word(answer, "b", "mine"))
    assert (told[1], phase) == ("/do/1/b", "completed")
    assert next(fact.answer for fact in facts if isinstance(fact, Retried)) == answer


def test_what_runs_can_be_answered_for():
    async def test(engine, desk):
        await desk.clock.sleep_until(1.0)
        await speak(desk, TOOLS, RUN, Word("skip", "a"))
        return [fact for fact in await engine.journal.read(RUN) if isinstance(fact, Overruled)]

    (fact,) = at_desk(test)
    assert (fact.position, fact.answer) == ("/do/0/a", "skip")


def test_what_is_not_there_is_refused_with_what_is_near():
    problem = refused(Word("again", "/do/1/bb"))
    assert (problem.code, "`/do/1/b`" in problem.help[0]) == ("E4171", True)


def test_what_did_not_fail_is_refused():
    assert refused(Word("again"), rules=()).code == "E4170"
    assert refused(Word("skip", "a"), rules=()).code == "E4170"
    assert refused(Word("again", "a"), ended=False).code == "E4170"


def test_what_does_not_run_is_refused():
    assert refused(Word("skip", "b"), ended=False).code == "E4171"


def test_what_would_not_help_is_refused():
    rules = (Rule(position="*x", answers=(BROKEN,), seconds=1), Rule(position="*y1", seconds=30))
    problem = refused(Word("again", "y1"), FORK, rules)
    assert problem.code == "E4172"
    assert "/do/0/f/fork/branches/0/x" in problem.message


def test_an_apply_is_neither_retried_nor_run_again():
    case = an_apply()

    async def test(engine, desk):
        await engine.wait(RUN)
        codes = []
        for asked in (speak(desk, TOOLS, RUN, Word("again")), rerun(desk, RUN, "", "", "")):
            with pytest.raises(Refusal) as caught:
                await asked
            codes.append(caught.value.problems[0].code)
        return codes

    assert at_desk(test, case.program, case.rules) == ["E4174", "E4174"]


def test_a_child_whose_parent_has_its_answer_is_refused():
    async def child(engine):
        return next(each.id for each in await engine.shelf.runs() if each.parent == RUN)

    assert refused(Word("again"), PARENT, (Rule(answers=(BROKEN,)),), Family, child).code == "E4175"


def test_a_run_is_run_again_with_its_input_in_its_queue_and_says_why():
    async def test(engine, desk):
        await engine.wait(RUN)
        again = await rerun(desk, RUN, "", "the bank is back", "ana")
        await engine.wait(again)
        return await engine.journal.read(RUN), await engine.journal.read(again)

    before, after = at_desk(test, ticket=Ticket("q", 3, "key", dedupe="once"))
    assert isinstance(after[0], Created)
    assert after[0].input == before[0].input == {"n": 1}
    assert after[0].definition == before[0].definition
    assert after[0].origin == Origin("rerun", RUN, by="ana", reason="the bank is back")
    ticket = after[0].ticket
    assert (ticket.queue, ticket.priority, ticket.key, ticket.dedupe) == ("q", 3, "key", "")


def test_a_rerun_of_a_run_that_is_open_is_another_run():
    async def test(engine, desk):
        await engine.tell(RUN, Suspended(0.0))
        again = await rerun(desk, RUN, "mine", "", "")
        return again, (await engine.shelf.run(again)).parent

    assert at_desk(test) == ("mine", None)
