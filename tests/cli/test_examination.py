"""What `doctor` says of the place of the state."""

from __future__ import annotations

import os

import pytest

from dirigent.cli.work.examination import examine
from dirigent.settings import Settings


def found(folder):
    (check,) = [each for each in examine(Settings(folder)) if each.id == "D020"]
    return check


def test_a_place_that_can_be_made_is_as_good_as_one_that_is_there(tmp_path):
    assert found(tmp_path / "a" / "b").status == "ok"
    (tmp_path / "state").mkdir(mode=0o700)
    assert found(tmp_path / "state").status == "ok"


def test_a_file_is_no_place_for_a_state(tmp_path):
    (tmp_path / "file").write_text("")
    assert found(tmp_path / "file").status == "fail"
    assert found(tmp_path / "file" / "below").status == "fail"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_of_somebody_else_is_said_before_it_is_needed(tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    check = found(tmp_path / "locked" / ".dirigent")
    assert (check.status, "may not write in" in check.found) == ("fail", True)
