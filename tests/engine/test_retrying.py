"""A run that failed goes on from a task, and people answer for tasks: once, through crashes, and lawfully."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest

from core.simulation import RUN, TOOLS
from dirigent.core.replay import replay
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Broken, Done, Doubt
from dirigent.model.run.journal import (
    Abandoned,
    Ended,
    Held,
    Intended,
    Overruled,
    Retried,
    Suspended,
    TimerSet,
)
from dirigent.model.run.start import Start
from dirigent.testing import Rule
from engine.harness import Case, Outside
from engine.workflows import document

CHAIN = document(
    "do: [{a: {run: {shell: {command: a}}, export: {as: '${ {seen: .} }'}}},"
    " {b: {run: {shell: {command: b}}}},"
    " {c: {run: {shell: {command: c}}, output: {as: '${ {c: ., kept: $context.seen} }'}}}]"
)
A, B, C = "/do/0/a", "/do/1/b", "/do/2/c"


def broken(status=400):
    return Broken(Fault(COMMUNICATION, status, "Down"))


def gives(position, *answers):
    """What the attempts at a task give, one after the other; the last one goes on."""
    return (Rule(position=position, answers=answers, seconds=5),)


class Again(Outside):
    """Each time the run ends while there are `words` left, the next one is said; what is refused is noted."""

    def say(self, *words):
        self.words, self.codes = words, []
        return self

    async def life(self):
        engine = self.engine()
        await engine.open()
        await engine.start(Start(RUN, self.case.program, self.case.input, {"doubt": "hold"}))
        for word in self.words:
            ended = await engine.wait(RUN)
            facts = await engine.journal.read(RUN)
            if not any(isinstance(fact, type(word)) and fact.reason == word.reason for fact in facts):
                await self.tell(engine, word)
        ended = await engine.wait(RUN)
        await engine.close()
        self.places.append(len(self.fuse.places))
        return ended

    async def tell(self, engine, word):
        try:
            await engine.tell(RUN, replace(word, at=self.clock.now()))
        except Refusal as refusal:
            self.codes.append(refusal.problems[0].code)


def again(program, *words, rules=(), deaths=(), kind=Again):
    return kind(Case(program, (*rules, Rule(seconds=5))), deaths=deaths).say(*words)


def retried(position, attempt=1, number=1, **more):
    return Retried(0.0, position, attempt, reason=f"word {number}", by="ana", **more)


def intents(outside):
    return [(fact.position, fact.attempt) for fact in outside.journal if isinstance(fact, Intended)]


def no_rule():
    """Rules are used up by attempts: new ones for each outside."""
    return gives(B, broken(), Done("b"))


def test_a_run_goes_on_from_the_task_that_failed_and_keeps_what_was_done():
    outside = again(CHAIN, retried(B), rules=no_rule())
    ended = outside.live()
    assert ended.phase == "completed"
    assert ended.output["kept"]["command"] == "a"
    assert intents(outside) == [(A, 1), (B, 1), (B, 2), (C, 1)]
    assert [type(fact) for fact in outside.journal].count(Ended) == 2


def test_a_run_goes_on_from_an_earlier_task_and_does_all_after_it_again():
    outside = again(CHAIN, retried(A), rules=no_rule())
    assert outside.live().phase == "completed"
    assert intents(outside) == [(A, 1), (B, 1), (A, 2), (B, 2), (C, 1)]


def test_an_effect_keeps_its_id_and_its_request_when_nobody_knows_what_came_of_it():
    outside = again(CHAIN, retried(B), rules=gives(B, broken(503), Done("b")))
    outside.live()
    orders = [order for order in outside.world.orders if order.position == B]
    assert len({order.id for order in orders}) == 1
    assert orders[0].request == orders[1].request


def test_it_can_be_said_again_and_again():
    rules = gives(B, broken(), broken(), broken(), Done("b"))
    outside = again(CHAIN, retried(B), retried(A, 1, 2), retried(B, 3, 3), rules=rules)
    assert outside.live().phase == "completed"
    assert intents(outside) == [(A, 1), (B, 1), (B, 2), (A, 2), (B, 3), (B, 4), (C, 1)]
    assert outside.codes == []


@pytest.mark.parametrize(
    ("answer", "output", "given"), [("skip", None, "a"), ("output", {"command": "mine"}, "mine")]
)
def test_the_task_that_failed_is_passed_over_or_given_an_output(answer, output, given):
    rules = (Rule(position=B, answers=(broken(),), seconds=5), Rule(position=C))
    program = document(
        "do: [{a: {run: {shell: {command: a}}}}, {b: {run: {shell: {command: b}}}},"
        " {c: {set: {got: '${ .command }'}}}]"
    )
    outside = again(program, retried(B, answer=answer, output=output), rules=rules)
    assert outside.live().output == {"got": given}


RAISES = document(
    "do: [{a: {run: {shell: {command: a}}}}, {oops: {raise: {error: {type: 'urn:x', status: 400}}}}]"
)


def test_a_task_without_any_fact_is_passed_over():
    outside = again(RAISES, retried("/do/1/oops", answer="skip"))
    assert outside.live().phase == "completed"


def test_a_task_that_fails_again_ends_the_run_again():
    outside = again(RAISES, retried("/do/1/oops"), retried("/do/1/oops", 2, 2))
    ended = outside.live()
    assert (ended.phase, ended.fault.type) == ("faulted", "urn:x")
    assert [type(fact) for fact in outside.journal].count(Ended) == 3


TRIES = document(
    "do: [{t: {try: [{b: {run: {shell: {command: b}}}}],"
    " catch: {retry: {delay: {seconds: 1}, limit: {attempt: {count: 2}}}}}}]"
)
INNER = "/do/0/t/try/0/b"


def test_attempts_count_on_and_no_timer_has_the_name_of_an_older_one():
    rules = gives(INNER, *[broken()] * 4, Done("b"))
    outside = again(TRIES, retried(INNER, 3), retried("/do/0/t", 1, 2), rules=rules)
    ended = outside.live()
    assert ended.phase == "completed"
    assert [attempt for _, attempt in intents(outside)] == [1, 2, 3, 4, 5]
    timers = [(f.position, f.attempt, f.purpose) for f in outside.journal if isinstance(f, TimerSet)]
    assert len(timers) == len(set(timers))


FORK = document(
    "do: [{f: {fork: {branches: [{x: {run: {shell: {command: x}}}},"
    " {y: {do: [{y1: {run: {shell: {command: y1}}}}, {y2: {run: {shell: {command: y2}}}}]}}]}}}]"
)
X = "/do/0/f/fork/branches/0/x"


def test_what_a_failure_stopped_beside_it_begins_anew_and_what_was_done_is_kept():
    rules = (
        *gives(X, broken(), Done("x")),
        Rule(position="*y1", seconds=1),
        Rule(position="*y2", seconds=30),
    )
    outside = again(FORK, retried(X), rules=rules)
    assert outside.live().phase == "completed"
    assert any(isinstance(fact, Abandoned) for fact in outside.journal)
    done = Counter(position.rpartition("/")[2] for position, _ in intents(outside))
    assert done == {"x": 2, "y1": 1, "y2": 2}
    assert max(attempt for position, attempt in intents(outside) if position.endswith("y2")) == 2


HURRIED = document(
    "do: [{t: {do: [{b: {run: {shell: {command: b}}}}, {nap: {wait: {seconds: 40}}}],"
    " timeout: {after: {seconds: 60}}}}]"
)


def test_the_time_in_which_a_run_was_over_does_not_count_for_its_time_outs():
    rules = gives("*b", broken(), Done("b"))

    class Later(Again):
        async def tell(self, engine, word):
            await self.clock.sleep_until(1000.0)
            await super().tell(engine, word)

    outside = again(HURRIED, retried("/do/0/t/do/0/b"), rules=rules, kind=Later)
    assert outside.live().phase == "completed"
    assert outside.journal[-1].at == 1045.0


@pytest.mark.parametrize(
    ("program", "word"),
    [
        (CHAIN, retried(C)),
        (CHAIN, retried(B, 2)),
        (CHAIN, retried("/do/9/nowhere")),
    ],
)
def test_a_place_that_the_run_did_not_come_to_is_refused_and_changes_nothing(program, word):
    outside = again(program, word, rules=(Rule(position=B, answers=(broken(),)),))
    assert outside.live().phase == "faulted"
    assert outside.codes == ["E4003"]
    assert not any(isinstance(fact, Retried) for fact in outside.journal)


class Together(Again):
    """Says each word twice in one moment."""

    async def tell(self, engine, word):
        say = super().tell
        await asyncio.gather(say(engine, word), say(engine, replace(word, reason="said by another")))


def test_two_people_who_retry_a_run_that_fails_at_once_do_not_end_the_engine():
    program = document("do: [{a: {raise: {error: {type: 'https://e.example/no', status: 400}}}}]")
    outside = Together(Case(program, ())).say(retried("/do/0/a"))
    assert outside.live().phase == "faulted"
    assert outside.codes == ["E4003"]


def test_a_branch_that_failed_with_another_does_not_help():
    rules = (Rule(position=X, answers=(broken(),), seconds=1), Rule(position="*y1", seconds=30))
    outside = again(FORK, retried("/do/0/f/fork/branches/1/y/do/0/y1"), rules=rules)
    assert outside.live().phase == "faulted"
    assert outside.codes == ["E4003"]


GOOD = Done("good")
CASES = {
    "chain": (CHAIN, retried(B), gives(B, broken(), GOOD)),
    "earlier": (CHAIN, retried(A), gives(B, broken(), GOOD)),
    "tries": (TRIES, retried(INNER, 3), gives(INNER, *[broken()] * 3, GOOD)),
    "fork": (
        FORK,
        retried(X),
        (*gives(X, broken(), GOOD), Rule(position="*y1", seconds=1), Rule(position="*y2", seconds=9)),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_crash_anywhere_changes_nothing(name):
    program, word, rules = CASES[name]
    calm = again(program, word, rules=rules)
    ended = calm.live()
    assert ended.phase == "completed"
    for first in range(1, calm.places[-1] + 1):
        outside = again(program, word, rules=rules, deaths=(first,))
        assert outside.live() == ended, first
        assert folded(outside)


def folded(outside):
    """Every prefix of the journal can be folded, and gives what the whole gives when the rest follows."""
    facts = outside.journal
    return all(replay(outside.case.program, RUN, facts[:n], TOOLS).facts == n for n in range(len(facts) + 1))


def test_two_words_at_once_are_one():
    outside = again(CHAIN, rules=no_rule())

    async def life():
        engine = outside.engine()
        await engine.open()
        await engine.start(Start(RUN, CHAIN))
        await engine.wait(RUN)
        said = await asyncio.gather(*(engine.tell(RUN, retried(B)) for _ in range(3)), return_exceptions=True)
        ended = await engine.wait(RUN)
        await engine.close()
        return [type(each) for each in said if each is not None], ended.phase

    assert asyncio.run(asyncio.wait_for(life(), 60)) == ([Refusal, Refusal], "completed")


# -- answers for tasks that run -------------------------------------------------------------------------


class Spoken(Outside):
    """Says words at their times, those that were refused are noted."""

    codes = ()

    async def talk(self, engine):
        self.codes = []
        for at, fact in self.case.people:
            await self.clock.sleep_until(at)
            if fact in await engine.journal.read(RUN):
                continue
            try:
                await engine.tell(RUN, fact)
            except Refusal as refusal:
                self.codes.append(refusal.problems[0].code)
        await asyncio.Event().wait()


def spoken(program, *people, rules=(), deaths=()):
    return Spoken(Case(program, (*rules, Rule(seconds=50)), people=people), deaths=deaths)


def overruled(at, position, attempt=1, **more):
    return (at, Overruled(at, position, attempt, **more))


def test_what_runs_is_stopped_and_ends_with_what_a_person_says():
    outside = spoken(
        CHAIN, overruled(3.0, B, answer="output", output="mine"), rules=(Rule(position=A, seconds=1),)
    )
    assert outside.live().phase == "completed"
    assert [fact.position for fact in outside.journal if isinstance(fact, Abandoned)] == [B]
    assert next(f.at for f in outside.journal if isinstance(f, Intended) and f.position == C) == 3.0


def test_a_wait_a_delay_and_a_whole_block_are_passed_over():
    waiting = document("do: [{nap: {wait: {hours: 1}}}]")
    outside = spoken(waiting, overruled(3.0, "/do/0/nap"))
    assert (outside.live().phase, outside.journal[-1].at) == ("completed", 3.0)
    outside = spoken(
        TRIES, overruled(51.5, "/do/0/t"), rules=(Rule(position="*b", answers=(broken(),), seconds=51),)
    )
    assert outside.live().phase == "completed"
    outside = spoken(FORK, overruled(3.0, "/do/0/f"))
    assert outside.live().phase == "completed"
    assert sum(isinstance(fact, Abandoned) for fact in outside.journal) == 2


def test_a_held_effect_is_settled_by_the_word_itself():
    rules = (Rule(position=B, answers=(Doubt("who knows"),), seconds=1),)
    outside = spoken(CHAIN, overruled(60.0, B, answer="output", output="it was"), rules=rules)
    outside.case.metadata["doubt"] = "hold"
    assert outside.live().phase == "completed"
    assert any(isinstance(fact, Held) for fact in outside.journal)
    assert not any(isinstance(fact, Abandoned) for fact in outside.journal)


@pytest.mark.parametrize("position", [A, C, "/do/9/nowhere"])
def test_a_task_that_does_not_run_is_refused(position):
    outside = spoken(CHAIN, overruled(60.0, position))
    outside.live()
    assert outside.codes == ["E4003"]


def test_a_suspended_run_takes_the_answer_and_begins_nothing():
    outside = spoken(CHAIN, (1.0, Suspended(1.0)), overruled(3.0, A))

    async def life():
        engine = outside.engine()
        await engine.open()
        await engine.start(Start(RUN, CHAIN))
        for at, fact in outside.case.people:
            await outside.clock.sleep_until(at)
            await engine.tell(RUN, fact)
        await outside.clock.sleep_until(100.0)
        facts = await engine.journal.read(RUN)
        await engine.close()
        return [type(fact) for fact in facts[1:]]

    assert asyncio.run(asyncio.wait_for(life(), 60)) == [Intended, Suspended, Overruled, Abandoned]


@pytest.mark.slow
def test_a_crash_anywhere_loses_no_answer():
    people = (overruled(3.0, B, answer="output", output="mine"), overruled(4.0, C))
    calm = spoken(CHAIN, *people, rules=(Rule(position=A, seconds=1),))
    ended = calm.live()
    for first in range(1, calm.places[-1] + 1):
        outside = spoken(CHAIN, *people, rules=(Rule(position=A, seconds=1),), deaths=(first,))
        assert outside.live() == ended, first
        assert folded(outside)
