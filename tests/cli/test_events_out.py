"""Events out of the command line: to a file, to standard output, over HTTP, and on through a death."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cli.test_events import dirigent
from dirigent.cli.schemas import schema_of
from dirigent.lang.schema import SCHEMAS

SECONDS = 60
PAY = """
document: {dsl: '1.0.3', namespace: shop, name: pay, version: '1.0.0'}
do:
  - tell:
      for: {each: n, in: '${ [range(3)] }'}
      do:
        - say: {emit: {event: {with: {source: /shop, type: com.example.paid, data: '${ $n }'}}}}
"""
STACK = """
stack: shop
secrets: {token: {env: TOKEN}}
workflows:
  pay: {from: pay.yaml}
events:
  audit: {file: audit.jsonl, types: ['com.example.*']}
  hook:
    http: {uri: 'URL', authentication: {bearer: {token: '${ $secrets.token }'}}}
    types: ['com.example.*']
"""
pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "pay.yaml").write_text(PAY)
    monkeypatch.setenv("TOKEN", "s3cret")
    return tmp_path


class Hook:
    """A server that answers as it is told, and keeps what it got."""

    def __init__(self):
        self.got, self.status, self.here = [], [], threading.Event()
        hook = self

        class Answers(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = hook.status.pop(0) if hook.status else 204
                hook.got.append((status, dict(self.headers), json.loads(body)))
                self.send_response(status)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()
                if sum(code == 204 for code, _, _ in hook.got) >= 3:
                    hook.here.set()

            def log_message(self, *_):
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_port}/in"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def taken(self):
        return [event["data"] for status, _, event in self.got if status == 204]


@pytest.fixture
def hook():
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_one_command_has_its_events_go_to_a_file(place):
    code, _, err = dirigent(place, "run", "pay.yaml", "--events", "file:out.jsonl", "--id", "one")
    assert code == 0, err
    lines = [json.loads(line) for line in (place / "out.jsonl").read_text().splitlines()]
    assert [each["data"] for each in lines if each["type"] == "com.example.paid"] == [0, 1, 2]
    assert lines[0]["type"] == "io.serverlessworkflow.workflow.started.v1"
    assert lines[-1]["type"] == "io.serverlessworkflow.workflow.completed.v1"
    assert dirigent(place, "events", "--sinks")[1].startswith("there is no sink"), "it was for one command"


def test_the_log_is_listed_by_type_and_followed_by_schema(place):
    assert dirigent(place, "run", "pay.yaml", "--id", "one")[0] == 0
    code, out, err = dirigent(place, "events", "--json", "--type", "com.example.*", "-n", "2")
    assert code == 0, err
    found = [json.loads(line) for line in out.splitlines()]
    assert [each["event"]["data"] for each in found] == [1, 2]
    assert found[0]["run"] == "one"
    for each in found:
        assert SCHEMAS.violation(schema_of("events"), each) is None
    assert "com.example.paid" in dirigent(place, "events", "--since", "1h", "--source", "/sh*")[1]
    assert dirigent(place, "events", "--type", "other")[1] == ""
    code, _, err = dirigent(place, "events", "--since", "soon")
    assert (code, "E4198" in err) == (1, True)


def test_sinks_of_a_stack_get_all_in_order_though_one_fails_and_redirects(place, hook):
    (place / "stack.yaml").write_text(STACK.replace("URL", hook.url))
    hook.status = [500, 302]
    engine = subprocess.Popen(
        [sys.executable, "-m", "dirigent", "serve"], cwd=place, stderr=subprocess.PIPE, text=True
    )
    try:
        assert next(line for line in engine.stderr if "serving" in line)
        assert dirigent(place, "run", "pay", "--detach")[0] == 0
        assert hook.here.wait(SECONDS)
    finally:
        engine.terminate()
        said = engine.communicate(timeout=SECONDS)[1]
    assert hook.taken == [0, 1, 2]
    assert {headers["Authorization"] for _, headers, _ in hook.got} == {"Bearer s3cret"}
    assert said.count("W4196") == 1
    assert "s3cret" not in said
    lines = [json.loads(line) for line in (place / "audit.jsonl").read_text().splitlines()]
    assert [each["data"] for each in lines] == [0, 1, 2]


def test_an_engine_that_is_killed_goes_on_where_it_was(place, hook):
    (place / "stack.yaml").write_text(STACK.replace("URL", hook.url))
    hook.status = [204, *[503] * 100]
    engine = subprocess.Popen(
        [sys.executable, "-m", "dirigent", "serve"], cwd=place, stderr=subprocess.PIPE, text=True
    )
    assert next(line for line in engine.stderr if "serving" in line)
    assert dirigent(place, "run", "pay", "--detach")[0] == 0
    # The second event is on its way, and refused.
    assert next(line for line in engine.stderr if "W4196" in line)
    os.kill(engine.pid, signal.SIGKILL)
    engine.communicate(timeout=SECONDS)
    waiting = json.loads(dirigent(place, "events", "--sinks", "--json")[1].splitlines()[1])
    assert (waiting["sink"], waiting["waiting"]) == ("shop/hook", 2)
    hook.status = []
    engine = subprocess.Popen(
        [sys.executable, "-m", "dirigent", "serve"], cwd=place, stderr=subprocess.PIPE, text=True
    )
    assert hook.here.wait(SECONDS)
    engine.terminate()
    engine.communicate(timeout=SECONDS)
    assert hook.taken == [0, 1, 2]


def test_a_sink_that_nobody_declares_any_more_can_be_forgotten(place, hook):
    hook.status = [503] * 1000
    code, _, err = dirigent(place, "run", "pay.yaml", "--events", hook.url)
    assert code == 0, err
    assert "W4196" in err
    (row,) = dirigent(place, "events", "--sinks", "--json")[1].splitlines()
    name = json.loads(row)["sink"]
    kept = json.loads(dirigent(place, "prune", "--events", "0s", "--json")[1])
    assert kept["events"] == 0, "it waits for its events"
    gone = json.loads(dirigent(place, "prune", "--events", "0s", "--drop-sink", name, "--json")[1])
    assert gone["events"] > 3
    assert SCHEMAS.violation(schema_of("prune"), gone) is None
    assert "E5073" in dirigent(place, "prune", "--drop-sink", name)[2]


def test_a_command_cannot_name_a_sink_beside_another_engine(place):
    engine = subprocess.Popen(
        [sys.executable, "-m", "dirigent", "serve"], cwd=place, stderr=subprocess.PIPE, text=True
    )
    try:
        assert next(line for line in engine.stderr if "serving" in line)
        assert "E4197" in dirigent(place, "run", "pay.yaml", "--events", "stdout")[2]
    finally:
        engine.terminate()
        engine.communicate(timeout=SECONDS)
