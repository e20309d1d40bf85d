"""A performer with its drivers, a document on disk, and brokers that are started where they are installed."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from dirigent.app.protocols import asyncapi, extras
from dirigent.jq import LANGUAGE
from dirigent.model.ids import EffectId
from dirigent.model.run.journal import Succeeded
from dirigent.tasks.asyncapi.call import AsyncApiPerformer
from dirigent.tasks.asyncapi.taking import Judge
from dirigent.tasks.openapi.document import within
from tasks.http.loopback import client_of, credentials_of, order_of

PATIENCE_SECONDS = 60


class NoWorker:
    """An expression worker that nobody may ask."""

    async def answer(self, questions):
        raise AssertionError(questions)


def three(protocol, port, address="orders", **more):
    """Return a document of AsyncAPI 3.0 with one operation, `go`."""
    return {
        "asyncapi": "3.0.0",
        "servers": {"main": {"host": f"127.0.0.1:{port}", "protocol": protocol, **more}},
        "channels": {"c": {"address": address, "servers": [{"$ref": "#/servers/main"}]}},
        "operations": {"go": {"action": "send", "channel": {"$ref": "#/channels/c"}}},
    }


class Rig:
    """Calls against one server. `tell` is what the engine tells when a result is durable."""

    def __init__(self, folder, document, port, credentials=None):
        (folder / "api.json").write_text(json.dumps(document))
        self.credentials = credentials or credentials_of()
        self.performer = AsyncApiPerformer(
            client_of(f"127.0.0.1:{port}"),
            self.credentials,
            within(folder),
            Judge(LANGUAGE, NoWorker()),
            asyncapi.drivers(extras.driver),
        )

    def order(self, *, attempt=1, **request):
        document = {"endpoint": "file://api.json", "authentication": None}
        given = {"document": document, "operation": "go", **request}
        extra = {name: given.pop(name) for name in ("doubtful", "on_doubt") if name in given}
        return order_of(given, function="asyncapi", attempt=attempt, **extra)

    async def call(self, **request):
        return await self.performer.perform(self.order(**request))

    async def send(self, number):
        """Send a message of its own effect, which carries its number."""
        order = self.order(message={"payload": {"n": number}})
        return await self.performer.perform(replace(order, id=EffectId(f"{number:032x}")))

    async def take(self, attempt=1, only=None, **consume):
        subscription = {"consume": consume, "filter": only}
        return await self.call(attempt=attempt, subscription=subscription)

    async def durable(self, attempt=1):
        """Say that the result of an attempt is in the journal, and wait until that was acted upon."""
        order = self.order(attempt=attempt)
        self.performer.hear(order.run, [Succeeded(0.0, order.position, attempt, None)])
        while self.performer._settling:
            await asyncio.wait(set(self.performer._settling))

    async def next(self, after=None, number=1, *, only=None, last=False, leave=False, **consume):
        """Take one message of a stream as the core asks for it; each has an attempt of its own here."""
        stream = {"id": "5" * 32, "after": after, "last": last, "leave": leave}
        consume = {"amount": 1, **consume}
        return await self.call(
            attempt=number, subscription={"consume": consume, "filter": only}, stream=stream
        )

    async def told(self, number=1, fact=Succeeded):
        """Say what became of such a message, and wait until that was acted upon."""
        order = self.order(attempt=number)
        more = (None,) if fact is Succeeded else ()
        self.performer.hear(order.run, [fact(0.0, order.position, number, *more)])
        await self.performer.streams.settled()

    async def dies(self):
        """Let all connections fall, as the death of the engine does."""
        await self.performer.streams.close()


@contextmanager
def broker(name, arguments, folder):
    """Start a broker that is given its port by the system; skip the test where it is not installed."""
    program = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if program is None:
        pytest.skip(f"{name} is not installed")
    for _ in range(5):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        command = [program, *arguments(port, folder)]
        with Path(folder, "broker.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
        try:
            if listening(port, process):
                yield port
                return
        finally:
            process.kill()
            process.wait()
    pytest.fail(Path(folder, "broker.log").read_text())


def listening(port, process):
    """Wait until the process itself listens on its port; it may have lost that to another, and ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(FileNotFoundError):
            own = {str(each.readlink()) for each in Path(f"/proc/{process.pid}/fd").iterdir()}
            rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
            listens = [row[9] for row in rows if row[3] == "0A" and int(row[1].partition(":")[2], 16) == port]
            if any(f"socket:[{inode}]" in own for inode in listens):
                return True
        time.sleep(0.01)
    return False
