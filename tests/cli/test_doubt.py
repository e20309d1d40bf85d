"""A POST whose answer is lost: what becomes of the run is what was said before it."""

from __future__ import annotations

import socketserver
import threading

import pytest

pytestmark = pytest.mark.slow

POST = """\
document: {{dsl: 1.0.3, namespace: tests, name: post, version: 1.0.0}}
do:
  - post:
      try:
        - send: {{call: http, with: {{method: post, endpoint: "http://127.0.0.1:{port}/x", body: {{a: 1}}}}}}
      catch:
        retry: {{limit: {{attempt: {{count: 2}}}}}}
        do:
          - caught: {{set: {{status: "${{ $error.status }}"}}}}
"""


class Deaf(socketserver.StreamRequestHandler):
    """Takes a request in and hangs up."""

    def handle(self):
        self.server.heard += 1
        self.request.recv(65536)


@pytest.fixture
def deaf():
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Deaf) as server:
        server.heard = 0
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("words", "code", "heard"),
    [((), 6, 1), (("--doubt", "hold"), 6, 1), (("--doubt", "repeat"), 0, 3), (("--doubt", "skip"), 0, 1)],
    ids=["nothing said", "hold", "repeat", "skip"],
)
def test_an_effect_in_doubt_is_treated_as_the_command_says(small, deaf, words, code, heard):
    (small.folder / "post.yaml").write_text(POST.format(port=deaf.server_address[1]))
    told = small.say("run", "post.yaml", *words)
    assert told.code == code, told.err
    assert deaf.heard == heard
    assert ("E4013" in told.err) == (code == 6)
