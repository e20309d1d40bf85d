"""Where an engine runs it plans for the commands: the same answers, and the same without it."""

from __future__ import annotations

import signal
from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.slow

VOLATILE = {"at", "readSeconds"}
SECRET = """\
stack: hidden
secrets:
  token: {env: TOKEN_OF_THE_ENGINE}
resources:
  note: {type: file, with: {path: note.txt, content: "${ $secrets.token }"}}
"""


@contextmanager
def serving(desk, **extra):
    """An engine that has opened its door."""
    engine = desk.start("serve", **extra)
    desk.until(lambda: (desk.folder / ".dirigent" / "engine.sock").exists() or engine.poll() is not None)
    try:
        yield engine
    finally:
        engine.send_signal(signal.SIGTERM)
        engine.communicate()


def stable(plan):
    return {name: value for name, value in plan.items() if name not in VOLATILE}


def test_an_engine_answers_as_a_command_does_alone_and_sees_every_change_of_the_file(small):
    alone = small.answer("plan", "-i", "greeting=hi")
    text = (small.folder / "stack.yaml").read_text()
    with serving(small):
        asked = [small.answer("plan", "-i", "greeting=hi") for _ in range(2)]
        done = small.answer("up", "--yes", "-i", "greeting=hi")
        small.write(text.replace("note.txt", "other.txt"))
        changed = small.answer("up", "--yes", "-i", "greeting=hi")
        small.write(text.replace("resources:", "resorces:"))
        wrong = small.say("plan")
    assert [stable(each) for each in asked] == [stable(alone)] * 2
    assert [done["phase"], changed["phase"]] == ["completed", "completed"]
    assert done["outputs"]["path"].endswith("site/note.txt")
    assert changed["outputs"]["path"].endswith("site/other.txt")
    assert wrong == small.say("plan")
    assert wrong.code != 0


def test_the_engine_that_carries_a_plan_out_must_know_its_secrets(desk):
    desk.write(SECRET)
    with serving(desk):
        lacking = desk.answer("up", "--yes", code=3, TOKEN_OF_THE_ENGINE="mine")
    with serving(desk, TOKEN_OF_THE_ENGINE="theirs"):
        done = desk.answer("up", "--yes")
    assert [each["code"] for each in lacking["problems"]] == ["E6001"]
    assert done["phase"] == "completed"
    assert (desk.folder / "note.txt").read_text() == "theirs"


def test_an_engine_that_is_killed_leaves_commands_that_plan_themselves(small):
    with serving(small) as engine:
        small.answer("plan")
        engine.kill()
        engine.wait()
        assert small.answer("up", "--yes")["phase"] == "completed"
