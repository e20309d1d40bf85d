"""Schedules of a stack are made active once, changed, ended, listed, looked ahead, paused and filled up."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest

from core.simulation import TOOLS
from dirigent.engine.conductor import LocalConductor
from dirigent.engine.events.memory import Memory
from dirigent.engine.schedules.keeping import SchedulePerformer
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Heard
from dirigent.model.run.schedule import Schedule
from dirigent.model.stack import Stack, StackWorkflow
from dirigent.service.schedules import keeping, looking
from dirigent.service.schedules.looking import Range, ScheduleView, ahead
from dirigent.testing import Rule, VirtualClock
from engine.harness import Case, Outside
from engine.workflows import document

WORK = document("do: [{a: {run: {shell: {command: a}}}}]")
EACH = Schedule(every=100.0)
PAID = Schedule(on={"one": {"with": {"type": "paid"}}})
BOTH = Schedule(on={"all": [{"with": {"type": "paid"}}, {"with": {"type": "shipped"}}]})


class Planner:
    """Gives every workflow the input that the test says."""

    def __init__(self, shelf):
        self.shelf, self.given = shelf, {}

    async def evaluate(self, stack, inputs, templates):
        return dict(self.given)


def stack_of(**schedules):
    workflows = {name: StackWorkflow(name, WORK) for name in schedules}
    return Stack("shop", "", workflows=workflows, schedules=schedules)


def at_desk(test, patience=100):
    """Run a test at the desk of an engine."""
    outside = Outside(Case(WORK, (Rule(seconds=1),)))
    outside.clock = VirtualClock(0.0, patience=patience)

    async def life():
        engine = outside.engine()
        conductor = LocalConductor(engine, engine.shelf)
        engine.effects.performers["schedule"] = SchedulePerformer(
            *(conductor, engine.journal, engine.shelf, outside.clock, TOOLS.language, engine.effects.oracle)
        )
        await engine.open()
        desk = SimpleNamespace(
            journal=engine.journal, shelf=engine.shelf, clock=outside.clock, conductor=conductor
        )
        desk.engine = engine
        try:
            return await test(desk, Planner(engine.shelf))
        finally:
            await engine.close()

    return asyncio.run(asyncio.wait_for(life(), 60))


async def names(desk):
    return [run.id for run in await keeping.open_schedules(desk.shelf)]


def whats(changes):
    return {each.name: each.what for each in changes}


def test_schedules_become_active_once_change_and_end():
    async def test(desk, planner):
        seen = [whats(await keeping.keep(desk, planner, stack_of(a=EACH, b=EACH), {}))]
        seen.append(whats(await keeping.keep(desk, planner, stack_of(a=EACH, b=EACH), {})))
        seen.append(whats(await keeping.keep(desk, planner, stack_of(a=replace(EACH, every=50.0)), {})))
        planner.given = {"n": 2}
        seen.append(whats(await keeping.keep(desk, planner, stack_of(a=replace(EACH, every=50.0)), {})))
        seen.append(await names(desk))
        seen.append(whats(await keeping.remove(desk, "shop")))
        seen.append(await names(desk))
        seen.append(whats(await keeping.keep(desk, planner, stack_of(a=EACH), {})))
        seen.append(await names(desk))
        return seen

    assert at_desk(test) == [
        {"a": "active", "b": "active"},
        {},
        {"a": "changed", "b": "removed"},
        {"a": "changed"},
        ["schedule:shop.a/3"],
        {"a": "removed"},
        [],
        {"a": "active"},
        ["schedule:shop.a/4"],
    ]


def test_a_schedule_that_changed_knows_the_run_before():
    async def test(desk, planner):
        await keeping.keep(desk, planner, stack_of(a=EACH), {})
        await desk.clock.sleep_until(150.0)
        await keeping.keep(desk, planner, stack_of(a=replace(EACH, overlap="skip")), {})
        (view,) = await looking.listed(desk.journal, desk.shelf)
        return view.last

    assert at_desk(test) == "shop.a@1970-01-01T00:01:40Z"


def test_it_is_listed_looked_ahead_and_paused():
    async def test(desk, planner):
        await keeping.keep(desk, planner, stack_of(a=EACH), {})
        await desk.clock.sleep_until(150.0)
        (view,) = await looking.listed(desk.journal, desk.shelf)
        coming = [each.due for each in ahead(view, 150.0, 3)]
        await looking.pause(desk, "a", "rest", "ana")
        paused = await looking.named(desk.journal, desk.shelf, "shop.a")
        reasons = {each.skipped for each in ahead(paused, 150.0, 3)}
        await looking.resume(desk, "shop.a", "", "ana")
        after = await looking.named(desk.journal, desk.shelf, "a")
        return view.when, view.what, coming, paused.phase, reasons, after.phase

    assert at_desk(test) == (
        "every 100 s",
        "began shop.a@1970-01-01T00:01:40Z",
        [200.0, 300.0, 400.0],
        "paused",
        {"paused: nothing begins before it is resumed"},
        "active",
    )


def test_a_range_is_filled_up_once():
    async def test(desk, planner):
        await desk.clock.sleep_until(86_400.0)
        await keeping.keep(desk, planner, stack_of(a=EACH), {})
        await desk.clock.sleep_until(86_550.0)
        span = Range("1970-01-01T23:57:00Z", "1970-01-02T00:02:00Z", reason="lost", by="ana")
        first = await looking.backfill(desk, "a", span)
        second = await looking.backfill(desk, "a", span)
        third = await looking.backfill(desk, "a", replace(span, again=True))
        created = (await desk.journal.read(first[0].run))[0]
        return first, second, third, created.origin

    first, second, third, origin = at_desk(test)
    # The schedule itself has started the last one.
    assert [(each.at, each.started) for each in first] == [
        (86_300.0, True),
        (86_400.0, True),
        (86_500.0, False),
    ]
    assert not any(each.started for each in second)
    assert all(each.started for each in third)
    assert len({each.run for each in (*first, *third)}) == 6
    assert (origin.kind, origin.of, origin.due, origin.by, origin.reason) == (
        "schedule",
        "shop.a",
        86_300.0,
        "ana",
        "lost",
    )


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (lambda desk: looking.pause(desk, "aa", "", ""), "E4180"),
        (lambda desk: looking.resume(desk, "a", "", ""), "E4003"),
        (lambda desk: looking.backfill(desk, "a", Range("tomorrow", "1970-01-01")), "E4182"),
        (lambda desk: looking.backfill(desk, "a", Range("1971-01-01", "1970-01-01")), "E4182"),
        (lambda desk: looking.backfill(desk, "a", Range("1970-01-01", "2070-01-01")), "E4182"),
        (lambda desk: looking.backfill(desk, "z", Range("1970-01-01", "1970-01-02")), "E4183"),
        (lambda desk: looking.backfill(desk, "e", Range("1970-01-01", "1970-01-02")), "E4190"),
    ],
)
def test_what_cannot_be_asked_is_refused(asked, code):
    async def test(desk, planner):
        await keeping.keep(desk, planner, stack_of(a=EACH, z=Schedule(after=5.0), e=PAID), {})
        with pytest.raises(Refusal) as caught:
            await asked(desk)
        return caught.value.problems[0].code

    assert at_desk(test) == code


def test_two_stacks_with_one_name_must_be_told_apart():
    async def test(desk, planner):
        await keeping.keep(desk, planner, stack_of(a=EACH), {})
        await keeping.keep(desk, planner, replace(stack_of(a=EACH), name="bar"), {})
        with pytest.raises(Refusal, match="E4181"):
            await looking.named(desk.journal, desk.shelf, "a")
        return (await looking.named(desk.journal, desk.shelf, "bar.a")).name

    assert at_desk(test) == "bar.a"


def view_of(**more):
    facts = {"anchor": 0.0, "considered": 100.0, "next_at": 200.0, "due_at": 200.0, "last": "", "what": ""}
    return ScheduleView(
        name="shop.a", run="r", when="", phase="active", missed=0, **{"schedule": EACH, **facts, **more}
    )


@pytest.mark.parametrize(("misfire", "runs"), [("none", 0), ("last", 1), ("all", 4)])
def test_what_was_missed_is_shown_with_the_reason(misfire, runs):
    coming = ahead(view_of(schedule=replace(EACH, misfire=misfire)), 520.0, 6)
    missed = [each for each in coming if each.at <= 520.0]
    assert len(missed) == 4
    assert sum(not each.skipped for each in missed) == runs
    assert all("`misfire` is" in each.skipped for each in missed if each.skipped)


def test_of_one_that_follows_the_end_of_a_run_only_the_next_is_known():
    after = Schedule(after=5.0)
    assert [each.due for each in ahead(view_of(schedule=after), 0.0, 5)] == [200.0]
    assert ahead(view_of(schedule=after, next_at=None), 0.0, 5) == []


# -- by events --------------------------------------------------------------------------------------------


def event(number, kind="paid"):
    return {"specversion": "1.0", "id": str(number), "source": "/test", "type": kind, "data": number}


async def inputs(desk):
    runs = [run.id for run in reversed(await desk.shelf.runs(limit=100)) if "@" in run.id]
    return [[each["id"] for each in (await desk.journal.read(run))[0].input] for run in runs]


def test_a_schedule_of_events_is_listed_and_has_no_times():
    async def test(desk, planner):
        await keeping.keep(desk, planner, stack_of(a=BOTH), {})
        await desk.engine.events.take([event(1)])
        await desk.clock.sleep_until(10.0)
        (view,) = await looking.listed(desk.journal, desk.shelf)
        return view.when, view.what, ahead(view, 10.0, 5), view.phase

    assert at_desk(test) == ("on paid and shipped", "gathers: 1 begun", [], "active")


@pytest.mark.parametrize("said", ["input", "rule"])
def test_one_that_changed_goes_on_where_it_stood_if_it_waits_for_the_same_events(said):
    async def test(desk, planner):
        await keeping.keep(desk, planner, stack_of(a=BOTH), {})
        await desk.engine.events.take([event(1), event(2, "shipped"), event(3)])
        await desk.clock.sleep_until(10.0)
        changed = BOTH if said == "input" else replace(BOTH, overlap="queue")
        planner.given = {"n": 2} if said == "input" else {}
        changes = whats(await keeping.keep(desk, planner, stack_of(a=changed), {}))
        await desk.engine.events.take([event(4, "shipped")])
        await desk.clock.sleep_until(20.0)
        return changes, await inputs(desk)

    assert at_desk(test) == ({"a": "changed"}, [["1", "2"], ["3", "4"]])


def test_one_that_waits_for_other_events_begins_at_that_moment():
    async def test(desk, planner):
        await keeping.keep(desk, planner, stack_of(a=BOTH), {})
        await desk.engine.events.take([event(1), event(2, "opened")])
        await desk.clock.sleep_until(10.0)
        other = Schedule(on={"one": {"with": {"type": "paid|opened"}}})
        await keeping.keep(desk, planner, stack_of(a=other), {})
        await desk.engine.events.take([event(3, "opened")])
        await desk.clock.sleep_until(20.0)
        return await inputs(desk)

    assert at_desk(test) == [["3"]]


def test_a_change_from_times_to_events_begins_at_that_moment_too():
    async def test(desk, planner):
        await keeping.keep(desk, planner, stack_of(a=EACH), {})
        await desk.engine.events.take([event(1)])
        await desk.clock.sleep_until(10.0)
        await keeping.keep(desk, planner, stack_of(a=PAID), {})
        await desk.engine.events.take([event(2)])
        await desk.clock.sleep_until(20.0)
        return await inputs(desk)

    assert at_desk(test) == [["2"]]


async def changed_while_an_event_waits(desk, planner):
    first = replace(PAID, overlap="queue")
    await keeping.keep(desk, planner, stack_of(a=first), {})
    await desk.engine.events.take([event(1), event(2)])
    await desk.clock.sleep_until(0.5)
    # The second event was heard, and its turn waits for the end of the first run.
    facts = await desk.journal.read("schedule:shop.a/1")
    assert [fact.event["id"] for fact in facts if isinstance(fact, Heard)] == ["1", "2"]
    await keeping.keep(desk, planner, stack_of(a=PAID), {})
    await desk.clock.sleep_until(20.0)
    return await inputs(desk)


def test_an_event_whose_turn_was_not_done_is_for_the_schedule_that_comes_after():
    assert at_desk(changed_while_an_event_waits) == [["1"], ["2"]]


def test_an_engine_that_remembers_what_was_not_done_is_found(monkeypatch):
    monkeypatch.setattr(Memory, "forget", lambda *_: None)
    assert at_desk(changed_while_an_event_waits) == [["1"]]
