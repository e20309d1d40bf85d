"""MCP over the pipes of a process: it answers, misbehaves, dies, and is never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dirigent.model.fault import COMMUNICATION, CONFIGURATION
from dirigent.model.run.effect import Done
from dirigent.shim import pulse, tether
from dirigent.tasks.mcp import McpPerformer
from dirigent.tasks.process import Surroundings
from tasks.http.loopback import client_of, credentials_of, order_of, secret

pytestmark = pytest.mark.slow

SERVER = str(Path(__file__).with_name("server.py"))
CALL = {"method": "tools/call", "parameters": {"name": "add", "arguments": {"a": 1, "b": 2}}}
PATIENCE_SECONDS = 60


def performer_of(folder, vault=None):
    surroundings = Surroundings("/nowhere", str(folder), {"PATH": os.environ["PATH"]})
    return McpPerformer(client_of(), vault or credentials_of(), surroundings)


def order(how="", *more, request=CALL, environment=None, command=sys.executable, **others):
    arguments = [SERVER, how, *more] if command == sys.executable else []
    stdio = {"command": command, "arguments": arguments, "environment": environment or {}}
    return order_of({**request, "transport": {"stdio": stdio}, **others}, function="mcp")


def call(folder, *arguments, vault=None, **named):
    return asyncio.run(performer_of(folder, vault).perform(order(*arguments, **named)))


def test_a_tool_answers_over_pipes(tmp_path):
    assert call(tmp_path).output["structuredContent"] == {"sum": 3}


def test_the_environment_is_what_the_document_gives_and_secrets_do_not_come_back(tmp_path):
    request = {"method": "tools/call", "parameters": {"name": "environment", "arguments": {"name": "KEY"}}}
    vault = credentials_of(token="s3cret-token")
    outcome = call(tmp_path, vault=vault, request=request, environment={"KEY": secret("token", "k ")})
    assert outcome.output["content"][0]["text"] == "k (secret token)"


def test_the_environment_of_the_engine_is_not_handed_on(tmp_path, monkeypatch):
    monkeypatch.setenv("OURS", "1")
    request = {"method": "tools/call", "parameters": {"name": "environment", "arguments": {"name": "OURS"}}}
    assert call(tmp_path, request=request).output["content"][0]["text"] == "absent"


def test_a_server_may_ask_and_tell_before_it_answers(tmp_path):
    outcome = call(tmp_path, "asks")
    assert outcome.output["pong"] == {"jsonrpc": "2.0", "id": 7, "result": {}}
    assert outcome.output["refused"]["error"]["code"] == -32601


def test_a_server_that_dies_is_named_with_its_last_words_and_without_secrets(tmp_path):
    vault = credentials_of(token="s3cret-token")
    outcome = call(tmp_path, "dies", vault=vault, environment={"T": secret("token")})
    assert outcome.fault.type == COMMUNICATION
    assert "exit code 3" in outcome.fault.detail
    assert "out of memory, the token was (secret token)" in outcome.fault.detail
    assert outcome.fault.doubtful


@pytest.mark.parametrize(("how", "words"), [("garbage", "not JSON"), ("endless", "in one line")])
def test_rubbish_is_a_communication_error(tmp_path, how, words):
    outcome = call(tmp_path, how)
    assert outcome.fault.type == COMMUNICATION
    assert words in outcome.fault.detail


def test_a_server_that_never_answers_ends_with_a_time_out(tmp_path):
    outcome = call(tmp_path, "silent", timeout=1)
    assert (outcome.fault.type, outcome.fault.status) == (COMMUNICATION, 408)


@pytest.mark.parametrize("command", ["no-such-program", "/etc/hostname"])
def test_a_program_that_cannot_be_started_is_a_configuration_error_without_doubt(tmp_path, command):
    outcome = call(tmp_path, command=command)
    assert outcome.fault.type == CONFIGURATION
    assert command in outcome.fault.detail
    assert not outcome.fault.doubtful


async def until(holds):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


async def family(path):
    """Return the processes that a server says it consists of, once it has said so."""
    await until(lambda: path.exists() and len(path.read_text().split()) == 2)
    return [int(text) for text in path.read_text().split()]


async def gone(pids):
    await until(lambda: all(pulse.start_ticks(pid) is None for pid in pids))


def test_a_call_that_is_stopped_takes_its_server_and_all_its_children_with_it(tmp_path):
    async def stopped():
        task = asyncio.ensure_future(performer_of(tmp_path).perform(order("family", str(tmp_path / "pids"))))
        pids = await family(tmp_path / "pids")
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        await gone(pids)

    asyncio.run(stopped())


ENGINE = """
import os, socket, sys
from dirigent.shim import tie
ours, theirs = socket.socketpair()
tie.tied(sys.argv[1:], dict(os.environ), os.getcwd(), (theirs.fileno(), 2)).wait()
"""


def test_an_engine_that_is_killed_takes_the_server_and_all_its_children_with_it(tmp_path):
    engine = subprocess.Popen(
        [sys.executable, "-c", ENGINE, sys.executable, SERVER, "family", "pids"], cwd=tmp_path
    )

    async def killed():
        pids = await family(tmp_path / "pids")
        engine.send_signal(signal.SIGKILL)
        engine.wait()
        await gone(pids)

    asyncio.run(killed())


def test_a_tether_whose_starter_is_gone_already_starts_nothing(tmp_path):
    argv = [sys.executable, "-I", "-S", tether.__file__, "1", "touch", str(tmp_path / "ran")]
    assert subprocess.run(argv, check=False).returncode == tether.UNSTARTED
    assert not (tmp_path / "ran").exists()


def test_the_call_is_done_once(tmp_path):
    assert isinstance(call(tmp_path, request={"method": "tools/list"}), Done)
