"""Every state that a crash can leave on the disk is sound, and holds all that was acknowledged."""

import pytest

from storms.required import needs
from storms.rig.dice import Dice
from storms.rig.enumeration import try_all
from storms.rig.ledger import Damaged, Lost
from storms.rig.states import Disk
from storms.rig.trace import Step, lacking

pytestmark = pytest.mark.slow

STATES = 2_500


@pytest.fixture
def folder(tmp_path):
    needs("strace", lacking())
    return tmp_path


@pytest.mark.parametrize("seed", ["1", "2"])
def test_every_state_after_a_crash_holds_what_was_acknowledged(folder, seed):
    tried = try_all(folder, seed)
    print(f"{tried.points} points, {tried.states} states, {tried.driven} of them driven on by an engine")
    assert [str(wrong) for wrong in tried.wrong] == []
    assert tried.states >= STATES


def test_a_store_that_does_not_synchronise_each_commit_loses_in_some_states(folder):
    tried = try_all(folder, "control", runs=1, most=1, weak="normal")
    assert any("were acknowledged" in str(wrong) for wrong in tried.wrong)


def test_a_store_that_never_synchronises_is_damaged_in_some_states(folder):
    tried = try_all(folder, "control", runs=2, most=2, weak="off")
    assert any(isinstance(wrong, Damaged) for wrong in tried.wrong), tried.kinds()
    assert any(type(wrong) is Lost for wrong in tried.wrong), tried.kinds()


def states(*steps):
    """Return all states of one small file after these steps, by content."""
    disk = Disk("/d")
    for step in steps:
        disk.follow(step)
    return {tuple(sorted(state.items())) for state in disk.states(Dice("small"), 50)}


def write(at, content):
    return Step("write", "/d/f", at, content)


SYNC_FILE, SYNC_FOLDER = Step("sync", "/d/f"), Step("sync", "/d")


def test_what_was_synchronised_is_in_every_state():
    assert states(write(0, b"a" * 600), SYNC_FILE, SYNC_FOLDER) == {(("/d/f", b"a" * 600),)}


def test_what_was_not_may_be_missing_or_torn_at_a_sector():
    found = states(write(0, b"a" * 1024), SYNC_FILE, SYNC_FOLDER, write(0, b"b" * 1024))
    assert found == {(("/d/f", x * 512 + y * 512),) for x in (b"a", b"b") for y in (b"a", b"b")}


def test_a_file_whose_folder_was_not_synchronised_may_be_missing():
    assert states(write(0, b"a"), SYNC_FILE) == {(), (("/d/f", b"a"),)}


def test_a_rename_may_have_happened_or_not_but_not_the_half_of_it():
    before = (write(0, b"a"), SYNC_FILE, SYNC_FOLDER)
    found = states(*before, Step("name", "/d/f", other="/d/g"))
    assert (("/d/f", b"a"),) in found
    assert (("/d/g", b"a"),) in found
    assert () not in found
