"""What is piped is quiet: no escape codes, no carriage returns, one line per change."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from cli.rig import STACK, environment
from dirigent.cli.text.picture import HEARTBEAT_SECONDS, Heart, Picture
from dirigent.cli.text.runs import clock
from dirigent.model.ids import RunId

pytestmark = pytest.mark.slow

CHANGE = re.compile(r"\d\d:\d\d:\d\d [A-Z]+( .*)?")


def test_piped_output_has_no_escape_codes_and_one_line_per_change(small):
    told = small.say("up", "--yes")
    for text in (told.out, told.err):
        assert "\x1b" not in text
        assert "\r" not in text
    changes = [line for line in told.out.splitlines() if CHANGE.fullmatch(line)]
    assert [line.split(maxsplit=1)[1] for line in changes] == [
        "STARTED   site",
        "DONE      site",
        "STARTED   note",
        "DONE      note",
        "COMPLETED",
    ]


def test_colour_is_given_only_where_it_is_wanted(small):
    assert "\x1b[" in small.say("plan", FORCE_COLOR="1").out
    assert "\x1b[" not in small.say("plan", FORCE_COLOR="1", NO_COLOR="1").out
    assert "\x1b[" not in small.say("plan", FORCE_COLOR="0").out
    assert "\x1b[" not in small.say("plan").out


def test_json_is_never_coloured(small):
    assert "\x1b" not in small.say("plan", "--json", FORCE_COLOR="1").out


def test_a_stream_that_cannot_show_a_letter_shows_its_number(small):
    small.write(STACK.replace("default: hello", "default: héllo → ✓"))
    assert small.say("up", "--yes", PYTHONIOENCODING="ascii").code == 0
    told = small.say("show", "up-", PYTHONIOENCODING="ascii")
    assert told.code == 0
    assert told.out.isascii()


def test_a_reader_that_goes_away_ends_us_quietly(up):
    for _ in range(3):
        up.say("run", "quick")
    words = [sys.executable, "-m", "dirigent", "events", "quick", "--json"]
    done = subprocess.run(
        ["bash", "-c", '"$@" | head -c 1', "bash", *words],
        cwd=up.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""


def test_a_run_goes_on_when_the_reader_of_its_lines_goes_away(small):
    process = small.start("up", "--yes")
    for line in process.stdout:
        if "STARTED" in line:
            break
    process.stdout.close()
    with process.stderr as err:
        assert err.read() == ""
    assert process.wait() == 0
    assert (small.folder / "site/note.txt").read_text() == "hello"


def test_narrow_columns_are_obeyed(small):
    told = small.say("run", "broken")
    run = told.err.split()[1]
    assert max(len(line) for line in small.say("show", run, COLUMNS="60").out.splitlines()) <= 60


def test_a_heartbeat_comes_after_a_long_silence_and_not_before():
    heart = Heart(100.0)
    assert not heart.due(100.0 + HEARTBEAT_SECONDS - 1)
    assert heart.due(100.0 + HEARTBEAT_SECONDS)
    heart.heard(120.0)
    assert not heart.due(100.0 + HEARTBEAT_SECONDS)


def test_a_heartbeat_is_one_line_that_says_what_goes_on():
    line = Picture(RunId("x"), since=60.0, done=3).heartbeat(100.0)
    assert line == f"{clock(100.0)} RUNNING   3 done, 0 under way (40.0s)"
