"""Every command works on a database as it does on a file; what `docs/postgresql.md` shows is run here."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from databases.rig import EngineProcess

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "postgresql.md").read_text()
WORKFLOW = """
document: {dsl: '1.0.1', namespace: shop, name: greet, version: '1.0.0'}
do:
- first: {run: {shell: {command: 'echo hello'}}}
- second: {wait: {seconds: SECONDS}}
"""


@pytest.fixture
def desk(tmp_path, server):
    """A folder, and a function that runs a command of the page in it with the store of a fresh database."""
    environment = {**os.environ, "DIRIGENT_STORE": server.fresh(), "NO_COLOR": "1"}
    (tmp_path / "greet.yaml").write_text(WORKFLOW.replace("SECONDS", "0"))
    (tmp_path / "long.yaml").write_text(WORKFLOW.replace("SECONDS", "3600").replace("greet", "long"))

    def command(*words, code=0, **more):
        done = subprocess.run(
            [sys.executable, "-m", "dirigent", *words],
            capture_output=True, text=True, cwd=tmp_path, timeout=99, check=False,
            env={**environment, **more},
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    command.url, command.folder = environment["DIRIGENT_STORE"], tmp_path
    return command


@pytest.fixture
def serving(desk):
    """An engine that serves the database of the desk."""
    assert "dirigent serve" in PAGE
    engine = EngineProcess(desk.url, desk.folder).start()
    assert "serving" in engine.process.stdout.readline()
    yield engine
    engine.clear()


def test_a_workflow_runs_without_any_engine_and_with_one(desk, request):
    assert "no runs" in desk("ps")
    assert "hello" in desk("run", "greet.yaml", "--id", "alone")
    request.getfixturevalue("serving")
    assert "hello" in desk("run", "greet.yaml", "--id", "served")
    assert "hello" in desk("run", "greet.yaml", "--id", "served")
    assert desk("ps", "--all").count("completed") == 2
    assert "first" in desk("show", "served")
    assert "Created" in desk("events", "alone")


def test_a_run_is_steered_from_any_terminal(desk, serving):
    assert "E4016" in desk("run", "long.yaml", "--id", "long", "--timeout", "2", code=9)
    desk("suspend", "long")
    assert "suspended" in desk("ps")
    desk("resume", "long", "--timeout", "1", code=9)
    assert "cancelled" in desk("cancel", "long")
    assert "E4003" in desk("cancel", "long", code=8)


def test_a_stack_is_planned_applied_and_taken_down(desk, serving):
    desk("init", "hello")
    plan = desk("plan", "-C", "hello")
    stored = plan.split("dirigent up ")[-1].split()[0]
    assert "outputs" in desk("up", stored, "-C", "hello", "--yes")
    assert "web" in desk("ps", "-C", "hello")
    desk("drift", "-C", "hello")
    desk("down", "-C", "hello", "--yes")


def test_a_store_moves_and_goes_on(desk, server):
    for line in ("dirigent store copy .dirigent postgresql://", "dirigent store copy postgresql://"):
        assert line in PAGE
    desk("run", "greet.yaml", "--id", "here", DIRIGENT_STORE="")
    target = server.fresh()
    assert "the same" in desk("store", "copy", ".dirigent", target)
    assert "here" in desk("ps", "--all", DIRIGENT_STORE=target)
    assert "hello" in desk("run", "greet.yaml", "--id", "there", DIRIGENT_STORE=target)
    assert "the same" in desk("store", "copy", target, "elsewhere")
    assert desk("ps", "--all", "--state", "elsewhere", DIRIGENT_STORE="").count("completed") == 2
    assert "E5051" in desk("store", "copy", ".dirigent", target, code=1)


def test_a_folder_is_served_by_one_engine(desk):
    first = EngineProcess("", desk.folder)
    first.process = subprocess.Popen(
        [sys.executable, "-m", "dirigent", "serve"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=desk.folder,
    )  # fmt: skip
    try:
        assert "serving" in first.process.stdout.readline()
        assert "hello" in desk("run", "greet.yaml", DIRIGENT_STORE="")
        assert "E7021" in desk("serve", code=8, DIRIGENT_STORE="")
        first.process.send_signal(signal.SIGTERM)
        assert "ended" in first.last_words()
        assert first.process.returncode == 0
    finally:
        first.clear()


@pytest.mark.parametrize("url", ["/var/lib/store", "shop.db"])
def test_a_store_that_is_no_url_is_refused(desk, url):
    assert "E7020" in desk("ps", "--store", url, code=2)


def test_no_command_shows_a_password(desk):
    secret = desk.url.replace("dirigent@", "dirigent:s3cret@")
    said = desk("run", "greet.yaml", DIRIGENT_STORE=secret)
    said += desk("ps", DIRIGENT_STORE=secret.rsplit("/", 1)[0] + "/nowhere", code=1)
    assert "E5042" in said
    assert "s3cret" not in said
