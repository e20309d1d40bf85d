"""The constructs that wait for the world, each with what is counted of it."""

import json
from dataclasses import dataclass

A2A_RESULT = {"kind": "task", "id": "x", "status": {"state": "completed"}}
MCP_RESULT = {"protocolVersion": "2025-06-18", "contents": []}
WAITS = "touch begun-process-$$; while [ ! -e gate ]; do sleep 0.01; done; printf done"
SCRIPT = """import pathlib, os, time
pathlib.Path(f"begun-process-{os.getpid()}").touch()
while not pathlib.Path("gate").exists(): time.sleep(0.01)
print("done", end="")
"""
CHILD = f"do: [{{inner: {{run: {{shell: {{command: '{WAITS}'}}}}}}}}]"


@dataclass(frozen=True)
class Construct:
    """One construct: the task, what is counted of it, and whether a repeat after a crash is harmless.

    `output` is that of the task. `timer` is the purpose of the timer it waits for, if it is one. A `child`
    is suspended with its parent, so it ends nothing meanwhile.
    """

    task: str
    counted: str
    output: object
    repeatable: bool = False
    timer: str = ""
    failures: int = 0
    at: str = "/do/0/first"
    child: bool = False


CONSTRUCTS = {
    "call http": Construct(
        "{call: http, with: {method: get, endpoint: URL/slow}}", "slow", "slow", repeatable=True
    ),
    "call openapi": Construct(
        "{call: openapi, with: {document: {endpoint: URL/openapi.json}, operationId: slow}}",
        "slow",
        "slow",
        repeatable=True,
    ),
    "call grpc": Construct(
        "{call: grpc, with: {proto: {endpoint: 'file://slow.proto'}, method: Look,"
        " service: {name: Slow, host: 127.0.0.1, port: PORT}}}",
        "slow",
        {},
        repeatable=True,
    ),
    "call mcp": Construct(
        "{call: mcp, with: {method: resources/read, parameters: {uri: x},"
        " transport: {http: {endpoint: URL/mcp}}}}",
        "slow",
        MCP_RESULT,
        repeatable=True,
    ),
    "call a2a": Construct(
        "{call: a2a, with: {method: tasks/get, server: URL/a2a, parameters: {id: x}}}",
        "slow",
        A2A_RESULT,
        repeatable=True,
    ),
    "call asyncapi": Construct(
        "{call: asyncapi, with: {document: {endpoint: 'file://slow.asyncapi.json'}, operation: look,"
        " subscription: {consume: {amount: 1}}}, output: {as: '[.[].payload]'}}",
        "stream",
        [{"n": 0}],
        repeatable=True,
    ),
    "call asyncapi for each message": Construct(
        "{call: asyncapi, with: {document: {endpoint: 'file://each.asyncapi.json'}, operation: look,"
        " subscription: {consume: {amount: 2}, foreach: {item: message, do:"
        " [{keep: {set: '${ $message.payload }'}}]}}}}",
        "kafka",
        [{"n": 0}, {"n": 1}],
        repeatable=True,
    ),
    "run shell": Construct(f"{{run: {{shell: {{command: '{WAITS}'}}}}}}", "process", "done"),
    "run script": Construct(
        f"{{run: {{script: {{language: python, code: {json.dumps(SCRIPT)}}}}}}}", "process", "done"
    ),
    "call http with a token": Construct(
        "{call: http, with: {method: get, endpoint: {uri: URL/slow, authentication: {oauth2: {authority: URL,"
        " grant: client_credentials, client: {id: us, secret: s3cret}}}}}}",
        "slow",
        "slow",
        repeatable=True,
    ),
    "run container": Construct("{run: {container: {image: 'box:1'}}}", "process", "done"),
    "run workflow": Construct(
        "{run: {workflow: {namespace: tests, name: child}}}", "process", "done", child=True
    ),
    "wait": Construct("{wait: PT1H}", "", {}, timer="wait"),
    "try retry": Construct(
        "{try: [{call: {call: http, with: {method: get, endpoint: URL/failing}}}],"
        " catch: {retry: {delay: PT1H, limit: {attempt: {count: 3}}}}}",
        "failing",
        "failing",
        repeatable=True,
        timer="retry",
        failures=1,
    ),
}
