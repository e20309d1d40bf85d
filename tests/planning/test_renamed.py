"""The entries of `moved` in a module's own file hold in each of its instances."""

from dataclasses import replace

import pytest

from dirigent.model.problem import Refusal
from dirigent.model.stack import Module, Move
from planning.test_modules import inside, part, using
from planning.world import World, actions, resource

FORMER = Module(inside(resource("db", size=1), resource("web", needs=["db"])))
NOW = Module(
    replace(inside(resource("store", size=1), resource("web", needs=["store"])), moved=(Move("db", "store"),))
)


@pytest.mark.parametrize("repeated", [{}, {"each": ["eu", "us"]}])
def test_what_moves_in_a_module_moves_in_each_instance(repeated):
    world = World()
    world.up(using(part("net", **repeated), net=FORMER))
    made = world.up(using(part("net", **repeated), net=NOW))
    assert set(actions(made).values()) == {"keep"}
    where = ['net["eu"]', 'net["us"]'] if repeated else ["net"]
    assert sorted(world.rows) == sorted(f"{each}/{name}" for each in where for name in ("store", "web"))
    assert not world.plan(using(part("net", **repeated), net=NOW)).pending


def test_a_module_that_moves_itself_takes_its_own_entries_along():
    world = World()
    world.up(using(part("net"), net=FORMER))
    after = replace(using(part("west"), west=NOW), moved=(Move("net", "west"),))
    made = world.up(after)
    assert set(actions(made).values()) == {"keep"}
    assert sorted(world.rows) == ["west/store", "west/web"]


def test_modules_within_each_other_each_have_their_own():
    def outer(module):
        return Module(inside(part("low"), modules={"low": module}), depth=1)

    world = World()
    world.up(using(part("net"), net=outer(FORMER)))
    world.up(using(part("net"), net=outer(NOW)))
    assert sorted(world.rows) == ["net/low/store", "net/low/web"]


def test_nothing_can_move_away_from_what_the_module_declares():
    stale = Module(replace(FORMER.stack, moved=(Move("db", "store"),)))
    world = World()
    world.up(using(part("net"), net=FORMER))
    with pytest.raises(Refusal) as refused:
        world.plan(using(part("net"), net=stale))
    assert refused.value.problems[0].code == "E2018"
