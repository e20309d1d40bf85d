"""Steps: doubt, time-outs, values that cannot be stored, and what does not belong into a workflow."""

import asyncio

import pytest

from dirigent.durable import NotInWorkflow, now, sleep, step, workflow
from dirigent.model.ids import Position, effect_id
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Failed, Held, Signalled
from dirigent.model.run.start import Start
from dirigent.testing import Fuse
from durable import flows
from durable.rig import RUN, World


@pytest.fixture(autouse=True)
def fresh():
    flows.DONE.clear()


def held(workflow, *args, doubt):
    """How often the run is held, over deaths at every place of it."""
    calm = World(doubt="hold")
    calm.run(workflow, *args)
    found = 0
    for place in range(1, len(calm.fuse.places) + 1):
        flows.DONE.clear()
        world = World(fuse=Fuse(place), doubt=doubt)
        try:
            world.run(workflow, *args, seconds=0.5)
        except TimeoutError:
            found += any(isinstance(fact, Held) for fact in world.journal)
            assert flows.DONE.count(("charge", 1)) <= 1
    return found


@pytest.mark.slow
def test_a_step_that_may_have_happened_is_held_and_not_repeated():
    # After the intent is durable, before and after the call, and before its result is durable.
    assert held(flows.charging, 1, doubt="hold") == 4


@pytest.mark.slow
def test_an_idempotent_step_is_repeated():
    assert held(flows.noting, doubt="hold") == 0


def test_a_step_knows_its_identity():
    assert World().run(flows.charging, 1).output == effect_id(RUN, Position("/charge"))


def test_time_outs_stop_a_step_and_a_workflow_in_order():
    world = World()
    ended = world.run(flows.too_slow)
    assert ended.phase == "faulted"
    assert ended.fault.title == "Timeout"
    assert world.clock.now() == 20
    assert flows.DONE == ["late: the task did not end within its time-out", "cleaned"]


def test_what_is_not_durable_is_named_with_its_place():
    fault = World().run(flows.foreign).fault
    assert fault.title == "NotDurable"
    assert "`sleep` of `tasks.py`" in fault.detail
    assert "flows.py:" in fault.detail


def test_an_argument_that_cannot_be_stored_is_named():
    fault = World().run(flows.unstorable).fault
    assert fault.title == "NotStorable"
    assert "an argument of `double` is a `object`" in fault.detail


def test_a_failure_in_a_gather_stops_the_others_and_the_workflow_may_go_on():
    assert World().run(flows.loose).output == ["ValueError"] * 3


def test_an_exception_of_the_author_passes_through_a_gather_as_it_is():
    world = World()
    assert world.run(flows.own_failure).output == 7
    assert world.clock.now() == 0


def test_an_input_that_does_not_fit_is_a_fault():
    world = World()
    ended = asyncio.run(world.life(flows.chain.program, {"x": "one"}))
    assert ended.fault.title == "Validation Error"
    assert "`x` of `chain`" in ended.fault.detail


def test_a_step_that_this_process_does_not_have_fails_with_its_name(monkeypatch):
    monkeypatch.setattr(flows.double, "module", "durable.nowhere")
    fault = World().run(flows.chain, 1).fault
    assert fault.title == "Refused"
    assert "E4032" in fault.detail
    assert "durable.nowhere" in fault.detail


def test_outside_of_a_workflow_everything_says_so():
    with pytest.raises(NotInWorkflow, match="`double` belongs into a workflow"):
        asyncio.run(awaiting(flows.double(1)))
    with pytest.raises(NotInWorkflow, match="a sleep"):
        asyncio.run(awaiting(sleep(1)))
    with pytest.raises(NotInWorkflow, match=r"`now\(\)`"):
        now()


async def awaiting(thing):
    return await thing


def test_functions_that_no_later_process_could_find_are_refused():
    async def inner() -> None:
        pass

    for decorator in (step, workflow):
        with pytest.raises(ValueError, match="put it at the top"):
            decorator(inner)
    with pytest.raises(TypeError, match="a workflow is an `async def`"):
        workflow(len)


def test_a_quick_step_runs_on_the_spot_and_fails_like_any_other():
    world = World()
    assert world.run(flows.in_a_hurry, 3).output == [6, "ZeroDivisionError"]
    with pytest.raises(ValueError, match="only a plain function without a queue"):
        step(quick=True)(flows.double.function)


def told(*words, workflow=flows.listening):
    world = World()

    async def live():
        engine = world.engine()
        await engine.open()
        try:
            await engine.start(Start(RUN, workflow.program, {}))
            for word in words:
                await engine.tell(RUN, word)
            return await engine.wait(RUN)
        finally:
            await engine.close()

    return asyncio.run(asyncio.wait_for(live(), 60))


def test_an_event_with_the_same_id_is_taken_once():
    first, second = Signalled(0.0, "number", "a", 1), Signalled(0.0, "number", "b", 2)
    assert told(first, first, second).output == [1, 2]


def test_events_that_come_before_they_are_waited_for_are_kept_in_order():
    words = [Signalled(0.0, "other", "x", 9), *(Signalled(0.0, "number", str(n), n) for n in (1, 2))]
    assert told(*words).output == [1, 2]


def test_an_event_in_the_middle_of_nothing_is_refused():
    world = World()
    with pytest.raises(Refusal, match="E4003"):
        told(
            Signalled(0.0, "number", "a", 1),
            Signalled(0.0, "number", "b", 2),
            Signalled(0.0, "number", "c", 3),
        )
    assert world.clock.now() == 0


def test_every_failed_attempt_is_in_the_journal():
    world = World()
    world.run(flows.persistent, 3)
    reasons = [fact.fault.title for fact in world.journal if isinstance(fact, Failed)]
    assert reasons == ["ConnectionError", "ConnectionError"]
