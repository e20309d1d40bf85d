"""The laws of workflows of code, each with an engine that breaks it on purpose and is found out."""

import asyncio
import gc
import warnings

import pytest

from dirigent.core import replay
from dirigent.core.frame import CodeState, GatherState
from dirigent.core.nodes import code
from dirigent.durable import DirigentError, play
from dirigent.model.problem import Refusal
from dirigent.model.run.code import Site
from dirigent.model.run.journal import CancelRequested
from dirigent.model.run.start import Start
from dirigent.testing import Fuse
from durable import flows
from durable.rig import RUN, World
from durable.test_divergence import becomes, begun, reached, taken_up
from durable.test_workflows import lived
from engine.harness import rounds


@pytest.fixture(autouse=True)
def fresh():
    flows.DONE.clear()
    flows.HELD.clear()
    flows.GO.clear()


def undone():
    """What happens, in order, when a workflow is cancelled while a thread of it cannot be stopped."""
    world = World()

    async def live():
        engine = world.engine()
        await engine.open()
        await engine.start(Start(RUN, flows.undoing.program, {}))
        await asyncio.to_thread(flows.HELD.wait, 60)
        await engine.tell(RUN, CancelRequested(0.0))
        for _ in range(50):
            await asyncio.sleep(0)
        flows.GO.set()
        try:
            return await engine.wait(RUN)
        finally:
            await engine.close()

    assert asyncio.run(asyncio.wait_for(live(), 60)).phase == "cancelled"
    return list(flows.DONE)


def test_an_undo_waits_until_what_it_undoes_has_ended():
    assert undone() == ["held ended", "undo"]


def test_an_undo_that_does_not_wait_is_found_out(monkeypatch):
    def hasty(run, frame, state):
        state.told = True
        code._ready(run)
        code._take(run, frame, state, state.play.stop())

    monkeypatch.setattr(code, "_halt", hasty)
    assert undone() == ["undo", "held ended"]


def cleaned():
    world = World()
    assert world.run(flows.cleaning, said=((5.0, CancelRequested),)).phase == "cancelled"
    return list(flows.DONE)


def test_what_cleans_up_is_not_stopped_again(monkeypatch):
    assert cleaned() == ["clean a", "clean b"]
    flows.DONE.clear()

    def ruthless(run, top):
        found = [top]
        for frame in found:
            if isinstance(frame.state, CodeState | GatherState):
                if isinstance(frame.state, CodeState):
                    frame.state.stopping = True
                found.extend(frame.children.values())
            elif frame.alive:
                run.fail(frame, code.STOPPED)

    monkeypatch.setattr(code, "stop", ruthless)
    assert cleaned() == ["clean a"]


def test_a_replay_that_does_not_compare_requests_is_found_out(monkeypatch):
    world = begun()
    becomes(world, flows.with_another_argument)
    assert isinstance(taken_up(world), Refusal)
    monkeypatch.setattr(replay, "same", lambda recorded, asked: True)
    assert taken_up(world).output == "second"


def test_patches_that_do_not_know_where_the_journal_ends_are_found_out(monkeypatch):
    monkeypatch.setattr(Site, "patched", lambda site, name: True)
    world = begun()
    becomes(world, flows.patched_text)
    assert isinstance(taken_up(world), Refusal)


def test_positions_that_are_counted_over_all_scopes_are_found_out(monkeypatch):
    calm = [fact.position for fact in lived("fan").journal if hasattr(fact, "position")]
    assert "/gather[2]/double~2" in calm
    counted = {}
    monkeypatch.setattr(code, "enter", global_names(counted, code.enter))
    # A run that comes back into memory is counted on from where the last one stopped.
    with pytest.raises(Refusal, match="E4030"):
        lived("fan")


def global_names(counted, sound):
    def enter(run, parent, request, slot, mark):
        counted[request.name] = counted.get(request.name, 0) + 1
        sound(run, parent, request, slot, f"/{request.name}~{counted[request.name]}")

    return enter


def test_a_coroutine_that_is_closed_without_knowing_so_is_found_out(monkeypatch):
    # Leaving memory closes it; what its `finally` awaits then must come to nothing.
    world = World()

    async def live():
        engine = world.engine()
        await engine.open()
        await engine.start(Start(RUN, flows.cancelled.program, {}))
        await reached(engine, 7)
        await rounds()
        parked = len(engine._memory) == 0
        await engine.close()
        return parked

    complaints = []
    monkeypatch.setattr(play, "_close", lambda body, site: complaints.append(closing(body)))
    assert asyncio.run(asyncio.wait_for(live(), 60))
    gc.collect()
    assert "NotInWorkflow" in complaints


@pytest.mark.parametrize("place", range(1, 8))
def test_a_coroutine_that_is_taken_down_leaves_none_that_was_never_awaited(place):
    # What its `finally` would gather then was made already.
    tree = ("finally", ("sleep", 20), ("all", ("act", "a"), ("all", ("act", "b"), ("sleep", 1))))
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        flows.DONE.clear()
        World(fuse=Fuse(place)).run(flows.any_tree, tree)
        gc.collect()
    assert complaints == []


def closing(body):
    """How a coroutine takes it that it is closed as Python does it."""
    try:
        body.close()
    except DirigentError as failure:
        return type(failure).__name__
    return ""


def test_fuses_are_counted():
    # The control of the controls: a fuse that never burns changes nothing.
    assert lived("chain", (10_000,)).ended == lived("chain").ended
    assert Fuse().lives == 1
