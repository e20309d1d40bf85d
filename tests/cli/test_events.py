"""Events at the command line: given by options and files, over HTTP, and through the death of the engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request

import pytest

SECONDS = 60
LISTENER = """
document: {dsl: '1.0.3', namespace: t, name: listener, version: '1.0.0'}
do:
  - hear:
      listen: {to: {any: [{with: {type: paid}}], until: '${ length == 3 }'}}
"""
EMITTER = """
document: {dsl: '1.0.3', namespace: t, name: emitter, version: '1.0.0'}
do:
  - say: {emit: {event: {with: {source: /shop, type: paid, data: {n: 7}}}}}
"""
pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path):
    (tmp_path / "listener.yaml").write_text(LISTENER)
    (tmp_path / "emitter.yaml").write_text(EMITTER)
    return tmp_path


def dirigent(place, *words, given=None):
    done = subprocess.run(
        [sys.executable, "-m", "dirigent", *words],
        cwd=place,
        input=given,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    return done.returncode, done.stdout, done.stderr


def emitted(place, *words, given=None):
    code, out, err = dirigent(place, "emit", "--json", *words, given=given)
    assert code == 0, err
    return [each["new"] for each in json.loads(out)]


def test_events_from_options_files_and_other_runs_reach_a_run_that_listens(place):
    assert dirigent(place, "run", "listener.yaml", "--id", "one", "--detach")[0] == 0
    assert emitted(place, "--type", "paid", "--source", "/x", "--id", "1", "--data", "{n: 1}") == [True]
    assert emitted(place, "--type", "paid", "--source", "/x", "--id", "1") == [False]
    lines = [
        json.dumps({"type": kind, "source": "/x", "id": kind, "data": {"n": 2}}) for kind in ("other", "paid")
    ]
    assert emitted(place, "-", given="\n".join(lines)) == [True, True]
    assert dirigent(place, "run", "emitter.yaml")[0] == 0
    code, out, err = dirigent(place, "resume", "one", "--json", "--timeout", str(SECONDS))
    assert code == 0, err
    code, out, _ = dirigent(place, "show", "one", "--json")
    assert json.loads(out)["output"] == [{"n": 1}, {"n": 2}, {"n": 7}]


def test_an_event_that_was_answered_outlives_the_engine(place):
    assert dirigent(place, "run", "listener.yaml", "--id", "one", "--detach")[0] == 0
    for n in range(3):
        engine = subprocess.Popen(
            [sys.executable, "-m", "dirigent", "serve", "--events", "0"],
            cwd=place,
            stderr=subprocess.PIPE,
            text=True,
        )
        with engine:
            line = next(line for line in engine.stderr if "taking events in at" in line)
            event = {"specversion": "1.0", "id": str(n), "source": "/x", "type": "paid", "data": n}
            request = urllib.request.Request(
                line.split()[-1],
                json.dumps(event).encode(),
                {"Content-Type": "application/cloudevents+json"},
            )
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                assert json.load(answer) == {"taken": 1, "known": 0}
            engine.kill()
    code, _, err = dirigent(place, "resume", "one", "--timeout", str(SECONDS))
    assert code == 0, err
    _, out, _ = dirigent(place, "show", "one", "--json")
    assert json.loads(out)["output"] == [0, 1, 2]


@pytest.mark.parametrize(
    ("words", "given", "code"),
    [
        (["emit"], None, "E7060"),
        (["emit", "-", "--type", "x"], "{}", "E7060"),
        (["emit", "nothing.json"], None, "E7061"),
        (["emit", "-"], "{", "E7061"),
        (["emit", "-"], "7", "E7061"),
        (["emit", "-"], '{"type": "x"}\n{', "E7061"),
        (["emit", "--source", "/x"], None, "E4100"),
        (["emit", "--type", "x", "-e", "Big=1"], None, "E4100"),
        (["emit", "--type", "x", "-e", "big"], None, "E7062"),
        (["serve", "--events", "here"], None, "E7063"),
        (["serve", "--events", "127.0.0.1:99999"], None, "E7063"),
    ],
)
def test_what_is_wrong_is_told_with_a_code(place, words, given, code):
    status, _, err = dirigent(place, *words, given=given)
    assert status != 0
    assert code in err
    assert "Traceback" not in err
