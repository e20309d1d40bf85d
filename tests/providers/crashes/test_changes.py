"""A move between types, an import and the way back, killed inside: nothing forgotten, nothing twice."""

from functools import cache

import pytest

from providers.crashes.places import Raising
from providers.crashes.scenes import CHANGES, IMPORT, MOVE, ROLLBACK
from system.rig.fuse import Death
from system.rig.shop import Differs

pytestmark = pytest.mark.slow
MOVED = Death("after ResourceChanged f0")
# Where the engine dies in each, by name: which number a place has depends on which step comes first.
INSIDE = {
    "move": Death("before ResourceChanged p0"),
    "import": Death("after resource /changes/f2/create 1"),
    "rollback": Death("after resource /changes/f2/create 1"),
}


@pytest.fixture(scope="module")
def stage(forge, tmp_path_factory):
    """Return a scene, prepared once for all deaths in it."""
    return cache(lambda scene: Raising(forge, tmp_path_factory.mktemp(scene.name), scene))


@pytest.mark.parametrize("scene", CHANGES, ids=lambda scene: scene.name)
def test_a_change_of_what_stands_that_is_killed_inside_is_brought_to_its_end(stage, scene):
    assert stage(scene).engine_round(INSIDE[scene.name])


def test_a_provider_that_dies_while_it_takes_over_takes_over_once(stage):
    stage(MOVE).provider_round("MoveResourceState 2 after")


def test_a_move_that_is_stored_in_two_parts_is_found_out(stage):
    """The negative control: the engine dies between them, and the rows are forgotten."""
    with pytest.raises(Differs, match="creations"):
        stage(MOVE).engine_round(MOVED, plant="rows late")


@pytest.mark.parametrize("scene", [IMPORT, ROLLBACK], ids=lambda scene: scene.name)
def test_an_engine_that_goes_on_and_asks_nobody_is_found_out(stage, scene):
    with pytest.raises(Differs, match="creations"):
        stage(scene).engine_round(INSIDE[scene.name], later="asks nobody")
