"""The disk fails at each point of a life: the engine says why and stops, and nothing acknowledged is lost."""

import os

import pytest

from storms.required import needs
from storms.rig.faults import FAULTS, strike
from storms.rig.fusefs import lacking
from storms.rig.nursery import Nursery

pytestmark = pytest.mark.slow

POINTS = int(os.environ.get("DIRIGENT_FAULTS", "50"))


@pytest.fixture
def nursery(tmp_path):
    needs("fuse", lacking())
    made = Nursery(tmp_path)
    try:
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("kind", FAULTS)
def test_whatever_the_disk_fails_at_nothing_acknowledged_is_lost(nursery, tmp_path, kind):
    found = strike(nursery, tmp_path / "disks", kind, POINTS)
    print(f"{kind}: {found.figures()}")
    assert found.points == POINTS
    assert found.acknowledged > POINTS
    # The fault had its effect. What a store has read it keeps, so most reads that fail late meet nobody.
    assert found.said["went on"] < (POINTS if kind == "read fails" else POINTS * 2 // 3)


def test_a_store_that_takes_no_notice_of_a_failed_fsync_is_found_out(nursery, tmp_path):
    with pytest.raises(AssertionError, match=r"were acknowledged|is not there|without an intent|integrity"):
        strike(nursery, tmp_path / "disks", "fsync fails once", POINTS, deaf=True)
