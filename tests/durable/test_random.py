"""Random workflows give on the engine what they give on plain asyncio, also when the process dies."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dirigent.testing import Fuse, VirtualClock
from durable import flows
from durable.rig import World

words = st.sampled_from("abcdef")
# No two lengths of time add up to a third: the order of what happens is then no matter of chance.
seconds = st.sampled_from([1, 20, 300, 4_000])
acts = st.tuples(st.just("act"), words) | st.tuples(st.just("refuse"), words)
leaves = acts | st.tuples(st.just("sleep"), seconds)


def composed(inner):
    some = st.lists(inner, max_size=3)
    return (
        some.map(lambda parts: ("one", *parts))
        | some.map(lambda parts: ("all", *parts))
        | st.tuples(st.just("try"), inner, inner)
        | st.tuples(st.just("finally"), inner, inner)
    )


trees = st.recursive(leaves, composed, max_leaves=10)
seldom = {"deadline": None, "suppress_health_check": list(HealthCheck)}


async def together(*branches):
    """Plain asyncio's way: the first failure stops the others, and is raised when they have ended."""
    tasks = [asyncio.ensure_future(branch) for branch in branches]
    if not tasks:
        return []
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        failed = [task for task in tasks if task in done and task.exception()]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    if failed:
        raise failed[0].exception()
    return [task.result() for task in tasks]


def oracle(tree):
    """What plain asyncio gives, with time that flies: the leaves, or that it failed."""
    clock = VirtualClock(0.0)

    async def act(word):
        await asyncio.sleep(0)
        return word

    async def refuse(word):
        await asyncio.sleep(0)
        raise ValueError(word)

    async def sleep(length):
        await clock.sleep_until(clock.now() + length)

    async def run():
        return await flows.play_tree(tree, act, refuse, sleep, together)

    try:
        return asyncio.run(asyncio.wait_for(run(), 60)), clock.now()
    except ValueError:
        return "failed", clock.now()


def lived(tree, *deaths):
    flows.DONE.clear()
    world = World(fuse=Fuse(*deaths))
    ended = world.run(flows.any_tree, tree)
    return ended.output if ended.phase == "completed" else "failed", world


@pytest.mark.slow
@settings(max_examples=40, **seldom)
@given(trees)
def test_a_random_workflow_gives_what_plain_asyncio_gives(tree):
    wanted, until = oracle(tree)
    found, world = lived(tree)
    assert found == wanted
    # Where something fails, it may be a tie whether its neighbour has begun to clean up already.
    assert world.clock.now() == until or "refuse" in repr(tree)


@pytest.mark.slow
@settings(max_examples=8, **seldom)
@given(trees, st.integers(1, 4))
def test_deaths_anywhere_in_a_random_workflow_change_nothing(tree, second):
    found, calm = lived(tree)
    facts = [repr(fact) for fact in calm.journal]
    for place in range(1, len(calm.fuse.places) + 1):
        again, world = lived(tree, place, second)
        assert again == found, place
        # Where something fails, its neighbour may have ended already, or is abandoned.
        assert sorted(map(repr, world.journal)) == sorted(facts) or "refuse" in repr(tree), place
