"""On a terminal: the live picture, questions, and Ctrl-C."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import pytest

from cli.rig import STACK, Screen, rendered

pytestmark = pytest.mark.slow

CLEAR = "\x1b[J"


def test_the_picture_is_drawn_and_cleaned_up(small):
    screen = Screen(small, "run", "short", "--id", "nap")
    screen.until("Ctrl-C stops here")
    assert screen.end() == 0
    assert "waiting" in screen.text
    left = [line.rstrip() for line in rendered(screen.seen) if line.strip()]
    assert left[0] == "run nap"
    assert left[1].startswith("✓ workflow short  completed, 1 done in ")
    assert left[2:] == ["  {", '    "done": true', "  }"]


def test_no_line_of_the_picture_wraps_on_a_narrow_terminal(small):
    name = "nap-" + "x" * 90
    small.write(STACK.replace("- nap: {wait: {seconds: 2}}", f"- {name}: {{wait: {{seconds: 1}}}}"))
    screen = Screen(small, "run", "short", "--id", "nap")
    assert screen.end() == 0
    rendered(screen.seen)


def test_a_dumb_terminal_gets_plain_lines(small):
    screen = Screen(small, "run", "short", "--id", "nap", TERM="dumb")
    assert screen.end() == 0
    assert "\x1b" not in screen.seen
    assert "COMPLETED" in screen.seen


def test_no_color_keeps_the_picture_and_loses_the_colours(small):
    screen = Screen(small, "run", "short", "--id", "nap", NO_COLOR="1")
    assert screen.end() == 0
    assert CLEAR in screen.seen
    assert "m\x1b" not in screen.seen
    assert "\x1b[1m" not in screen.seen


def test_yes_applies(small):
    screen = Screen(small, "up")
    screen.until("Apply this plan? [y/N]")
    screen.type("y\n")
    assert screen.end() == 0
    assert (small.folder / "site/note.txt").read_text() == "hello"


@pytest.mark.parametrize("typed", ["n\n", "\n", "maybe\n", "\x04"])
def test_anything_else_touches_nothing(small, typed):
    screen = Screen(small, "up")
    screen.until("Apply this plan? [y/N]")
    screen.type(typed)
    assert screen.end() == 0
    assert "nothing was touched" in screen.text
    assert not (small.folder / "site").exists()


def test_ctrl_c_at_the_question_ends_at_once(small):
    screen = Screen(small, "up")
    screen.until("Apply this plan? [y/N]")
    screen.type("\x03")
    assert screen.end() == 130
    assert not (small.folder / "site").exists()


def test_down_wants_the_name_of_the_stack_typed(up):
    screen = Screen(up, "down")
    screen.until("`small`")
    screen.type("y\n")
    assert screen.end() == 0
    assert (up.folder / "site/note.txt").exists()
    screen = Screen(up, "down")
    screen.until("`small`")
    screen.type("small\n")
    assert screen.end() == 0
    assert not (up.folder / "site").exists()


def test_ctrl_c_says_how_to_go_on(small):
    screen = Screen(small, "run", "slow", "--id", "nap")
    screen.until("waiting")
    screen.type("\x03")
    assert screen.end() == 130
    left = [line.rstrip() for line in rendered(screen.seen) if line.strip("^C \n")]
    assert left[-1] == "stopped; nothing is lost. Go on with: dirigent resume nap"
    assert small.answer("ps")["runs"][0]["phase"] == "running"


def test_a_second_ctrl_c_stops_at_once(small):
    screen = Screen(small, "run", "slow", "--id", "nap")
    screen.until("waiting")
    screen.stop()
    # Whether the first one is through by then or not: it ends, and with the same code.
    with suppress(ProcessLookupError):
        os.kill(screen.child, signal.SIGINT)
    assert screen.end() == 130
    assert small.say("ps").code == 0


def test_ctrl_c_ends_following_a_log_without_a_word_of_error(up):
    service = "{command: [sh, -c, 'echo here; exec sleep 60'], health: {alive: true}}"
    up.write(
        STACK.replace(
            "workflows:", f"  web:\n    type: service\n    runtime: process\n    with: {service}\nworkflows:"
        )
    )
    assert up.say("up", "--yes").code == 0
    try:
        screen = Screen(up, "logs", "-f", "web")
        screen.until("here")
        screen.type("\x03")
        assert screen.end() == 130
        assert "error" not in screen.text
    finally:
        assert up.say("down", "--yes").code == 0
