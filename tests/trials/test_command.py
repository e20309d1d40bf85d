"""The command: what it says, with which exit code, and what build servers and programs are given."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest

from cli.rig import ROOT, Desk
from dirigent.cli import schemas
from dirigent.lang.trial import trials_schema
from docs.blocks import blocks_of
from trials.stage import write

pytestmark = pytest.mark.slow

FLOW = "do: [{nap: {wait: P7D}}, {ask: {call: http, with: {method: get, endpoint: 'https://a.example/'}}}]"
TESTS = """workflow: flow.yaml
tests:
  - {name: a week costs nothing, answers: [{task: ask, output: 1}], expect: {output: 1, elapsed: P7D}}
  - {name: "it gives <two> & more", answers: [{task: ask, output: 1}], expect: {output: 2}}
"""


@pytest.fixture
def desk(tmp_path):
    write(tmp_path, TESTS, FLOW)
    return Desk(tmp_path)


def test_a_failure_is_shown_in_its_place_and_the_others_pass(desk):
    told = desk.say("test", "flow.test.yaml")
    assert told.code == 1, told
    lines = told.out.splitlines()
    assert lines[:2] == ["flow.test.yaml", "  ✓ passed  a week costs nothing  (168h00m of virtual time)"]
    assert "error[E7081]: the output is another one" in lines
    assert " --> flow.test.yaml:4:81" in lines
    assert "  = help: .: 2 expected, but it is 1" in lines
    assert lines[-1].startswith("1 failed, 1 passed in ")
    assert not (desk.folder / ".dirigent").exists(), "nothing is touched"


def test_names_choose_and_nothing_chosen_is_said(desk):
    assert desk.say("test", "flow.test.yaml", "-k", "WEEK").code == 0
    told = desk.say("test", "flow.test.yaml", "-k", "nothing of the kind")
    assert (told.code, told.out) == (2, "")
    assert "error[E7076]" in told.err


def test_nothing_is_played_while_one_file_is_wrong(desk):
    (desk.folder / "other.test.yaml").write_text("workflow: flow.yaml\ntests: [{name: x, expects: {}}]\n")
    told = desk.say("test", "flow.test.yaml", "other.test.yaml")
    assert (told.code, told.out) == (2, "")
    assert "did you mean `expect`?" in told.err
    assert desk.say("test").code == 2
    assert desk.say("test", "flow.test.yaml", "--to", "x").code == 2
    assert desk.say("test", "flow.test.yaml", "--record", "x").code == 2


def test_a_folder_stands_for_the_test_files_in_it(desk):
    for name in ("b/c/x.test.yml", "b/a.test.yaml", ".hidden/y.test.yaml", "b/flow.yaml"):
        path = desk.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            TESTS.replace("output: 2", "output: 1").replace("flow.yaml", str(desk.folder / "flow.yaml"))
        )
    told = desk.say("test", "b", "b/a.test.yaml")
    assert told.code == 0, told
    assert [line for line in told.out.splitlines() if line.startswith("b/")] == [
        "b/a.test.yaml",
        "b/c/x.test.yml",
    ]
    (desk.folder / "empty").mkdir()
    for name, words in (
        ("empty", "`empty` has no test files"),
        ("absent.yaml", "there is no test file `absent.yaml`"),
    ):
        told = desk.say("test", name)
        assert (told.code, told.err.splitlines()[0]) == (2, f"error[E6015]: {words}")


def test_programs_and_build_servers_are_told(desk):
    answer = desk.answer("test", "flow.test.yaml", "--junit", str(desk.folder / "report.xml"), code=1)
    assert not list(jsonschema_rs.validator_for(schemas.schema_of("test")).iter_errors(answer))
    assert [(each["passed"], each["elapsed"]) for each in answer["tests"]] == [
        (True, 604800),
        (False, 604800),
    ]
    suite = ET.parse(desk.folder / "report.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    failed = suite[1]
    assert failed.get("name") == "it gives <two> & more"
    assert failed[0].get("type") == "E7081"
    assert ".: 2 expected, but it is 1" in failed[0].text
    told = desk.say("test", "flow.test.yaml", "--junit", str(desk.folder / "no" / "report.xml"))
    assert told.code == 2
    assert "error[E7008]" in told.err


def test_a_run_is_recorded_as_a_test(desk):
    (desk.folder / "set.yaml").write_text(
        (desk.folder / "flow.yaml").read_text().replace(FLOW, "do: [{s: {set: {x: 1}}}]")
    )
    ran = desk.answer("run", "set.yaml")
    told = desk.say("test", "--record", ran["run"])
    assert told.code == 0, told
    (desk.folder / "made.test.yaml").write_text(told.out)
    assert desk.say("test", "made.test.yaml").code == 0
    assert desk.say("test", "--record", "nothing").code == 4
    made = desk.folder / "tests" / "other.test.yaml"
    made.parent.mkdir()
    assert desk.say("test", "--record", ran["run"], "--to", str(made)).out == f"wrote {made}\n"
    assert 'workflow: "../set.yaml"' in made.read_text()
    assert desk.say("test", str(made)).code == 0
    again = desk.say("test", "--record", ran["run"], "--to", str(made))
    assert (again.code, "E6012" in again.err) == (2, True)


def test_the_schema_of_test_files_is_published(desk):
    assert desk.answer("schema", "--of", "test-file") == trials_schema()


def test_the_page_shows_the_files_that_it_runs():
    page = ROOT / "docs" / "testing.md"
    shown = [each.text for each in blocks_of("docs/testing.md", page.read_text()) if each.language == "yaml"]
    folder = ROOT / "examples"
    named = ("testing/order.yaml", "testing/order.test.yaml", "python-orders/orders.test.yaml")
    files = [(folder / name).read_text() for name in (*named, "testing/nightly.test.yaml")]
    assert shown[:2] == files[:2]
    assert all(block in text for block, text in zip(shown[2:], files[2:], strict=True))
