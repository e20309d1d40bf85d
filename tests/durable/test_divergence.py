"""When the text of a workflow changes under its runs: divergence is told, patches are taken."""

import asyncio

import pytest

from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Patched
from dirigent.model.run.start import Start
from dirigent.testing import MemoryStore
from durable import flows
from durable.rig import RUN, World
from engine.harness import rounds

FORMER = flows.first_text
NOTE = "durable.flows:note"


@pytest.fixture(autouse=True)
def fresh():
    flows.DONE.clear()


def begun(workflow=FORMER):
    """A world in which a run of the former text has come to its sleep, and its engine has ended."""
    world = World()

    async def live():
        engine = world.engine()
        await engine.open()
        await engine.start(Start(RUN, workflow.program, workflow.given()))
        await reached(engine, 4)
        await engine.close()

    asyncio.run(asyncio.wait_for(live(), 60))
    return world


async def reached(engine, facts):
    """Return when the journal has so many facts; virtual time stands still meanwhile."""
    while len(found := await engine.journal.read(RUN)) < facts:
        await rounds(1)
    assert len(found) == facts


def becomes(world, text, former=FORMER):
    """From now on the former workflow has another text."""
    world.authors._found[former.reference] = text


def taken_up(world, former=FORMER):
    """What a new engine makes of the run: how it ended, or why it was left out."""

    async def live():
        engine = world.engine()
        await engine.open()
        try:
            return await engine.wait(RUN)
        except Refusal as refusal:
            return refusal
        finally:
            await engine.close()

    return asyncio.run(asyncio.wait_for(live(), 60))


@pytest.mark.parametrize(
    ("text", "held", "asked"),
    [
        (flows.with_a_step_more, "a sleep at `/sleep`", f'asks for the step `{NOTE}("fraud")` at `/note~2`'),
        (flows.with_a_step_less, f'the step `{NOTE}("a")` at `/note`', "asks for a sleep at `/sleep`"),
        (flows.with_another_argument, f'the step `{NOTE}("a")`', f'the step `{NOTE}("A")`'),
        (flows.that_ends_early, f'the step `{NOTE}("a")`', "asks for nothing more"),
    ],
)  # fmt: skip
def test_a_divergence_names_both_sides_and_leaves_the_run_as_it_is(text, held, asked):
    world = begun()
    before = world.journal
    becomes(world, text)
    refusal = taken_up(world)
    (problem,) = refusal.problems
    assert problem.code == "E4030"
    assert held in problem.message
    assert asked in problem.message
    assert "flows.py:" in problem.message or text is flows.that_ends_early
    assert world.journal == before
    # The former text goes on as if nothing had been.
    becomes(world, FORMER)
    assert taken_up(world).output == "first"
    assert flows.DONE == ["a", "b"]


def test_the_same_text_is_no_divergence():
    # The control: what is found above is the change, not the taking up.
    assert taken_up(begun()).output == "first"


def test_a_run_that_went_past_a_patch_goes_the_former_way():
    world = begun()
    becomes(world, flows.patched_text)
    ended = taken_up(world)
    # It had not come to the second change yet, so it takes that one, and is over with it.
    assert ended.output == "patched"
    assert flows.DONE == ["a"]
    assert [fact.name for fact in world.journal if isinstance(fact, Patched)] == []


def test_a_run_that_begins_after_a_patch_records_it_and_keeps_to_it():
    world = begun_patched()
    assert [fact.name for fact in world.journal if isinstance(fact, Patched)] == ["fraud"]
    assert taken_up(world, flows.patched_text).output == "patched"
    assert flows.DONE == ["a", "fraud"]


def begun_patched():
    world = World()

    async def live():
        engine = world.engine()
        await engine.open()
        await engine.start(Start(RUN, flows.patched_text.program, {}))
        await reached(engine, 7)
        await engine.close()

    asyncio.run(asyncio.wait_for(live(), 60))
    return world


def test_a_patch_can_leave_the_text_when_no_run_needs_its_former_way():
    world = begun_patched()
    becomes(world, flows.patched_for_good, flows.patched_text)
    assert taken_up(world).output == "patched"


def test_the_same_id_is_the_same_run_also_when_the_text_has_changed():
    world = begun()
    changed = flows.patched_text.program
    former = FORMER.program

    async def live():
        engine = world.engine()
        await engine.open()
        node = type(former.root.node)(former.root.node.module, former.root.node.name, "another digest")
        again = type(former)(former.name, former.namespace, "2", type(former.root)(former.name, "", node))
        try:
            assert await engine.start(Start(RUN, again, {})) == RUN
            with pytest.raises(Refusal, match="E4002"):
                await engine.start(Start(RUN, changed, {}))
        finally:
            await engine.close()

    asyncio.run(asyncio.wait_for(live(), 60))


def test_a_run_whose_workflow_is_gone_waits_for_a_process_that_has_it():
    world = begun()
    before = world.journal
    becomes(world, None)
    world.authors._found[FORMER.reference] = None
    world.authors.folders = ()
    flows_text, flows.first_text = flows.first_text, None
    try:
        refusal = taken_up(world)
    finally:
        flows.first_text = flows_text
    assert refusal.problems[0].code == "E4031"
    assert world.journal == before


def test_a_timer_of_a_run_that_diverges_does_not_bring_the_others_down():
    world = World()

    async def live():
        engine = world.engine()
        await engine.open()
        await engine.start(Start(RUN, FORMER.program, {}))
        await reached(engine, 4)
        await rounds()
        assert not len(engine._memory)
        becomes(world, flows.with_a_step_more)
        waiting = asyncio.ensure_future(engine.wait(RUN))
        await engine.start(Start("other", flows.chain.program, {"x": 1}, {"doubt": "repeat"}))
        try:
            assert (await engine.wait("other")).output == 24
            with pytest.raises(Refusal, match="E4030"):
                await waiting
            assert RUN in engine.left_out
        finally:
            await engine.close()

    asyncio.run(asyncio.wait_for(live(), 60))


def test_the_journal_of_a_run_that_was_left_out_can_still_be_read():
    world = begun()
    becomes(world, flows.that_ends_early)
    assert isinstance(taken_up(world), Refusal)
    assert len(asyncio.run(MemoryStore(world.disk).read(RUN))) == 4
