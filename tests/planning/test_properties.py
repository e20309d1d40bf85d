"""What holds for every stack and every change of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.model.plan import Action, Selection
from planning.world import CREATE_FIRST, World, actions, refer, resource, stack

NAMES = ["ant", "bee", "cat", "dog", "elk", "fox"]

CALM = settings(derandomize=True, deadline=None, max_examples=150)


@st.composite
def stacks(draw):
    """Some resources, each needing some that come before it in an order of their own."""
    order = draw(st.permutations(NAMES))[: draw(st.integers(0, len(NAMES)))]
    resources = {}
    for index, name in enumerate(order):
        below = order[:index]
        needs = draw(st.lists(st.sampled_from(below), max_size=2, unique=True)) if below else []
        seen = draw(st.lists(st.sampled_from(below), max_size=2, unique=True)) if below else []
        config = {f"sees_{other}": refer(f"$resources.{other}") for other in seen}
        shape = draw(st.sampled_from(["one", "one", "count", "each"]))
        resources[name] = resource(
            name,
            needs=needs,
            kind=draw(st.sampled_from(["box", "box", "box", "jar"])),
            count=draw(st.integers(0, 2)) if shape == "count" else None,
            each=draw(st.sampled_from([[], ["eu"], ["eu", "us"]])) if shape == "each" else None,
            lifecycle=draw(st.sampled_from([None, CREATE_FIRST])),
            size=draw(st.integers(0, 1)),
            force=draw(st.integers(0, 1)),
            **config,
        )
    return stack(*(resources[name] for name in NAMES if name in resources))


@pytest.mark.slow
@CALM
@given(stacks(), stacks(), st.randoms(use_true_random=False))
def test_a_plan_of_what_was_applied_is_empty(first, second, chance):
    world = World()
    for declared in (first, second, first):
        made = world.up(declared, choose=chance.choice)
        again = world.plan(declared)
        assert again.pending == (), actions(made)
        assert set(world.rows) == {str(change.address) for change in again.changes}


@pytest.mark.slow
@CALM
@given(stacks(), stacks(), st.randoms(use_true_random=False))
def test_going_down_reverses_every_need_and_leaves_nothing(first, second, chance):
    world = World()
    world.up(first, choose=chance.choice)
    world.up(second, choose=chance.choice)
    needs = {str(row.address): row.needs for row in world.rows.values()}
    world.log.clear()
    world.down(choose=chance.choice)
    gone = [name.removeprefix("delete ") for name in world.log]
    place = {address: index for index, address in enumerate(gone)}
    assert not world.rows
    assert all(place[address] < place[need] for address, below in needs.items() for need in below)


@pytest.mark.slow
@CALM
@given(stacks(), stacks())
def test_changes_are_listed_in_an_order_in_which_they_may_start(first, second):
    world = World()
    world.up(first)
    made = world.plan(second)
    place = {str(change.address): index for index, change in enumerate(made.changes)}
    makes = {Action.CREATE, Action.UPDATE, Action.REPLACE}
    for change in made.changes:
        for need in change.needs:
            other = made.changes[place[need]]
            if change.action in makes and other.action in makes:
                assert place[need] < place[str(change.address)]


@pytest.mark.slow
@CALM
@given(stacks(), stacks())
def test_the_order_of_the_rows_changes_nothing(first, second):
    world = World()
    world.up(first)
    backwards = World(reversed(world.rows.values()))
    assert world.plan(second) == backwards.plan(second)


SCRIPT = """
import sys
sys.path[:0] = ["src", "tests"]
from planning.world import World, CREATE_FIRST, refer, resource, stack
from dirigent.planning.compile import compile_plan
names = [f"n{i}" for i in range(12)]
def declared(force):
    return stack(*(
        resource(name, force=force, each=["eu", "us"] if i % 3 == 0 else None,
                 lifecycle=CREATE_FIRST if i % 4 == 0 else None,
                 **{f"sees_{o}": refer(f"$resources.{o}") for o in names[max(0, i - 3):i]})
        for i, name in reversed(list(enumerate(names)))))
world = World()
world.up(declared(0))
made = world.plan(declared(1))
print(made)
print(compile_plan(made))
"""


@pytest.mark.slow
def test_a_plan_is_the_same_under_every_hash_seed():
    printed = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(printed) == 1
    assert "replace" in printed.pop()


@pytest.mark.slow
def test_a_long_chain_is_no_deeper_than_a_list():
    names = [f"n{index}" for index in range(2_000)]
    links = [resource(name, needs=[names[index - 1]] if index else []) for index, name in enumerate(names)]
    made = World().plan(stack(*links[1::2], *reversed(links[0::2])))
    assert [str(change.address) for change in made.changes] == names


@pytest.mark.slow
@settings(derandomize=True, deadline=None, max_examples=80)
@given(stacks(), stacks(), st.lists(st.sampled_from(NAMES), max_size=2), st.booleans())
def test_a_part_may_come_first_and_the_whole_after_it(first, second, words, only):
    world = World()
    world.up(first)
    known = {*second.resources, *(row.name for row in world.rows.values())}
    chosen = tuple(word for word in words if word in known)
    made = world.plan(second, selection=Selection(chosen, ()) if only else Selection((), chosen))
    assert not {change.address for change in made.changes} & set(made.left_out)
    world.apply(made)
    world.up(second)
    assert world.plan(second).pending == ()
