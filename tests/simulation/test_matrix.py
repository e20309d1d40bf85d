"""The matrix of failpoints and classes of effects: all of it, every time."""

import pytest

from simulation.matrix import KINDS, POLICIES, STRIKES, row


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "policy"), [(kind, policy) for kind in KINDS for policy in POLICIES.get(kind, ("hold",))]
)
def test_every_failure_at_every_place_leaves_the_end_of_the_calm_run(kind, policy, capsys):
    counts = row(kind, policy)
    twice = counts.pop("twice in a row")
    with capsys.disabled():
        print(f"\n{kind}, {policy}: {sum(counts.values())} cells struck once, {twice} twice in a row")
    missing = [(place, what) for place, kinds in STRIKES.items() for what in kinds if not counts[place, what]]
    assert not missing
    assert twice > 300
