"""A post without a key whose answer was lost: held, shown with its evidence, and a person decides."""

import json
import signal
import threading

import pytest

from system.rig.storm import HELD

pytestmark = pytest.mark.slow


@pytest.fixture
def held(desk):
    """Return a desk on which run `first` is held: its engine was killed as soon as the post had arrived."""
    commands = []
    started = threading.Event()

    def strike():
        desk.server.struck = lambda: None
        started.wait(10)
        commands[0].send(signal.SIGKILL)

    desk.server.struck = strike
    commands.append(desk.start("run", "notify", "--id", "first"))
    started.set()
    assert commands[0].ended() == -signal.SIGKILL
    again = desk.call("resume", "first")
    assert again.process.returncode == HELD, again.told()
    assert "E4013" in again.err
    assert desk.server.posts["first"] == 1
    return desk


def test_a_held_run_shows_what_is_known(held):
    shown = held.call("show", "first")
    assert "held" in shown.out
    assert "body_sha256" in shown.out
    seen = json.loads(held.call("show", "first", "--json").out)
    (task,) = [task for task in seen["tasks"] if task["status"] == "held"]
    assert "the server may have carried it out" in task["reason"]
    assert task["evidence"]["method"] == "POST"
    assert task["evidence"]["attempt"] == 1
    assert set(task["evidence"]) == {"method", "url", "key", "body_sha256", "attempt"}


def test_a_held_run_stays_held_however_often_it_is_asked(held):
    for command in (("resume", "first"), ("run", "notify", "--id", "first")):
        again = held.call(*command)
        assert again.process.returncode == HELD, again.told()
    assert held.server.posts["first"] == 1


@pytest.mark.parametrize(
    ("words", "posts"), [(("--done", '{"id": 7}'), 1), (("--repeat",), 2), (("--skip",), 1)]
)
def test_a_person_decides(held, words, posts):
    decided = held.call("resume", "first", *words)
    assert decided.process.returncode == 0, decided.told()
    assert json.loads(decided.out[decided.out.index("{") :]) == {"posted": True}
    assert held.server.posts["first"] == posts
    told = {"--done": "Vouched", "--repeat": "Repeated", "--skip": "Skipped"}[words[0]]
    assert held.journal_kinds("first").count(told) == 1


def test_a_run_that_is_not_held_takes_no_decision(held):
    assert held.call("resume", "first", "--skip").process.returncode == 0
    again = held.call("run", "notify", "--id", "second")
    assert again.process.returncode == 0
    assert held.call("resume", "second", "--repeat").process.returncode in (0, 4)
    assert held.server.posts["second"] == 1
