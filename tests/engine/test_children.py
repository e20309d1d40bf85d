"""Runs as steps of runs: begun once, found again after every crash, stopped with their parent, bounded."""

import asyncio

import pytest

from core.simulation import RUN
from dirigent.engine.children import WorkflowPerformer
from dirigent.model import limits
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.run.effect import Broken, Done
from dirigent.model.run.journal import CancelRequested, Created
from dirigent.model.run.start import Start
from dirigent.testing import MemoryStore, Rule
from engine.harness import Case, Outside
from engine.workflows import document

CHILD = document("do: [{work: {run: {shell: {command: work}}}}, {out: {set: {child: '${ . }'}}}]")
PARENT = document(
    "do: [{sub: {run: {workflow: {namespace: tests, name: child, version: 1.0.0, input: {n: 1}}}}}]"
)
LATER = document(
    "do: [{begin: {run: {workflow: {namespace: tests, name: child, version: 1.0.0}, await: false}}},"
    " {nap: {wait: {seconds: 50}}}]"
)
PATIENT = document(
    "do: [{t: {try: [{sub: {run: {workflow: {namespace: tests, name: child, version: 1.0.0}}}}],"
    " catch: {retry: {limit: {attempt: {count: 2, duration: {seconds: 20}}}}}}}]"
)
ITSELF = document("do: [{sub: {run: {workflow: {namespace: tests, name: itself, version: 1.0.0}}}}]")
UNKNOWN = document("do: [{sub: {run: {workflow: {namespace: tests, name: nobody, version: 2.0.0}}}}]")
PROGRAMS = {"child": CHILD, "itself": ITSELF}


class Family(Outside):
    """An outside in which `workflow` is performed for true, by a catalogue that can change."""

    catalogue = PROGRAMS

    def engine(self):
        engine = super().engine()

        async def metadata():
            return {"stack": "family"}

        known = self.catalogue
        performer = WorkflowPerformer(engine, lambda space, name, version: known.get(name), metadata)
        engine.effects.performers["workflow"] = performer
        return engine

    async def children(self):
        store = MemoryStore(self.disk)
        return {each.id: each for each in await store.runs() if each.parent is not None}


class Changing(Family):
    """After the first death the name of the child means another workflow."""

    @property
    def catalogue(self):
        return {"child": ITSELF} if self.fuse.lives > 1 else PROGRAMS


def family(program, *rules, deaths=()):
    return Family(Case(program, rules or (Rule(answers=(Done("ok"),), seconds=10),)), deaths=deaths)


@pytest.mark.slow
def test_a_child_begins_once_and_is_found_again_after_a_crash_anywhere():
    calm = family(PARENT)
    ended = calm.live()
    assert ended.output == {"child": "ok"}
    for first in range(1, calm.places[-1] + 1):
        for second in ((), (2,), (4,)):
            outside = family(PARENT, deaths=(first, *second))
            assert outside.live() == ended, first
            assert outside.happened == calm.happened
            assert len(asyncio.run(outside.children())) == 1


def test_a_child_that_is_under_way_is_found_even_when_its_name_means_another_workflow_by_then():
    changing = Changing(family(PARENT).case, deaths=(9,))
    assert changing.live().output == {"child": "ok"}
    assert changing.fuse.lives == 2


def test_a_child_knows_its_parent_its_depth_and_what_the_stack_says():
    outside = family(PARENT)
    outside.live()
    (child,) = asyncio.run(outside.children()).values()
    assert child.parent == RUN
    created = asyncio.run(MemoryStore(outside.disk).read(child.id))[0]
    assert isinstance(created, Created)
    assert (created.depth, created.input, created.metadata) == (1, {"n": 1}, {"stack": "family"})


def test_a_child_that_is_not_waited_for_goes_on_by_itself():
    outside = family(LATER)
    assert outside.live().output is None
    (child,) = asyncio.run(outside.children()).values()
    assert child.phase == "completed"


def test_a_retry_begins_a_new_child():
    failing = [Broken(Fault(COMMUNICATION, 503)), Done("second")]
    outside = family(PATIENT, Rule(answers=(lambda order: failing.pop(0),)))
    assert outside.live().output == {"child": "second"}
    assert [each.phase for each in asyncio.run(outside.children()).values()] == ["completed", "faulted"]


def test_a_child_that_takes_too_long_is_cancelled_before_the_next_one_begins():
    seconds = [100.0, 5.0]
    outside = family(PATIENT, Rule(answers=(Done("soon"),), seconds=lambda order: seconds.pop(0)))
    assert outside.live().output == {"child": "soon"}
    older, newer = sorted(asyncio.run(outside.children()).values(), key=lambda each: each.created_at)
    assert (older.phase, newer.phase) == ("cancelled", "completed")
    assert older.ended_at <= newer.created_at


@pytest.mark.parametrize("rounds", range(0, 60, 3))
def test_a_parent_that_is_cancelled_at_any_time_takes_its_child_with_it(rounds):
    outside = family(PARENT)

    async def body():
        engine = outside.engine()
        await engine.open()
        await engine.start(Start(RUN, PARENT))
        for _ in range(rounds):
            await asyncio.sleep(0)
        await engine.tell(RUN, CancelRequested(0.0))
        ended = await asyncio.wait_for(engine.wait(RUN), 60)
        for _ in range(100):
            await asyncio.sleep(0)
        await engine.close()
        return ended

    assert asyncio.run(body()).phase == "cancelled"
    assert {each.phase for each in asyncio.run(outside.children()).values()} <= {"cancelled"}


def test_workflows_that_begin_each_other_are_stopped_at_a_depth(monkeypatch):
    monkeypatch.setattr(limits, "RUN_DEPTH", 5)
    outside = family(ITSELF)
    ended = outside.live()
    assert (ended.phase, ended.fault.title) == ("faulted", "Limit Reached")
    assert len(asyncio.run(outside.children())) == 5


def test_a_workflow_that_nobody_knows_is_a_fault_of_the_task():
    ended = family(UNKNOWN).live()
    assert (ended.fault.status, ended.fault.instance) == (404, "/do/0/sub")
    assert "tests/nobody:2.0.0" in ended.fault.detail


@pytest.mark.slow
@pytest.mark.parametrize("second", range(1, 9))
def test_a_parent_that_was_cancelled_over_a_crash_leaves_no_child(second):
    for first in range(1, 14):
        outside = family(PARENT, deaths=(first, second))
        people = ((5.0, lambda at, held: CancelRequested(at)),)
        outside.case = Case(PARENT, outside.case.rules, people=people)
        assert outside.live().phase in {"cancelled", "completed"}
        outside.parts = type(outside.parts)()
        assert {each.phase for each in asyncio.run(outside.children()).values()} <= {"cancelled", "completed"}
