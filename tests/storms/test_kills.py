"""Engines are killed one after the other under a crowd of runs: nothing is lost, nothing happens twice."""

import os

import pytest

from storms.rig.kills import Astray, Power, Twice, storm
from storms.rig.ledger import Lost

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("DIRIGENT_STORM_KILLS", "60"))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_storm_of_kills_loses_nothing_and_does_nothing_twice(tmp_path, seed):
    found = storm(tmp_path, Power(KILLS, runs=5 * KILLS), seed)
    print(found.figures())
    assert found.kills >= KILLS
    assert found.within > KILLS // 5
    assert found.from_outside > KILLS // 5
    # The storm had its power: runs were under way, effects were in doubt, and keys had to hold.
    assert found.runs >= 5 * KILLS
    assert max(found.open_at_kills) > 100
    assert found.effects == {1: found.effects.total()}
    assert found.held > 0


@pytest.mark.parametrize(
    ("plant", "wrong"),
    [
        ("intent late", (Lost, Twice, Astray)),
        ("key per engine", Twice),
        ("result first", (Lost, Twice, Astray)),
    ],
)
def test_an_engine_with_a_planted_fault_is_found_out(tmp_path, plant, wrong):
    with pytest.raises(wrong):
        storm(tmp_path, Power(60), 1, width=40, plant=plant)
