"""Several commands at once on one store: one drives, the others look, steer, and take over."""

from __future__ import annotations

import json
import signal

import pytest

from cli.rig import STACK

pytestmark = pytest.mark.slow


def test_one_looks_beside_a_running_engine(small):
    process = small.running("run", "slow", "--id", "nap")
    assert small.answer("ps")["runs"][0]["id"] == "nap"
    assert small.answer("show", "nap")["phase"] == "waiting"
    assert "Created" in small.say("events", "nap").out
    assert small.say("drift").code == 0
    process.kill()
    process.communicate()


def test_a_run_that_another_process_drives_is_cancelled_and_both_hear_of_it(small):
    process = small.running("run", "slow", "--id", "nap")
    told = small.say("cancel", "nap", "--reason", "enough")
    assert told.out == "run nap is cancelled\n"
    _, err = process.communicate()
    assert process.returncode == 1
    assert "cancelled" in err.lower()
    assert small.say("cancel", "nap").code == 8


def test_a_suspended_run_goes_on_where_it_is_resumed(small):
    process = small.running("run", "slow", "--id", "nap")
    assert small.say("suspend", "nap").code == 0
    process.communicate()
    assert process.returncode == 6
    assert small.answer("show", "nap")["phase"] == "suspended"
    assert small.say("suspend", "nap").code == 8
    assert small.say("resume", "--timeout", "0.5").code == 9
    assert small.answer("show", "nap")["phase"] == "waiting"


def test_a_second_process_follows_and_takes_over_when_the_first_is_killed(small):
    first = small.running("run", "short", "--id", "nap")
    second = small.running("resume", "nap")
    first.send_signal(signal.SIGKILL)
    first.communicate()
    # What was read ahead with the first line is lost to `communicate`.
    with second.stdout as out, second.stderr as err:
        assert '"done": true' in out.read(), err.read()
    assert second.wait() == 0


def test_runs_start_through_the_engine_of_another_process(small):
    process = small.running("run", "slow", "--id", "nap")
    assert small.answer("run", "quick")["output"] == {"text": "hello, you"}
    planned = small.answer("plan")
    assert small.answer("up", planned["id"], "--yes")["phase"] == "completed"
    process.send_signal(signal.SIGINT)
    process.communicate()


def test_resume_needs_no_name_when_one_run_is_open_and_asks_for_one_otherwise(small):
    for name in ("one", "two"):
        assert small.say("run", "slow", "--id", name, "--timeout", "0").code == 9
    told = small.say("resume")
    assert told.code == 2
    assert "`one`" in told.err
    assert small.say("cancel", "one").code == 0
    told = small.say("resume", "--timeout", "0.1")
    assert told.code == 9
    assert "run two" in told.err


def test_logs_are_followed_across_restarts(up):
    service = "{command: [sh, -c, 'echo here; sleep 1'], health: {alive: true, interval: 0.1}}"
    up.write(
        STACK.replace(
            "workflows:", f"  web:\n    type: service\n    runtime: process\n    with: {service}\nworkflows:"
        )
    )
    assert up.say("up", "--yes").code == 0
    try:
        process = up.start("logs", "web", "--follow", "--json")
        seen = []
        while len(seen) < 2:
            line = json.loads(process.stdout.readline())
            if line["text"] == "here":
                seen.append(line)
        assert seen[0]["at"] < seen[1]["at"]
        process.send_signal(signal.SIGINT)
        process.communicate()
        assert process.returncode == 130
    finally:
        assert up.say("down", "--yes").code == 0


def test_an_up_that_was_killed_goes_on_first(small):
    process = small.start("up", "--yes")
    for line in process.stdout:
        if "STARTED   note" in line or "DONE      site" in line:
            process.kill()
            break
    process.communicate()
    told = small.say("up", "--yes")
    assert told.code == 0, told
    assert (small.folder / "site/note.txt").read_text() == "hello"
    assert len([run for run in small.answer("ps", "--all")["runs"] if run["kind"] == "apply"]) == 1


def test_down_works_when_the_stack_file_is_broken_or_gone(up):
    up.write("stack: [")
    assert up.say("plan").code == 2
    told = up.say("down", "--yes")
    assert told.code == 0, told
    assert not (up.folder / "site").exists()
