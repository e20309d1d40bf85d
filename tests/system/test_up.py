"""`up` of the shop, killed at every place: around each append, around and amid each effect."""

from zlib import crc32

import pytest

from system.rig.storm import Raising, pairs

pytestmark = pytest.mark.slow


@pytest.fixture
def raising(forge, tmp_path, tally):
    return Raising(forge, tmp_path, tally)


@pytest.mark.parametrize("share", range(3))
def test_up_killed_once_at_every_place_ends_as_the_calm_one(raising, share):
    # By name, not by number: in which order three services come up differs from run to run.
    ours = [death for death in raising.learn() if crc32(death.name.encode()) % 3 == share]
    missed = [death for death in ours if not raising.round(death)]
    assert not missed


def test_up_killed_twice_in_a_row_ends_as_the_calm_one(raising):
    for deaths in pairs(raising.learn(), 3):
        raising.round(*deaths)
