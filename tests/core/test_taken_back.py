"""A run that failed goes on from a task: what stood elsewhere when it failed stands there again."""

from __future__ import annotations

from core.simulation import RUN, TOOLS
from dirigent.core.decide import decide
from dirigent.core.replay import advance, replay
from dirigent.model import fault
from dirigent.model.events import listening
from dirigent.model.events.listening import EventFilter, Quorum, Sought, Strategy, Want
from dirigent.model.fault import Fault
from dirigent.model.ids import Digest, Position
from dirigent.model.program import Call, Catch, Fork, Listen, Loop, Program, Retry, Sequence, Task, Try
from dirigent.model.run.command import Hears, Note, Perform
from dirigent.model.run.journal import Created, Ended, Failed, Intended, Listening, Retried, Unheard

PAID = Strategy(Quorum.ONE, (EventFilter({"type": "paid"}),))
WANT = Want(Quorum.ONE, (Sought((listening.Test("type", "paid"),)),), (0,))
BROKEN = Fault(fault.COMMUNICATION, 503, "Broken")
EAR, CALL = Position("/do/0/both/fork/branches/0/ear"), Position("/do/0/both/fork/branches/1/call")


def program_of(*tasks):
    return Program("p", "tests", "1.0.0", Task("p", "", Sequence(tasks)))


def gone_on(program, facts, position):
    """The run as it stands when a person has it go on from a task."""
    run = replay(program, RUN, facts, TOOLS, gate=(Position(position), 1))
    advance(run, Retried(9.0, Position(position), 1))
    return run


def test_a_listener_that_ceased_because_of_the_failure_listens_again():
    fork = Fork((Task("ear", EAR, Listen(PAID)), Task("call", CALL, Call("http", {}))))
    facts = [
        Created(0.0, Digest("d"), None),
        Listening(0.0, EAR, 1, WANT, 0.0),
        Intended(0.0, CALL, 1, {}),
        Failed(1.0, CALL, 1, BROKEN),
        Unheard(1.0, EAR, 1),
        Ended(1.0, "faulted", None, BROKEN),
    ]
    run = gone_on(program_of(Task("both", "/do/0/both", fork)), facts, CALL)
    commands = decide(run, 9.0)
    assert Note(EAR, 1, Hears(WANT, 0.0)) in commands
    assert [(each.position, each.attempt) for each in commands if isinstance(each, Perform)] == [(CALL, 2)]


def test_a_task_that_left_no_fact_does_not_wait_at_its_gate_of_before():
    inner = Task("inner", "/do/0/outer/try/0/inner", Loop("each", "at", 1, Sequence(())))
    outer = Task("outer", "/do/0/outer", Try(Sequence((inner,)), Catch(retry=Retry(attempts_max=0))))
    ended = Ended(0.0, "faulted", None, Fault(fault.EXPRESSION, 400))
    facts = [
        Created(0.0, Digest("d"), None),
        ended,
        Retried(1.0, Position(inner.pointer), 1),
        ended,
    ]
    run = gone_on(program_of(outer), facts, outer.pointer)
    assert run.result is not None
    assert run.result[0] == "faulted"
