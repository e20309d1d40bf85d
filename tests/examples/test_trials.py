"""The examples are tested as their users would test them: by `dirigent test`."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from cli.rig import ROOT, Desk
from dirigent.app.trials.finding import suite_of
from dirigent.app.trials.playing import played

FILES = sorted(ROOT.glob("examples/**/*.test.yaml"))
TRIALS = [(path, number) for path in FILES for number in range(path.read_text().count("  - name: "))]


def name_of(value):
    return str(value) if isinstance(value, int) else value.name.partition(".")[0]


@pytest.mark.slow
@pytest.mark.parametrize(("path", "number"), TRIALS, ids=name_of)
def test_an_example_passes(path, number):
    suite, piece, warnings = suite_of(path)
    assert not warnings
    assert len(suite.trials) == sum(each is path for each, _ in TRIALS), "each test is a test here"
    came, problems = played(piece, suite.trials[number])
    assert not problems, (suite.trials[number].name, problems)
    assert came.phase


def test_every_example_has_tests():
    folders = {path.parent.name for path in FILES}
    assert folders == {path.name for path in (ROOT / "examples").iterdir() if path.is_dir()}


@pytest.mark.slow
def test_a_build_server_gets_one_case_for_each_test(tmp_path):
    desk = Desk(tmp_path)
    path = ROOT / "examples" / "testing" / "parcel.test.yaml"
    told = desk.say("test", str(path), "--junit", str(tmp_path / "report.xml"))
    assert told.code == 0, told
    suite = ET.parse(tmp_path / "report.xml").getroot()[0]
    assert [case.get("name") for case in suite] == [trial.name for trial in suite_of(path)[0].trials]
    assert all(case.get("line", "").isdecimal() for case in suite)
