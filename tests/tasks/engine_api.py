"""A runtime of containers on a unix socket: the Engine API as far as it is used, over programs in Python.

A program takes the container and returns its exit code, what it writes to stdout, and to stderr.
"""

import asyncio
import json
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

from dirigent.tasks.container.performer import ContainerPerformer
from dirigent.tasks.container.registry import Registries
from dirigent.tasks.process import Surroundings
from tasks.http.loopback import seen_by, vault_of


@dataclass
class Container:
    id: str
    name: str
    body: dict
    status: str = "created"
    code: int = 0
    stdin: bytes | None = None
    log: bytes = b""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    finished: str = "2026-11-23T12:00:00.123456789Z"


def frames(out, err):
    pieces = [(1, out), (2, err)]
    return b"".join(bytes([n, 0, 0, 0]) + len(p).to_bytes(4, "big") + p for n, p in pieces if p)


class FakeRuntime:
    """What a runtime keeps and what it was told. `images` are those that lie here, `remote` those to pull."""

    def __init__(self, program=lambda container: (0, b"", b"")):
        self.program = program
        self.images = {"box:1"}
        self.remote = set()
        self.containers = {}
        self.told = []
        self.auths = []
        self.version = {"ApiVersion": "1.41", "MinAPIVersion": "1.12"}
        self.tasks = []
        self.started = asyncio.Event()

    async def answer(self, reader, writer):
        try:
            seen = await seen_by(reader)
            if seen is None:
                return
            url = urlsplit(seen.target)
            query = {name: texts[0] for name, texts in parse_qs(url.query).items()}
            path = url.path.split("/", 2)[2] if url.path.startswith("/v1.") else url.path[1:]
            self.told.append(f"{seen.method} {path}")
            if path.endswith("/attach"):
                await self.fed(self.found(path.split("/")[1]), reader, writer)
                return
            reply = await self.reply(seen, path, query)
            writer.write(reply if isinstance(reply, bytes) else http(*reply))
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    def found(self, name):
        return next((c for c in self.containers.values() if name in (c.id, c.name)), None)

    async def reply(self, seen, path, query):
        parts = path.split("/")
        match seen.method, parts:
            case "GET", ["version"]:
                return 200, self.version
            case "POST", ["containers", "create"]:
                return self.create(json.loads(seen.body), query)
            case "POST", ["images", "create"]:
                self.auths.append(seen.headers.get("x-registry-auth", ""))
                return self.pull(f"{query['fromImage']}:{query['tag']}")
            case "GET", ["containers", "json"]:
                wanted = json.loads(query["filters"])
                (label,) = wanted["label"]
                assert "exited" in wanted["status"]
                ended = [each for each in self.containers.values() if each.status == "exited"]
                return 200, [{"Id": each.id} for each in ended if label in each.body["Labels"]]
        container = self.found(parts[1])
        if container is None:
            return 404, {"message": f"No such container: {parts[1]}"}
        return await self.of_container(seen.method, parts[-1], container)

    async def of_container(self, method, verb, container):
        match method, verb:
            case "POST", "start":
                container.status = "running"
                self.started.set()
                self.tasks.append(asyncio.create_task(self.run(container)))
                return 204, None
            case "POST", "wait":
                await container.over.wait()
                return 200, {"StatusCode": container.code}
            case "POST", "stop":
                container.code = 143
                container.let_go.set()
                self.ended(container)
                return 204, None
            case "GET", "logs":
                return http(200, container.log)
            case "DELETE", _:
                del self.containers[container.id]
                return 204, None
        state = {"Status": container.status, "ExitCode": container.code, "FinishedAt": container.finished}
        return 200, {"Id": container.id, "State": state, "Config": {"Labels": container.body["Labels"]}}

    def create(self, body, query):
        image = body["Image"]
        if (image if ":" in image else f"{image}:latest") not in self.images:
            return 404, {"message": f"No such image: {body['Image']}"}
        if self.found(query["name"]):
            return 409, {"message": "Conflict. The container name is already in use"}
        container = Container(f"c{len(self.told)}", query["name"], body)
        self.containers[container.id] = container
        return 201, {"Id": container.id}

    def pull(self, image):
        if image not in self.remote:
            return http(200, b'{"status":"looking"}\n{"error":"manifest unknown"}\n')
        self.images.add(image)
        return http(200, b'{"status":"done"}\n')

    async def run(self, container):
        found = self.program(container)
        if asyncio.iscoroutine(found):
            found = await found
        if container.over.is_set():
            return
        container.code, out, err = found
        container.log = frames(out, err)
        self.ended(container)

    def ended(self, container):
        container.status = "exited"
        container.over.set()
        if container.body["HostConfig"]["AutoRemove"]:
            self.containers.pop(container.id, None)

    async def fed(self, container, reader, writer):
        writer.write(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        await writer.drain()
        container.stdin = await reader.read()
        container.let_go.set()


def http(status, body):
    content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


@asynccontextmanager
async def running(folder, program=lambda container: (0, b"", b""), **plan):
    """Yield a fake runtime and a performer that knows its socket."""
    runtime = FakeRuntime(program)
    for name, value in plan.items():
        setattr(runtime, name, value)
    async with listening(runtime) as socket:
        (folder / "d.sock").symlink_to(socket)
        yield runtime, performer_of(folder, socket)


@asynccontextmanager
async def listening(runtime):
    """Yield the socket of a fake runtime. Its path is short: that of a test may be too long for a socket."""
    with TemporaryDirectory() as short:
        socket = str(Path(short, "d.sock"))
        server = await asyncio.start_unix_server(runtime.answer, socket)
        try:
            yield socket
        finally:
            server.close()
            await server.wait_closed()
            for task in runtime.tasks:
                task.cancel()
            await asyncio.gather(*runtime.tasks, return_exceptions=True)


class RuntimeOfItsOwn:
    """A fake runtime in a thread, which outlives the loops of those who ask it."""

    def __init__(self, program):
        self._began, self.socket = threading.Event(), ""
        self._thread = threading.Thread(target=asyncio.run, args=(self._stands(program),), daemon=True)
        self._thread.start()
        self._began.wait(60)

    async def _stands(self, program):
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with listening(FakeRuntime(program)) as self.socket:
            self._began.set()
            await self._over.wait()

    def close(self):
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(60)


def performer_of(folder, socket):
    around = Surroundings(str(folder / "spool"), str(folder), {}, 1.0, 1000)
    return ContainerPerformer(around, Registries({}, vault_of(token="t0psecret-canary")), lambda: socket)
