"""Workers do the steps of engines on a database, whichever engine has the run."""

import json
import os
import subprocess
import sys

import pytest

from databases.rig import EngineProcess, python

pytestmark = pytest.mark.slow

FLOWS = """
import os
from dirigent import step, workflow

@step(queue="gpu", idempotent=True)
def who(number: int) -> int:
    return os.getppid()

@workflow
async def asks(number: int) -> int:
    return await who(number)
"""
STACK = """
stack: rooms
queues:
  gpu: {workers: WORKERS}
"""


@pytest.fixture
def desk(tmp_path, server):
    """A folder, and a function that runs a command there with the store of a fresh database."""
    url = server.fresh()
    (tmp_path / "flows.py").write_text(FLOWS)

    def command(*words):
        done = subprocess.run(
            [sys.executable, "-m", "dirigent", *words, "--store", url],
            capture_output=True, text=True, cwd=tmp_path, timeout=99, check=False,
            env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    command.url, command.folder = url, tmp_path
    return command


def stack(desk, workers):
    (desk.folder / "stack.yaml").write_text(STACK.replace("WORKERS", str(workers)))


def serving(desk):
    engine = EngineProcess(desk.url, desk.folder).start()
    line = engine.process.stdout.readline()
    assert "serving" in line, line + engine.process.stdout.read()
    return engine


def asked(desk, run):
    """Have a run ask who does its step; return the parent of the process that did."""
    told = json.loads(desk("run", "flows.py:asks", "--id", run, "--input", "number=1", "--json"))
    return told["output"]


def test_steps_of_two_engines_go_to_one_worker(desk):
    stack(desk, "true")
    engines = [serving(desk), serving(desk)]
    worker = python(
        "-m", "dirigent", "worker", "--store", desk.url, "-C", str(desk.folder), "--concurrency", "1"
    )
    try:
        said = [worker.stdout.readline() for _ in engines]
        assert all("working for the engine" in line for line in said), said
        for number in range(3):
            assert asked(desk, f"r{number}") == worker.pid
    finally:
        worker.terminate()
        worker.communicate(timeout=60)
        for engine in engines:
            engine.clear()


def test_an_engine_starts_the_workers_that_its_stack_wants(desk):
    stack(desk, 1)
    engine = serving(desk)
    try:
        parent = asked(desk, "r")
        assert parent != engine.pid
        assert engine.end()
        assert asked(desk, "alone") != parent
    finally:
        engine.clear()
