"""`lifecycle.replace-when`: made anew when what is watched changes, and at no other time."""

from __future__ import annotations

import pytest

from dirigent.model.resource import Lifecycle
from planning.world import World, actions, refer, resource, stack


def watching(*texts, **config):
    return resource("web", lifecycle=Lifecycle(replace_when=tuple(map(refer, texts))), **config)


def change_of(made, address):
    return next(change for change in made.changes if change.address == address)


def image(**config):
    return resource("image", **config)


def test_what_is_watched_makes_the_order_and_is_kept_with_the_row():
    world = World()
    made = world.up(stack(watching("$resources.image.id"), image()))
    assert change_of(made, "web").needs == ("image",)
    assert world.rows["web"].triggers == {"$resources.image.id": "id-1"}
    assert world.plan(stack(watching("$resources.image.id"), image())).pending == ()


def test_a_value_that_is_not_known_yet_makes_it_anew():
    world = World()
    world.up(stack(watching("$resources.image.id"), image(force=1)))
    made = world.up(stack(watching("$resources.image.id"), image(force=2)))
    assert actions(made) == {"image": "replace", "web": "replace"}
    (found,) = change_of(made, "web").differences
    assert (found.path, found.before, found.forces_replacement) == (
        "replace-when $resources.image.id",
        "id-1",
        True,
    )
    assert world.rows["web"].triggers == {"$resources.image.id": world.rows["image"].attributes["id"]}
    assert world.plan(stack(watching("$resources.image.id"), image(force=2))).pending == ()


def test_a_value_that_stays_leaves_it_alone():
    world = World()
    world.up(stack(watching("$resources.image.id"), image(size=1)))
    made = world.plan(stack(watching("$resources.image.id"), image(size=2)))
    assert actions(made) == {"image": "update", "web": "keep"}


def test_an_input_is_watched_too():
    world = World()
    world.up(stack(watching("$inputs.turn")), {"turn": 1})
    made = world.plan(stack(watching("$inputs.turn")), {"turn": 2})
    assert change_of(made, "web").because == "`replace-when $inputs.turn` forces replacement"


@pytest.mark.parametrize("before", [(), ("$inputs.other",)])
def test_what_is_watched_from_now_on_is_only_taken_down(before):
    world = World()
    inputs = {"turn": 1, "other": 2}
    world.up(stack(watching(*before)), inputs)
    made = world.up(stack(watching("$inputs.turn")), inputs)
    assert actions(made) == {"web": "update"}
    assert [found.path for found in change_of(made, "web").differences] == ["lifecycle.replace-when"]
    assert (world.made, world.rows["web"].triggers) == (1, {"$inputs.turn": 1})
    assert world.plan(stack(watching("$inputs.turn")), inputs).pending == ()


def test_an_update_keeps_what_is_watched():
    world = World()
    world.up(stack(watching("$inputs.turn", size=1)), {"turn": 1})
    world.up(stack(watching("$inputs.turn", size=2)), {"turn": 1})
    assert world.rows["web"].triggers == {"$inputs.turn": 1}
