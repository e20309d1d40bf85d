"""The stack of a kill storm: one workflow for each kind of effect, and a server that counts them."""

import json
import threading
from collections import Counter
from contextlib import contextmanager
from pathlib import Path

from system.rig.world import Answer, Counting

API = """
openapi: 3.0.3
info: {title: counter, version: 1.0.0}
servers: [{url: "http://127.0.0.1:PORT"}]
paths:
  /keyed:
    post:
      operationId: charge
      parameters: [{name: Idempotency-Key, in: header, schema: {type: string}}]
      requestBody: {content: {application/json: {schema: {type: object, properties: {name: {type: string}}}}}}
      responses: {"200": {description: done}}
"""
STACK = """
stack: crowd
policy:
  http: {hosts: ["127.0.0.1:PORT"]}
inputs:
  turn: {type: integer, default: 0}
resources:
  left: {type: file, with: {path: files/left.txt, content: "${ \\"turn \\" + ($inputs.turn | tostring) }"}}
  right: {type: file, with: {path: files/right.txt, content: "${ \\"left of \\" + $resources.left.path }"}}
workflows:
  keyed:
    document: {dsl: 1.0.3, namespace: crowd, name: keyed, version: 1.0.0}
    do:
      - rest: {wait: {milliseconds: 150}}
      - look: {call: http, with: {method: get, endpoint: "http://127.0.0.1:PORT/look"}}
      - charge:
          call: openapi
          with:
            document: {endpoint: "http://127.0.0.1:PORT/api.yaml"}
            operationId: charge
            parameters: {body: {name: "${ $workflow.id }"}}
      - after: {set: {done: true}}
  unkeyed:
    document: {dsl: 1.0.3, namespace: crowd, name: unkeyed, version: 1.0.0}
    do:
      - rest: {wait: {milliseconds: 150}}
      - post:
          call: http
          with: {method: post, endpoint: "http://127.0.0.1:PORT/post", body: {name: "${ $workflow.id }"}}
      - after: {set: {done: true}}
  command:
    document: {dsl: 1.0.3, namespace: crowd, name: command, version: 1.0.0}
    do:
      - rest: {wait: {milliseconds: 150}}
      - write:
          run:
            shell:
              command: sh
              arguments: ["-c", "${ \\"echo done >> done/\\" + $workflow.id }"]
      - after: {set: {done: true}}
  timers:
    document: {dsl: 1.0.3, namespace: crowd, name: timers, version: 1.0.0}
    do:
      - first: {wait: {milliseconds: 5}}
      - both:
          fork:
            branches:
              - left: {wait: {milliseconds: 3}}
              - right:
                  do:
                    - look: {call: http, with: {method: get, endpoint: "http://127.0.0.1:PORT/look"}}
                    - rest: {wait: {milliseconds: 1}}
      - after: {set: {done: true}}
  parent:
    document: {dsl: 1.0.3, namespace: crowd, name: parent, version: 1.0.0}
    do:
      - rest: {wait: {milliseconds: 150}}
      - child:
          run:
            workflow: {namespace: crowd, name: child, version: 1.0.0, input: {name: "${ $workflow.id }"}}
      - after: {set: {done: true}}
  child:
    document: {dsl: 1.0.3, namespace: crowd, name: child, version: 1.0.0}
    do:
      - charge:
          call: openapi
          with:
            document: {endpoint: "http://127.0.0.1:PORT/api.yaml"}
            operationId: charge
            parameters: {body: {name: "${ .name }"}}
"""
# How often each comes up in a life; a command costs a process, so there are fewer.
KINDS = ("keyed", "unkeyed", "timers", "keyed", "parent", "unkeyed", "command", "timers")
# Those whose effect is counted, once each.
ONCE = ("keyed", "unkeyed", "parent", "command")


class Till(Counting):
    """Counts as its kind does, and honours keys at `/keyed`: an effect is counted once for each key."""

    def __init__(self):
        super().__init__()
        self.RequestHandlerClass = Keyed
        self.keys = {}
        self.guard = threading.Lock()
        self.repeated = 0


class Keyed(Answer):
    """Answers a known key as it did the first time, and refuses one with another body."""

    def answer_get(self):
        if self.path.startswith("/count/"):
            self._say(json.dumps(self.server.posts[self.path.rpartition("/")[2]]).encode())
        elif self.path == "/api.yaml":
            self._say(API.replace("PORT", str(self.server.server_port)).encode())
        else:
            self._say()

    def answer_post(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        name = json.loads(content)["name"]
        key = self.headers["Idempotency-Key"] if self.path == "/keyed" else None
        with self.server.guard:
            if key is None:
                self.server.posts[name] += 1
            elif key not in self.server.keys:
                self.server.keys[key] = content
                self.server.posts[name] += 1
            else:
                self.server.repeated += 1
        self._say(status=200 if key is None or self.server.keys[key] == content else 422)


@contextmanager
def counting():
    """Yield a server that runs in a thread of this process."""
    server = Till()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def settle(folder, port):
    """Write the stack into a folder."""
    folder = Path(folder)
    (folder / "done").mkdir(parents=True)
    (folder / "stack.yaml").write_text(STACK.replace("PORT", str(port)))


def times(folder, server, run):
    """Return how often the effect of a run has happened."""
    if not run.startswith("command"):
        return server.posts[run]
    path = Path(folder, "done", run)
    return len(path.read_text().splitlines()) if path.exists() else 0


def tally(folder, server, runs):
    """Return how many runs had no, one, or more effects, of those that have one."""
    return Counter(min(times(folder, server, run), 2) for run in runs if run.startswith(ONCE))
