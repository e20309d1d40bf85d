"""Changes of one stack from several terminals: what meets waits or is refused, what does not goes on."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.slow

# `log` cannot be written while `taken` is a file, and waits for somebody to mend that.
STACK = """\
stack: two
policy: {apply: {on-failure: ON}}
resources:
  page: {type: file, with: {path: page.txt, content: one}}
  log: {type: file, with: {path: taken/log.txt, content: log}}
"""
OTHER = "  other: {type: file, with: {path: other.txt, content: other}}\n"


@pytest.fixture
def paused(desk):
    """A folder in which an apply waits for somebody to mend what failed."""
    (desk.folder / "taken").touch()
    desk.write(STACK.replace("ON", "pause"))
    told = desk.say("up", "--yes")
    assert (told.code, "E2049" in told.err) == (6, True), told
    return desk


def run_of(desk):
    (run,) = [each for each in desk.answer("ps")["runs"] if each["phase"] == "held"]
    return run["id"]


def test_what_an_open_apply_holds_is_refused_and_the_rest_can_be_changed(paused):
    run = run_of(paused)
    told = paused.say("up", "--yes")
    assert (told.code, f"`log` is held by run `{run}`" in told.err) == (8, True), told
    late = paused.say("up", "--yes", "--wait", "--timeout", "0.2")
    assert (late.code, "E4016" in late.err) == (9, True), late
    paused.write(STACK.replace("ON", "pause").rpartition("  log:")[0] + OTHER)
    assert paused.say("up", "--yes").code == 0
    assert (paused.folder / "other.txt").read_text() == "other"
    assert run_of(paused) == run


def test_a_step_that_failed_is_done_again_when_it_was_mended(paused):
    run = run_of(paused)
    assert "what failed waits for you" in paused.say("show", run).out
    denied = paused.say("resume", run, "--done")
    assert (denied.code, "E2052" in denied.err) == (8, True), denied
    (paused.folder / "taken").unlink()
    assert paused.say("resume", run, "--repeat").code == 0
    assert (paused.folder / "taken/log.txt").read_text() == "log"
    assert paused.say("plan", "--check").code == 0


def test_a_claim_ends_when_its_run_is_cancelled(paused):
    assert paused.say("cancel", run_of(paused)).code == 0
    (paused.folder / "taken").unlink()
    assert paused.say("up", "--yes").code == 0


def test_a_failed_apply_is_taken_back_and_a_rollback_brings_back_what_stood(desk):
    (desk.folder / "taken").touch()
    desk.write(STACK.replace("ON", "compensate").rpartition("  log:")[0] + OTHER)
    assert desk.say("up", "--yes").code == 0
    changed = STACK.replace("ON", "compensate").replace("one", "two")
    desk.write(
        changed.replace("type: file, with: {path: taken", "type: file, needs: [page], with: {path: taken")
    )
    plan = desk.answer("plan")
    assert [(each["address"], each["stays"]) for each in plan["notTakenBack"]] == [("other", False)]
    told = desk.say("up", "--yes")
    assert (told.code, "was taken back" in told.err) == (1, True), told
    assert (desk.folder / "page.txt").read_text() + (desk.folder / "other.txt").read_text() == "oneother"
    (desk.folder / "taken").unlink()
    assert desk.say("up", "--yes").code == 0
    listed = desk.answer("revisions")["revisions"]
    assert [each["phase"] for each in listed] == ["completed", "faulted", "completed"]
    shown = desk.answer("rollback", "--to", listed[-1]["run"], "--plan")
    assert shown["rollback"] == listed[-1]["run"]
    assert desk.say("up", shown["id"], "--yes").code == 0
    assert (desk.folder / "page.txt").read_text() + (desk.folder / "other.txt").read_text() == "oneother"
    assert not (desk.folder / "taken/log.txt").exists()
    assert desk.say("rollback", "--to", "99").code == 4
