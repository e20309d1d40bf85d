"""Workflows in Python on the command line: by file and name, by the stack, with events, and with faults."""

import json

import pytest

FLOWS = """
import os
import signal
from pathlib import Path

from dirigent import step, wait_event, workflow


@step
def count(word: str) -> int:
    with Path("counted").open("a") as file:
        file.write(word)
    return len(word)


@step
async def die_once() -> str:
    mark = Path("died")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "lived"


@workflow
async def counting(word: str, times: int = 1) -> list[int]:
    return [await count(word) for _ in range(times)]


@workflow
async def approved(order: int) -> str:
    return f"{await wait_event('who', str)} for {order}"


@workflow
async def dying(word: str) -> list[object]:
    return [await count(word), await die_once()]
"""
STACK = "stack: coded\nworkflows:\n  count: {python: 'flows.py:counting', input: {word: abc}}\n"

pytestmark = pytest.mark.slow


@pytest.fixture
def coded(desk):
    (desk.folder / "flows.py").write_text(FLOWS)
    return desk


def test_a_workflow_is_run_by_its_file_and_name(coded):
    told = coded.say("run", "flows.py:counting", "-i", "word=abcd", "-i", "times=2", "--json")
    assert (told.code, json.loads(told.out)["output"]) == (0, [4, 4])


def test_a_workflow_of_the_stack_gets_its_wired_input(coded):
    (coded.folder / "stack.yaml").write_text(STACK)
    told = coded.say("run", "count", "-i", "times=2", "--json")
    assert (told.code, json.loads(told.out)["output"]) == (0, [3, 3])


def test_a_step_in_doubt_is_asked_about_and_no_other_is_repeated(coded):
    assert coded.say("run", "flows.py:dying", "-i", "word=x", "--id", "d").code < 0
    assert coded.say("resume", "d").code == 6
    told = coded.say("resume", "d", "--repeat", "--json")
    assert (told.code, json.loads(told.out)["output"]) == (0, [1, "lived"])
    assert (coded.folder / "counted").read_text() == "x"


def test_an_event_is_recorded_and_taken_by_the_next_engine(coded):
    assert coded.say("run", "flows.py:approved", "-i", "order=7", "--id", "a", "--timeout", "0.5").code == 9
    assert "waiting" in coded.say("show", "a").out
    for _ in range(2):
        assert coded.say("signal", "a", "who", "--data", "ann", "--id", "e1").code == 0
    assert json.loads(coded.say("resume", "a", "--json").out)["output"] == "ann for 7"
    assert coded.say("signal", "a", "who").code == 8


def test_a_text_that_was_changed_under_a_run_is_told_and_leaves_it_open(coded):
    assert coded.say("run", "flows.py:approved", "-i", "order=7", "--id", "a", "--timeout", "0.5").code == 9
    changed = FLOWS.replace("wait_event('who', str)", "count('surprise')")
    (coded.folder / "flows.py").write_text(changed)
    told = coded.say("signal", "a", "who", "--data", "bob")
    assert told.code == 8
    assert "E4030" in told.err
    assert "a wait for the event `who`" in told.err
    assert '`flows:count("surprise")`' in told.err
    assert "flows.py:" in told.err
    (coded.folder / "flows.py").write_text(FLOWS)
    assert coded.say("signal", "a", "who", "--data", "bob").code == 0
    assert json.loads(coded.say("resume", "a", "--json").out)["output"] == "bob for 7"


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("run", "flows.py:counted"), "E4031", 4),
        (("run", "nowhere.py:counting"), "E7040", 2),
        (("run", "../flows.py:counting"), "E7040", 2),
        (("run", "flows.py:counting"), "E4033", 2),
        (("run", "flows.py:counting", "-i", "word=7"), "E4033", 2),
        (("run", "flows.py:counting", "-i", "word=x", "-i", "words=x"), "E4033", 2),
    ],
)
def test_what_cannot_be_started_is_told_before_anything_is(coded, arguments, code, exit_code):
    told = coded.say(*arguments)
    assert (told.code, code in told.err) == (exit_code, True), told


def test_a_module_that_fails_to_be_imported_is_told_with_its_line(coded):
    (coded.folder / "flows.py").write_text("x = 1\ny = 1 / 0\n")
    told = coded.say("run", "flows.py:counting")
    assert told.code == 4
    assert "ZeroDivisionError" in told.err
    assert "flows.py:2" in told.err


def test_a_module_that_is_no_python_is_shown_where_it_is_not(coded):
    (coded.folder / "flows.py").write_text("x = 1\ny = (\n")
    told = coded.say("run", "flows.py:counting")
    assert told.code == 4
    assert "`flows` is no Python" in told.err
    assert "flows.py:2:5" in told.err


def test_only_workflows_in_python_take_events(small):
    assert small.say("run", "slow", "--id", "s", "--timeout", "0.5").code == 9
    told = small.say("signal", "s", "who")
    assert (told.code, "E4034" in told.err) == (2, True)
