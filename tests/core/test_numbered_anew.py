"""Whatever is done again after a person had a run go on has a number that nothing had before it."""

from __future__ import annotations

import pytest

from core.simulation import RUN, TOOLS
from dirigent.core.decide import decide
from dirigent.core.replay import advance, replay
from dirigent.model import fault
from dirigent.model.fault import Fault
from dirigent.model.ids import Digest, Position, effect_id
from dirigent.model.program import (
    Call,
    Catch,
    Consume,
    EachEvent,
    Extended,
    Extension,
    Graph,
    Program,
    Retry,
    Sequence,
    Task,
    Try,
    Wait,
)
from dirigent.model.run.command import Perform, SetTimer
from dirigent.model.run.journal import (
    Created,
    Ended,
    Failed,
    Intended,
    Retried,
    Succeeded,
    TimerFired,
    TimerSet,
)
from dirigent.model.values import Expression

BROKEN = Fault(fault.COMMUNICATION, 503, "Broken")
GONE = Fault(fault.COMMUNICATION, 410, "Gone")
REFUSED = Fault(fault.COMMUNICATION, 409, "Conflict")
WORK, LAST = Position("/do/0/work"), Position("/do/1/last")
BEFORE = Position("/do/0/work/before/0/0/first")
INPUT = Expression(".")


def folded(facts, *tasks, gate=None):
    program = Program("p", "tests", "1.0.0", Task("p", "", Sequence(tasks)))
    return replay(program, RUN, facts, TOOLS, gate=gate)


def gone_on(facts, fact, *tasks):
    """The run as it stands when a person has it go on from a task, and the same read from its journal."""
    run = folded(facts, *tasks, gate=(fact.position, fact.attempt))
    advance(run, fact)
    again = folded([*facts, fact], *tasks)
    assert decide(again, 9.0) == decide(run, 9.0)
    return run


def performed(run):
    return [
        (each.position, each.attempt, each.request) for each in decide(run, 9.0) if isinstance(each, Perform)
    ]


def extended(work):
    """A work with a block before it, and a task after it."""
    first = Task("first", BEFORE, Call("http", INPUT))
    around = Extended(work, (Extension("e", before=Sequence((first,))),))
    return Task("work", WORK, around), Task("last", LAST, Call("http", INPUT))


def failed_behind(*done):
    """The journal of a run of `extended` that failed in its last task."""
    return [
        Created(0.0, Digest("d"), 1),
        Intended(0.0, BEFORE, 1, 1),
        Succeeded(0.0, BEFORE, 1, 2),
        *done,
        Intended(2.0, LAST, 1, 3),
        Failed(3.0, LAST, 1, BROKEN),
        Ended(3.0, "faulted", None, BROKEN),
    ]


DONE = [Intended(1.0, WORK, 1, 2), Succeeded(2.0, WORK, 1, 3)]
GIVEN = Retried(9.0, BEFORE, 1, "output", 7)
AGAIN = [Retried(9.0, BEFORE, 1), Intended(9.0, BEFORE, 2, 1), Succeeded(10.0, BEFORE, 2, 7)]


def test_an_extended_work_is_another_attempt_after_a_retry_from_a_block_before_it():
    run = gone_on(failed_behind(*DONE), GIVEN, *extended(Call("http", INPUT)))
    assert performed(run) == [(WORK, 2, 7)]


def test_and_a_third_one_after_a_second_retry():
    tasks = extended(Call("http", INPUT))
    facts = [*failed_behind(*DONE), *AGAIN, Intended(10.0, WORK, 2, 7), Failed(11.0, WORK, 2, REFUSED)]
    facts += [Ended(11.0, "faulted", None, REFUSED)]
    run = gone_on(facts, Retried(12.0, BEFORE, 2, "output", 8), *tasks)
    assert performed(run) == [(WORK, 3, 8)]


def test_an_extended_work_that_nobody_had_begun_is_the_first_attempt():
    facts = [*failed_behind()[:2], Failed(1.0, BEFORE, 1, BROKEN), Ended(1.0, "faulted", None, BROKEN)]
    run = gone_on(facts, GIVEN, *extended(Call("http", INPUT)))
    assert performed(run) == [(WORK, 1, 7)]


def test_an_extended_work_of_which_nobody_knows_how_it_ended_is_sent_again_to_the_byte():
    facts = [
        *failed_behind(Intended(1.0, WORK, 1, 2), Failed(2.0, WORK, 1, BROKEN))[:5],
        Ended(2.0, "faulted", None, BROKEN),
    ]
    run = gone_on(facts, GIVEN, *extended(Call("http", INPUT)))
    assert performed(run) == [(WORK, 2, 2)]


def test_a_timer_of_an_extended_work_has_a_number_of_its_own_too():
    waited = [TimerSet(1.0, WORK, 1, "wait", 2.0), TimerFired(2.0, WORK, 1, "wait")]
    run = gone_on(failed_behind(*waited), GIVEN, *extended(Wait(1.0)))
    assert [(each.position, each.attempt) for each in decide(run, 9.0) if isinstance(each, SetTimer)] == [
        (WORK, 2)
    ]


