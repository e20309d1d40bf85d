"""A move between types, an import and the way back, killed inside: nothing forgotten, nothing twice."""

import pytest

from providers.crashes.places import Raising
from providers.crashes.scenes import CHANGES, IMPORT, MOVE, ROLLBACK
from system.rig.shop import Differs

pytestmark = pytest.mark.slow
# Where the engine dies in each: between what is done and the record of it.
INSIDE = {
    "move": "before ResourceChanged",
    "import": "after resource /changes/f2/create",
    "rollback": "after resource /changes/f2/",
}
CALLS = {
    "move": "MoveResourceState 2 after",
    "import": "ImportResourceState 3 after",
    "rollback": "ApplyResourceChange 2 after",
}


def death_at(raising, name):
    """Return the first death at a place whose names have this in them."""
    places = raising.engine_places()
    return next(death for death, names in places.items() if any(name in each for each in names))


@pytest.mark.parametrize("scene", CHANGES, ids=lambda scene: scene.name)
def test_a_change_of_what_stands_that_is_killed_inside_is_brought_to_its_end(forge, tmp_path, scene):
    raising = Raising(forge, tmp_path, scene)
    raising.engine_round(death_at(raising, INSIDE[scene.name]))
    raising.provider_round(CALLS[scene.name])


@pytest.mark.parametrize("scene", [MOVE, IMPORT], ids=lambda scene: scene.name)
def test_a_row_that_is_stored_after_its_result_is_found_out(forge, tmp_path, scene):
    """The negative control: what became of the last step dies with the engine."""
    raising = Raising(forge, tmp_path, scene)
    death = death_at(raising, "after Ended")
    with pytest.raises(Differs):
        raising.engine_round(death, plant="rows late")


def test_a_way_back_that_asks_nobody_is_found_out(forge, tmp_path):
    raising = Raising(forge, tmp_path, ROLLBACK)
    death = death_at(raising, INSIDE["rollback"])
    with pytest.raises(Differs, match="creations"):
        raising.engine_round(death, plant="asks nobody")
