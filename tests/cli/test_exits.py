"""Each exit code of the contract, one by one."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from cli.rig import ROOT, STACK
from dirigent.cli.exits import Exit, exit_of
from dirigent.model.problem import Problem

pytestmark = pytest.mark.slow


def test_0_when_it_is_done(up):
    assert up.say("up").code == 0
    assert up.say("plan").code == 0
    assert up.say("run", "quick").code == 0


def test_1_when_a_run_fails(small):
    told = small.say("run", "broken")
    assert told.code == 1
    assert "Fallen" in told.err


def test_1_when_a_resource_fails_and_what_was_done_is_kept(small):
    service = "{command: ['false'], health: {alive: true, within: 1}}"
    small.write(
        STACK.replace(
            "workflows:", f"  web:\n    type: service\n    runtime: process\n    with: {service}\nworkflows:"
        )
    )
    told = small.say("up", "--yes")
    assert told.code == 1
    assert "dirigent show up-" in told.err
    assert {row["address"] for row in small.answer("ps")["resources"]} >= {"site", "note"}
    assert small.say("down", "--yes").code == 0


def test_1_when_a_file_of_somebody_else_is_in_the_way(small):
    (small.folder / "site").mkdir()
    (small.folder / "site/note.txt").write_text("somebody else's")
    told = small.say("up", "--yes")
    assert told.code == 1
    assert "E3104" in told.err


def test_2_when_the_command_line_or_a_document_is_wrong(small):
    assert small.say("plan", "--nonsense").code == 2
    small.write("stack: small\nresorces: {}\n")
    assert small.say("check").code == 2


def test_2_for_changes_as_terraform_answers(small):
    assert small.say("plan", "--detailed-exitcode").code == 2


def test_3_when_a_secret_is_missing(desk):
    desk.write(
        "document: {dsl: 1.0.3, namespace: x, name: x, version: 1.0.0}\nuse: {secrets: [word]}\n"
        "do:\n  - answer: {set: {said: true}}\n",
        "flow.yaml",
    )
    told = desk.say("run", "flow.yaml")
    assert told.code == 3, told
    assert "DIRIGENT_SECRET_WORD" in told.err
    assert desk.answer("ps", "--all")["runs"] == []
    assert desk.say("run", "flow.yaml", DIRIGENT_SECRET_WORD="hunter2").code == 0


def test_3_when_a_secret_that_a_plan_needs_is_missing_and_nothing_was_touched(desk):
    desk.write(
        "stack: quiet\nsecrets:\n  word: {env: WORD}\n  unused: {env: UNUSED}\nresources:\n"
        "  first: {type: file, with: {path: first.txt, content: a}}\n"
        "  second: {type: file, needs: [first], with: {path: b.txt, content: '${ \"x\" + $secrets.word }'}}\n"
        "  last: {type: file, with: {path: c, content: '${ $resources.second.sha256 + $secrets.word }'}}\n"
    )
    told = desk.say("up", "--yes")
    assert told.code == 3, told
    assert "Set `WORD`." in told.err
    assert "Set `UNUSED`." not in told.err
    assert desk.answer("ps", "--all")["runs"] == []
    assert not (desk.folder / "first.txt").exists()
    assert desk.say("up", "--yes", WORD="hunter2").code == 0
    assert desk.say("up", "--yes").code == 0, "nothing is to be done, so nothing is needed"


def test_4_when_there_is_no_such_thing(small):
    assert small.say("show", "nobody").code == 4
    assert small.say("run", "nobody").code == 4


def test_5_for_changes_and_drift_where_asked(up):
    assert up.say("plan", "--check", "-i", "greeting=bye").code == 5
    assert up.say("plan", "--check").code == 0
    assert up.say("drift", "--check").code == 0
    (up.folder / "site/note.txt").write_text("by hand")
    assert up.say("drift", "--check").code == 5
    assert up.say("drift").code == 0


def test_6_when_only_a_person_can_move_the_run(small):
    process = small.running("run", "slow", "--id", "nap")
    assert small.say("suspend", "nap", "--reason", "lunch").code == 0
    _, err = process.communicate()
    assert process.returncode == 6
    assert "dirigent resume nap" in err


def test_7_when_what_is_protected_would_go(desk):
    protected = STACK.replace(
        "  note:\n    type: file\n", "  note:\n    type: file\n    lifecycle: {protect: true}\n"
    )
    desk.write(protected)
    assert desk.say("up", "--yes").code == 0
    told = desk.say("down", "--yes")
    assert told.code == 7
    assert "E2008" in told.err
    assert (desk.folder / "site/note.txt").exists()


def test_8_when_the_world_changed_since_the_plan(up):
    plan = up.answer("plan", "-i", "greeting=bye")["id"]
    assert up.say("up", "--yes", "-i", "greeting=first").code == 0
    shown = up.say("plan", plan)
    assert (shown.code, "E2040" in shown.err, "UPDATE" in shown.out) == (8, True, True)
    told = up.say("up", plan, "--yes")
    assert told.code == 8
    assert (up.folder / "site/note.txt").read_text() == "first"
    assert up.answer("plan", plan, code=8)["problems"][0]["code"] == "E2040"


def test_9_when_the_time_is_over_and_the_run_goes_on(small):
    told = small.say("run", "slow", "--id", "nap", "--timeout", "0.2")
    assert told.code == 9
    assert "dirigent resume nap" in told.err
    assert small.answer("ps")["runs"][0]["phase"] == "running"


PLANTED = """
import os, shutil

def fall(*_):
    raise RuntimeError("nobody expected " + os.environ["TOKEN"])

shutil.which = fall
"""


def test_70_when_nobody_expected_it(up, tmp_path_factory):
    defect = tmp_path_factory.mktemp("defect")
    (defect / "sitecustomize.py").write_text(PLANTED)
    told = up.say("doctor", PYTHONPATH=f"{defect}:{ROOT / 'src'}", TOKEN="hunter2-hunter2")
    assert told.code == 70
    assert "this is a defect of Dirigent (RuntimeError)" in told.err
    report = Path(told.err.split("report: ")[1].splitlines()[0])
    assert report.parent == up.folder / ".dirigent"
    assert "nobody expected ($TOKEN)" in report.read_text()
    assert "hunter2" not in report.read_text() + told.err


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_130_when_it_is_interrupted(small, sign):
    process = small.running("run", "slow", "--id", "nap")
    process.send_signal(sign)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "dirigent resume nap" in err


def test_a_refusal_takes_the_code_of_its_first_error_and_a_warning_none():
    assert exit_of([Problem("W1001", "x"), Problem("E2008", "y")]) is Exit.REFUSED
    assert exit_of([Problem("E6001", "x"), Problem("E2008", "y")]) is Exit.DENIED
    assert exit_of([]) is Exit.FAILED


def test_2_when_a_stored_plan_does_the_opposite_of_the_command(up):
    plan = up.answer("plan", "--destroy")["id"]
    told = up.say("up", plan, "--yes")
    assert (told.code, "E2043" in told.err, f"dirigent down {plan}" in told.err) == (2, True, True)
    assert up.say("down", plan, "--yes").code == 0
    assert not (up.folder / "site").exists()


def test_8_when_the_state_belongs_to_another_stack(up):
    up.write(STACK.replace("stack: small", "stack: another"))
    told = up.say("up", "--yes")
    assert told.code == 8
    assert "E2044" in told.err
    assert (up.folder / "site/note.txt").exists()
