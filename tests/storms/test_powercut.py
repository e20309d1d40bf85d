"""The power is cut under a working engine, on ext4 and on xfs: nothing that was acknowledged is lost."""

import os

import pytest

from storms.required import needs
from storms.rig.ledger import Lost
from storms.rig.loop import MAKE, lacking
from storms.rig.powercut import cut_often

pytestmark = pytest.mark.slow

CUTS = int(os.environ.get("DIRIGENT_CUTS", "50"))


@pytest.fixture
def disks(tmp_path):
    needs("loop", lacking())
    return tmp_path


@pytest.mark.parametrize("kind", MAKE)
def test_nothing_acknowledged_is_lost_when_the_power_is_cut(disks, kind):
    cuts = cut_often(disks, kind, CUTS, seed=1)
    print(f"{kind}: {cuts.cuts} cuts, {cuts.promises} promises, 0 lost; {cuts.late} said too late to count")
    assert cuts.cuts == CUTS
    assert cuts.promises > 10 * CUTS
    assert set(cuts.acknowledged) == set("FSTPE")


@pytest.mark.parametrize("kind", MAKE)
def test_a_store_that_does_not_wait_for_the_disk_is_found_out(disks, kind):
    with pytest.raises(Lost, match=r"were acknowledged|is not there|without an intent"):
        cut_often(disks, kind, 20, seed=1, weak="normal")