def test_a_journal_of_before_that_numbered_it_alike_means_what_it_meant():
    tasks = extended(Call("http", INPUT))
    earlier = [*failed_behind(*DONE), GIVEN, Intended(10.0, WORK, 1, 7)]
    run = folded(earlier, *tasks)
    assert [(each[:2]) for each in performed(run)] == [(WORK, 1)]
    advance(run, Succeeded(11.0, WORK, 1, 8))
    assert performed(run) == [(LAST, 2, 3)]  # Its first attempt is in doubt.


def test_such_a_journal_is_gone_on_with_under_numbers_of_their_own():
    tasks = extended(Call("http", INPUT))
    earlier = [*failed_behind(*DONE), *AGAIN, Intended(10.0, WORK, 1, 7), Failed(11.0, WORK, 1, REFUSED)]
    earlier += [Ended(11.0, "faulted", None, REFUSED)]
    run = gone_on(earlier, Retried(12.0, BEFORE, 2, "output", 8), *tasks)
    assert performed(run) == [(WORK, 2, 8)]


def test_a_message_that_was_taken_is_taken_again_under_another_number():
    body = Task("body", Position("/do/0/work/foreach/do/0/body"), Call("http", {}))
    stream = Task("work", WORK, Consume(Call("take", {}), EachEvent("item", "at", Sequence((body,)))))
    inside = Position(f"{WORK}[0]/foreach/do/0/body")
    facts = [
        Created(0.0, Digest("d"), None),
        Intended(0.0, Position(f"{WORK}[0]"), 1, {}),
        Succeeded(1.0, Position(f"{WORK}[0]"), 1, {"message": 1, "cursor": 1}),
        Intended(1.0, inside, 1, {}),
        Succeeded(2.0, inside, 1, None),
        Intended(2.0, Position(f"{WORK}[1]"), 1, {}),
        Failed(3.0, Position(f"{WORK}[1]"), 1, BROKEN),
        Ended(3.0, "faulted", None, BROKEN),
    ]
    run = gone_on(facts, Retried(9.0, inside, 1, "skip"), stream)
    assert performed(run) == [(f"{WORK}[1]", 2, {})]


# -- a fold up to a gate comes later to a task than the run did -----------------------------------------


def crowded(end, where):
    """Three tasks with two places: the third began in that of the first, and the second gave 5 meanwhile.

    `end` is how the third ended. A fold up to the gate of the first comes to it when the second is over.
    """
    pointers = [Position(f"{where}/graph/{name}") for name in ("one", "two", "three")]
    requests = ({}, {}, Expression("$out.two"))
    tasks = tuple(
        Task(pointer.rpartition("/")[2], pointer, Call("http", request))
        for pointer, request in zip(pointers, requests, strict=True)
    )
    graph = Task("all", where, Graph(tasks, {task.name: () for task in tasks}, "out", width=2))
    first, second, third = pointers
    facts = [
        Created(0.0, Digest("d"), None),
        Intended(0.0, first, 1, {}),
        Intended(0.0, second, 1, {}),
        Failed(1.0, first, 1, REFUSED),
        Intended(1.0, third, 1, None),
        Failed(2.0, third, 1, end),
        Succeeded(3.0, second, 1, 5),
        Ended(3.0, "faulted", None, REFUSED),
    ]
    return graph, facts, first, third


@pytest.mark.parametrize(
    ("end", "sent", "identity"),
    [(BROKEN, None, ""), (REFUSED, 5, "#1")],
    ids=["in doubt: to the byte", "known: another effect"],
)
def test_what_is_come_to_later_is_sent_as_after_the_attempt_that_was_taken_back(end, sent, identity):
    graph, facts, first, third = crowded(end, Position("/do/0/all"))
    run = gone_on(facts, Retried(9.0, first, 1), graph)
    found = next(each for each in decide(run, 9.0) if isinstance(each, Perform) and each.position == third)
    assert (found.attempt, found.request) == (2, sent)
    assert found.effect == effect_id(RUN, Position(third + identity))


def test_and_after_it_comes_one_with_a_number_that_it_did_not_have():
    graph, facts, first, third = crowded(BROKEN, Position("/do/0/again/try/0/all"))
    around = Position("/do/0/again")
    catch = Catch(matching={"status": GONE.status}, retry=Retry(attempts_max=1))
    run = gone_on(facts, Retried(9.0, first, 1), Task("again", around, Try(Sequence((graph,)), catch)))
    for fact in (
        Intended(9.0, first, 2, {}),
        Intended(9.0, third, 2, None),
        Succeeded(10.0, third, 2, 1),
        Failed(10.0, first, 2, GONE),
        TimerSet(10.0, around, 1, "retry", 10.0),
        TimerFired(10.0, around, 1, "retry"),
        Intended(10.0, first, 3, {}),
        Succeeded(11.0, first, 3, 1),
    ):
        advance(run, fact)
    assert (third, 3) in [each[:2] for each in performed(run)]
