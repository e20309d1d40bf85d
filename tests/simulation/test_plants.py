"""Planted faults: the simulation that finds nothing in the engine must find every one of these."""

import pytest

from simulation.play import played
from simulation.rig.plan import plan_of
from simulation.rig.plants import ONLY, PLANTS, any_seed


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_found_within_so_many_seeds(name, capsys):
    parts, most = PLANTS[name]
    only, failure = ONLY.get(name, any_seed), None
    for seed in range(most):
        plan = plan_of(seed)
        failure = played(plan, parts)[1] if only(plan) else None
        if failure is not None:
            break
    else:
        pytest.fail(f"{name}: not found in {most} seeds")
    with capsys.disabled():
        print(f"\n{name}: found by seed {seed} of at most {most}: {failure.law}")
    assert not failure.law.startswith("it raises"), failure.words
