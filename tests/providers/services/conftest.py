"""Real services: a small server to keep, a provider to ask, and no process left after the test."""

import asyncio
import json
import os
import sys
import time
import urllib.request
import uuid
from pathlib import Path

import pytest

from dirigent.model.ids import Address, EffectId, Position, RunId
from dirigent.model.resource import ResourceRow
from dirigent.model.run.effect import Order
from dirigent.model.values import SecretText
from dirigent.ports.resources import Operation
from dirigent.providers.services import control
from dirigent.providers.services.folder import MARK, ServiceFolder, folder_of
from dirigent.providers.services.provider import ServiceProvider
from dirigent.shim import pulse

# Answers every request with its version and process; `/health` fails while the file SICK exists.
SERVER = """
import os, signal, socket, sys, threading, time
busy = 0
def serve(connection):
    global busy
    with connection:
        rest = b""
        while True:
            while b"\\r\\n\\r\\n" not in rest:
                more = connection.recv(65536)
                if not more: return
                rest += more
            head, _, rest = rest.partition(b"\\r\\n\\r\\n")
            busy += 1
            path = head.split()[1].decode()
            if path == "/slow": time.sleep(float(os.environ.get("SLOW", "0.3")))
            sick = path == "/health" and os.path.exists(os.environ.get("SICK", ""))
            status = "503 sick" if sick else "200 ok"
            body = f"{os.environ['VERSION']} {os.getpid()} {path}".encode()
            answer = f"HTTP/1.1 {status}\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n"
            connection.sendall(answer.encode() + body)
            busy -= 1
            if b"close" in head: return
def leave(*_):
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("version", os.environ["VERSION"], "on", sys.argv[1], flush=True)
if os.environ.get("BROKEN"):
    print("cannot find the ledger", file=sys.stderr, flush=True)
    sys.exit(3)
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
"""


class Safe:
    """A vault with one secret."""

    def reveal(self, value):
        if isinstance(value, SecretText):
            return "".join(p if isinstance(p, str) else "s3cr3t-value" for p in value.parts)
        return value

    def redact(self, value):
        return json.loads(json.dumps(value).replace("s3cr3t-value", "(secret token)"))


class Desk:
    """Gives operations to a provider, as the engine does."""

    def __init__(self, tmp_path):
        self.services = str(tmp_path / "services")
        self.folder = tmp_path
        (tmp_path / "server.py").write_text(SERVER)
        surroundings = {"PATH": os.environ["PATH"]}
        self.provider = ServiceProvider(self.services, str(tmp_path), surroundings, Safe())
        self.row = None
        self.former = []

    def config(self, version="1", **changes):
        environment = {"VERSION": version, **changes.pop("environment", {})}
        return {
            "runtime": "process",
            "command": [sys.executable, "-I", "-S", "server.py", "{port}"],
            "environment": environment,
            "health": {"http": "/health", "interval": 0.1, "within": 60},
            "restart": {"delay": 0.02, "most": 0.1},
            "stop": {"grace": 2},
            **changes,
        }

    def operation(self, action, config, *, order=None, address="api", doubtful=False):
        order = order or uuid.uuid4().hex
        order = Order(RunId("r"), Position("/x"), 1, EffectId(order), "resource", None, doubtful=doubtful)
        return Operation(order, action, address, "service", config, self.row)

    async def apply(self, config, action="update", address="api", **changes):
        attributes, private = await self.provider.apply(
            self.operation(action, config, address=address, **changes)
        )
        self.row = ResourceRow(Address(address), "api", "service", config, attributes, private=private)
        return attributes

    async def delete(self, address="api"):
        if status := self.status(address):
            self.former.append(status.mark)
        return await self.provider.apply(self.operation("delete", {}, address=address))

    def at(self, address="api"):
        return folder_of(self.services, address)

    def status(self, address="api"):
        return self.at(address).status()

    def pids(self):
        return [replica["pid"] for replica in self.status().replicas]


async def until(holds, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.005)
    return found


@pytest.fixture
def wait_until():
    return until


@pytest.fixture
def fetch():
    return get


async def get(url, path="/"):
    """Return the version that answered."""
    return (await asyncio.to_thread(_get, url + path)).split()[0]


def _get(url):
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    left = []
    assert all(not pulse.alive(mark) for mark in made.former), "a steward outlived its service"
    for path in Path(made.services).iterdir() if Path(made.services).is_dir() else ():
        if (path / "desired.json").exists():
            # A test that failed, or that never meant to delete.
            asyncio.run(remove(path))
        deadline = time.monotonic() + 30.0
        while (found := pulse.bearing(MARK, str(path))) and time.monotonic() < deadline:
            time.sleep(0.01)
        left += found
    for pid in left:
        os.kill(pid, 9)
    assert not left, f"processes {left} outlived the test"


async def remove(path):
    await control.remove(ServiceFolder(path), 2.0)
