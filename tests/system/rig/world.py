"""A stack with one workflow for each kind of effect, and a server that counts and honours no key."""

import json
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dirigent.model.run.journal import Ended
from system.rig.shop import Differs, Shop, same
from system.rig.smith import PATIENCE_SECONDS
from system.rig.storm import HELD, kill

STACK = """
stack: world
policy:
  http:
    hosts: ["127.0.0.1:{port}"]
    probes:
      - call: POST http://127.0.0.1:{port}/payments
        reference: {{body: reference}}
        ask: http://127.0.0.1:{port}/payments?reference={{reference}}
        found: .items[0]
resources:
  note:
    type: file
    with: {{path: note.txt, content: "a note"}}
workflows:
  notify:
    document: {{dsl: 1.0.3, namespace: world, name: notify, version: 1.0.0}}
    do:
      - look: {{call: http, with: {{method: get, endpoint: "http://127.0.0.1:{port}/look"}}}}
      - post:
          call: http
          with:
            method: post
            endpoint: "http://127.0.0.1:{port}/post"
            body: {{name: "${{ $workflow.id }}"}}
      - after: {{set: {{posted: true}}}}
  pay:
    document: {{dsl: 1.0.3, namespace: world, name: pay, version: 1.0.0}}
    do:
      - look: {{call: http, with: {{method: get, endpoint: "http://127.0.0.1:{port}/look"}}}}
      - post:
          call: http
          with:
            method: post
            endpoint: "http://127.0.0.1:{port}/payments"
            body: {{name: "${{ $workflow.id }}"}}
      - after: {{set: "${{ {{paid: .amount}} }}"}}
  gated:
    document: {{dsl: 1.0.3, namespace: world, name: gated, version: 1.0.0}}
    do:
      - pass: {{call: http, with: {{method: get, endpoint: "http://127.0.0.1:{port}/gate"}}}}
      - write: {{run: {{shell: {{command: "true"}}}}}}
      - after: {{set: {{passed: true}}}}
  command:
    document: {{dsl: 1.0.3, namespace: world, name: command, version: 1.0.0}}
    do:
      - pause: {{wait: {{milliseconds: 20}}}}
      - write:
          run:
            shell:
              command: sh
              arguments: ["-c", "${{ \\"echo done >> \\" + $workflow.id + \\".txt; sleep 0.05\\" }}"]
      - again: {{run: {{shell: {{command: "true"}}}}}}
"""


class Counting(ThreadingHTTPServer):
    """Counts the posts for each name, whatever their key; who asks at the gate waits until it is open.

    `struck` is called with every post before it is answered.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answer)
        self.posts = Counter()
        self.payments = {}
        self.waiting = 0
        self.gate = threading.Event()
        self.struck = lambda: None


class Answer(BaseHTTPRequestHandler):
    """Answers everything with an empty object."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        self.answer_get()

    def do_POST(self):
        self.answer_post()

    def answer_get(self):
        if self.path == "/gate":
            self.server.waiting += 1
            self.server.gate.wait(PATIENCE_SECONDS)
        place, _, reference = self.path.partition("?reference=")
        if place == "/payments":
            found = self.server.payments.get(reference)
            self._say(json.dumps({"items": [found] if found else []}).encode())
        else:
            self._say()

    def answer_post(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.posts[body["name"]] += 1
        content = {"amount": 7} if self.path == "/payments" else {}
        self.server.payments[body.get("reference")] = content
        self.server.struck()
        self._say(json.dumps(content).encode())

    def _say(self, content=b"{}", status=200):
        with suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

    def log_message(self, *_):
        pass


@contextmanager
def counting():
    """Yield a server that runs in a thread of this process."""
    server = Counting()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()


class World(Shop):
    """The stack in a folder, driven like a shop."""

    @classmethod
    def of(cls, folder, forge, server):
        (folder / "stack.yaml").write_text(STACK.format(port=server.server_port))
        return cls(folder, forge)

    def ended(self, run):
        """Return how a run ended."""
        facts = self.journal(run)
        if not facts or not isinstance(facts[-1], Ended):
            raise Differs(f"run {run} has not ended: {facts[-1:]}")
        return facts[-1]


class Errand:
    """Runs one workflow of the world again and again; `done` says how often its effect has happened."""

    def __init__(self, world, workflow, tally, done):
        self.world, self.workflow, self.tally, self.done = world, workflow, tally, done
        self.run, self.calm, self.held = "", None, 0

    def prepare(self):
        self.run = f"{self.workflow}-{self.world.forge.lives}"
        return ("run", self.workflow, "--id", self.run, "--json")

    def learn(self, plant=None):
        """Run calmly once; return every place as a death."""
        lived = self.world.live(*self.prepare(), plant=plant)
        same("calm run", (lived.code, lived.err), (0, ""))
        self.check()
        self.calm = self.world.ended(self.run).output
        self.tally.places = len(lived.places)
        return lived.deaths()

    def round(self, *deaths, plant=None):
        """Crash one run, start it again under its id, answer if it is held, and look what has happened."""
        command = self.prepare()
        struck = kill(self.world, deaths, self.tally, *command, plant=plant)
        lived = self.world.live(*command, plant=plant)
        if self.done(self.run) > 1:
            raise Differs(f"{self.run} was done {self.done(self.run)} times, unasked, after {deaths}")
        if lived.code == HELD:
            self.held += 1
            lived = self.answer()
        if lived.code:
            raise Differs(f"{command} gave {lived.code} after {deaths}: {lived.err}{lived.out}")
        self.check()
        same(f"output of {self.run} after {deaths}", self.world.ended(self.run).output, self.calm)
        return struck

    def answer(self, death=None):
        """Decide as a person does, who looks at the server first."""
        word = ("--done", "{}") if self.done(self.run) else ("--repeat",)
        return self.world.live("resume", self.run, *word, "--json", death=death)

    def check(self):
        self.world.check_lock()
        same(f"times that {self.run} was done", self.done(self.run), 1)
        left = self.world.forge.left()
        same("processes", left, [])
