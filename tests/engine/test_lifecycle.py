"""The lifecycle events of the standard: each with its data, once through every death, only when wanted."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from dirigent.core.events import lifecycle
from dirigent.engine.engine import Engine
from dirigent.engine.events.telling import Wants
from dirigent.model import limits
from dirigent.model.events.cursor import Cursor
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.ids import RunId
from dirigent.model.run.effect import Broken, Done
from dirigent.model.run.journal import CancelRequested, Resumed, Retried, Suspended
from dirigent.model.run.start import Start
from dirigent.model.values import SecretRef, SecretText
from dirigent.testing import MemoryStore, Rule
from engine.harness import RUN, Case, Outside, living
from engine.workflows import document, outside_of

WORKFLOW, TASK = "io.serverlessworkflow.workflow", "io.serverlessworkflow.task"
PREFIX = "io.serverlessworkflow."
EVERYTHING = ("*", "*.status-changed.v1")
NAME = "scenario-run-1.tests"
DONE = f"{WORKFLOW}.completed.v1"
CALL = "do: [{ask: {call: http, with: {method: get, endpoint: 'https://a.example'}}}]"


class Told(Outside):
    """A world in which somebody wants lifecycle events, or nobody does."""

    wanted = EVERYTHING

    def engine(self):
        sound = super().engine()
        wants = Wants()
        wants.renew([Cursor("out", types=self.wanted)] if self.wanted else [])
        return Engine(sound.journal, sound.shelf, sound.effects, sound.tools, sound.clock, wants=wants)

    @property
    def events(self):
        return [each.event for each in asyncio.run(MemoryStore(self.disk).log.events(0.0, (0, 0), 10_000))]


def told(text, *rules, people=(), wanted=EVERYTHING, deaths=()):
    case = Case(document(text), rules, people=people)
    outside = Told(case, deaths=deaths)
    outside.wanted = wanted
    outside.live()
    return outside


def short(events):
    return [
        (
            each["type"].removeprefix("io.serverlessworkflow.").removesuffix(".v1"),
            each["data"].get("task", ""),
        )
        for each in events
        if "status-changed" not in each["type"]
    ]


def said(events, kind, task=None):
    found = [
        each["data"]
        for each in events
        if each["type"] == f"io.serverlessworkflow.{kind}.v1" and task in (None, each["data"].get("task"))
    ]
    assert found, f"no {kind}"
    return found[0]


def test_there_are_sixteen_types_and_two_that_are_optional():
    assert len(lifecycle.TYPES) == len(set(lifecycle.TYPES)) == 18
    assert sum("status-changed" in each for each in lifecycle.TYPES) == 2


def test_a_run_that_completes_tells_of_itself_and_of_its_tasks_in_order():
    outside = told("do: [{greet: {set: {word: hello}}}, {never: {if: '${ false }', set: {x: 1}}}]")
    events = outside.events
    assert short(events) == [
        ("workflow.started", ""),
        ("task.created", "/do/0/greet"),
        ("task.started", "/do/0/greet"),
        ("task.completed", "/do/0/greet"),
        ("task.created", "/do/1/never"),
        ("task.completed", "/do/1/never"),
        ("workflow.completed", ""),
    ]
    started = said(events, "workflow.started")
    assert started["definition"] == {"name": "scenario", "namespace": "tests", "version": "1.0.0"}
    assert started["name"] == NAME
    assert started["startedAt"] == "1970-01-01T00:00:00.000Z"
    assert said(events, "workflow.completed") == {
        "name": NAME,
        "completedAt": "1970-01-01T00:00:00.000Z",
        "output": {"word": "hello"},
    }
    assert said(events, "task.created") == {
        "workflow": NAME,
        "task": "/do/0/greet",
        "createdAt": "1970-01-01T00:00:00.000Z",
    }
    assert set(said(events, "task.started")) == {"workflow", "task", "startedAt"}
    assert said(events, "task.completed")["output"] == {"word": "hello"}
    assert {each["source"] for each in events} == {"/dirigent/tests/scenario"}
    assert events[0]["subject"] == RUN
    assert events[2]["subject"] == f"{RUN}/do/0/greet"
    assert events[2]["attempt"] == 1
    assert len({each["id"] for each in events}) == len(events)


def test_a_fault_is_told_of_the_task_and_of_the_run():
    events = told(
        "do: [{no: {raise: {error: {type: 'https://e.example/x', status: 418, title: No}}}}]"
    ).events
    error = {"type": "https://e.example/x", "status": 418, "title": "No", "instance": "/do/0/no"}
    at = "1970-01-01T00:00:00.000Z"
    assert said(events, "task.faulted") == {
        "workflow": NAME,
        "task": "/do/0/no",
        "faultedAt": at,
        "error": error,
    }
    assert said(events, "workflow.faulted") == {"name": NAME, "faultedAt": at, "error": error}


def test_a_retry_is_told_of_the_task_that_tries_again():
    broken = Broken(Fault(COMMUNICATION, 503))
    events = told(
        "do: [{again: {try: [{ask: {call: http, with: {method: get, endpoint: 'https://a.example'}}}],"
        " catch: {retry: {delay: PT5S, limit: {attempt: {count: 2}}}}}}]",
        Rule(position="/do/0/again/try/0/ask", answers=(broken, Done(1))),
    ).events
    assert said(events, "task.retried") == {
        "workflow": NAME,
        "task": "/do/0/again",
        "retriedAt": "1970-01-01T00:00:05.000Z",
    }
    asked = [each for each in events if each["data"].get("task") == "/do/0/again/try/0/ask"]
    assert [(kind, each["attempt"]) for (kind, _), each in zip(short(asked), _real(asked), strict=True)] == [
        ("task.created", 1),
        ("task.started", 1),
        ("task.faulted", 1),
        ("task.created", 2),
        ("task.started", 2),
        ("task.completed", 2),
    ]


def _real(events):
    return [each for each in events if "status-changed" not in each["type"]]


def test_a_run_that_is_suspended_says_so_and_so_do_its_tasks():
    people = (
        (1.0, lambda at, _: Suspended(at, "lunch", "ann")),
        (2.0, lambda at, _: Resumed(at, "", "ann")),
    )
    events = told("do: [{nap: {wait: {seconds: 9}}}]", people=people).events
    assert short(events) == [
        ("workflow.started", ""),
        ("task.created", "/do/0/nap"),
        ("task.started", "/do/0/nap"),
        ("workflow.suspended", ""),
        ("task.suspended", "/do/0/nap"),
        ("workflow.resumed", ""),
        ("task.resumed", "/do/0/nap"),
        ("task.completed", "/do/0/nap"),
        ("workflow.completed", ""),
    ]
    one, two = "1970-01-01T00:00:01.000Z", "1970-01-01T00:00:02.000Z"
    task = {"workflow": NAME, "task": "/do/0/nap"}
    assert said(events, "workflow.suspended") == {"name": NAME, "suspendedAt": one}
    assert said(events, "task.suspended") == {**task, "suspendedAt": one}
    assert said(events, "workflow.resumed") == {"name": NAME, "resumedAt": two}
    assert said(events, "task.resumed") == {**task, "resumedAt": two}


def test_a_run_that_is_cancelled_says_so_and_so_do_its_tasks():
    events = told(
        "do: [{nap: {wait: {seconds: 9}}}]", people=((1.0, lambda at, _: CancelRequested(at)),)
    ).events
    one = "1970-01-01T00:00:01.000Z"
    assert short(events)[-2:] == [("task.cancelled", "/do/0/nap"), ("workflow.cancelled", "")]
    assert said(events, "workflow.cancelled") == {"name": NAME, "cancelledAt": one}
    assert said(events, "task.cancelled") == {"workflow": NAME, "task": "/do/0/nap", "cancelledAt": one}


def test_the_loser_of_a_race_is_cancelled_and_the_winner_is_not():
    events = told(
        "do: [{race: {fork: {compete: true,"
        " branches: [{slow: {wait: {seconds: 9}}}, {fast: {set: {x: 1}}}]}}}]"
    ).events
    ends = [each for each in short(events) if each[0] in {"task.cancelled", "task.completed"}]
    assert ends == [
        ("task.completed", "/do/0/race/fork/branches/1/fast"),
        ("task.cancelled", "/do/0/race/fork/branches/0/slow"),
        ("task.completed", "/do/0/race"),
    ]


def test_correlation_is_told_with_its_keys():
    outside = Told(
        Case(
            document(
                "do: [{hear: {listen: {to: {one: {with: {type: paid}, correlate: {order: {from: .data}}}}}}}]"
            )
        )
    )

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        await engine.events.take(
            [{"specversion": "1.0", "id": "1", "source": "/t", "type": "paid", "data": 7}]
        )
        await engine.wait(RUN)

    living(test, outside)
    events = outside.events
    at = "1970-01-01T00:00:00.000Z"
    assert said(events, "workflow.correlation-started") == {"name": NAME, "startedAt": at}
    assert said(events, "workflow.correlation-completed") == {
        "name": NAME,
        "completedAt": at,
        "correlationKeys": {"order": 7},
    }


def test_changes_of_status_are_told_to_those_who_name_them():
    events = told("do: [{nap: {wait: {seconds: 9}}}]", wanted=("*.status-changed.v1",)).events
    assert [(each["type"].split(".")[2], each["data"]["status"]) for each in events] == [
        ("workflow", "running"),
        ("task", "pending"),
        ("task", "running"),
        ("task", "waiting"),
        ("workflow", "waiting"),
        ("task", "completed"),
        ("workflow", "completed"),
    ]
    assert events[0]["data"] == {
        "name": NAME,
        "updatedAt": "1970-01-01T00:00:00.000Z",
        "status": "running",
    }
    assert set(events[1]["data"]) == {"workflow", "task", "updatedAt", "status"}
    assert told("do: [{a: {set: {x: 1}}}]", wanted=("*",)).events
    quiet = told("do: [{a: {set: {x: 1}}}]", wanted=("*",)).events
    assert not any("status-changed" in each["type"] for each in quiet)


def test_all_eighteen_types_have_been_asserted_here():
    # Each type stands in a test above, with the members that the standard demands of its data.
    text = Path(__file__).read_text(encoding="utf-8")
    for kind in lifecycle.TYPES:
        name = kind.removeprefix("io.serverlessworkflow.").removesuffix(".v1")
        assert f'said(events, "{name}")' in text or "status-changed" in name, name


def test_nobody_is_told_what_nobody_wants():
    outside = told(CALL, wanted=())
    assert outside.events == []
    only = told(CALL, wanted=("io.serverlessworkflow.workflow.completed.*",)).events
    assert short(only) == [("workflow.completed", "")]


def test_secrets_are_told_by_name_alone():
    secret = SecretText((SecretRef("token"),))
    outside = told(CALL, Rule(answers=(Done({"list": ["a", secret]}),)))
    text = str(outside.events)
    assert "SecretText" not in text
    assert said(outside.events, "workflow.completed")["output"] == {"list": ["a", "(secret token)"]}


def test_an_output_that_is_too_large_for_an_event_is_left_out_and_that_is_said():
    outside = told(CALL, Rule(answers=(Done("x" * limits.EVENT_BYTES),)))
    (ended,) = [each for each in outside.events if each["type"] == DONE]
    assert "output" not in ended["data"]
    assert ended["outputomitted"] is True


def test_each_is_told_once_and_the_same_through_every_death():
    text = (
        "do: [{again: {try: [{ask: {call: http, with: {method: get, endpoint: 'https://a.example'}}}],"
        " catch: {retry: {delay: PT5S, limit: {attempt: {count: 2}}}}}}, {nap: {wait: {seconds: 3}}}]"
    )
    rule = Rule(position="/do/0/again/try/0/ask", answers=(Broken(Fault(COMMUNICATION, 503)), Done(1)))
    calm = told(text, rule)
    expected = [(each["type"], each["id"], each["data"].get("task")) for each in calm.events]
    places = sum(calm.places)
    assert places > 10
    for place in range(1, places + 1):
        outside = told(text, rule, deaths=(place,))
        found = [(each["type"], each["data"].get("task")) for each in outside.events]
        assert sorted(found) == sorted((kind, task) for kind, _, task in expected), place
        ids = [each["id"] for each in outside.events]
        assert len(ids) == len(set(ids)), place


def test_events_that_are_lost_between_the_facts_and_the_log_are_noticed(monkeypatch):
    # The control: what a run tells is put into the log by itself, after its facts.
    monkeypatch.setattr("dirigent.testing.memory.told", lambda *given: given[-1])
    assert told(CALL).events == []


def test_a_task_that_names_a_lifecycle_event_hears_it_of_others_and_not_of_its_own_run():
    outside = Told(
        Case(
            document(
                f"do: [{{hear: {{listen: {{to: {{one: {{with: {{type: {WORKFLOW}.completed.v1}}}}}}}}}}}}]"
            )
        )
    )
    outside.wanted = ()
    other = replace(document("do: [{a: {set: {done: true}}}]"), name="other")

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        assert engine.events.asked == {DONE}
        await engine.start(Start(RunId("other-1"), other))
        return await engine.wait(RUN)

    (heard,) = living(test, outside).output
    assert heard["name"] == "other-other-1.tests"
    assert heard["output"] == {"done": True}
    kinds = {each["type"] for each in outside.events}
    assert kinds == {DONE}


def test_who_listens_for_anything_does_not_hear_of_the_lives_of_runs():
    outside = Told(Case(document("do: [{hear: {listen: {to: {any: []}}}}]")))

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        await engine.events.take(
            [{"specversion": "1.0", "id": "1", "source": "/t", "type": "paid", "data": 7}]
        )
        return await engine.wait(RUN)

    assert living(test, outside).output == [7]


def test_a_person_who_has_a_run_go_on_resumes_it_and_retries_the_task():
    outside = Told(Case(document(CALL), (Rule(answers=(Broken(Fault(COMMUNICATION, 400)), Done(1))),)))

    async def test(engine):
        await engine.start(Start(RUN, outside.case.program))
        assert (await engine.wait(RUN)).phase == "faulted"
        await engine.tell(RUN, Retried(outside.clock.now(), "/do/0/ask", 1))
        return await engine.wait(RUN)

    assert living(test, outside).phase == "completed"
    kinds = [kind for kind, _ in short(outside.events)]
    assert (
        kinds.index("workflow.faulted") < kinds.index("workflow.resumed") < kinds.index("workflow.completed")
    )


@pytest.mark.parametrize("text", ["do: [{a: {set: {x: 1}}}]", CALL])
def test_noting_changes_nothing_of_the_run(text):
    noted, silent = told(text), told(text, wanted=())
    assert noted.journal == silent.journal
    assert outside_of(text) is not None
