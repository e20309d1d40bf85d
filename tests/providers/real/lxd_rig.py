"""An LXD of our own, as far as its provider speaks to one: REST over a Unix socket, objects in memory.

Law: an object is changed only by who has seen it as it is (`If-Match`), what does not exist is not found,
and what another object uses is not deleted. Operations in the background have ended before they are told of.
Held against LXD 5.0.2 by hand: the same stack gives the same plans with both (docs/decisions/0051).
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from tempfile import TemporaryDirectory

IMAGE = "0f" * 32
EXTENSIONS = ["network", "storage", "etag", "patch", "entity_description", "container_full", "projects"]
MADE = {
    "networks": {"managed": True, "type": "bridge", "status": "Created", "used_by": []},
    "storage-pools": {"status": "Created", "used_by": []},
    "volumes": {"type": "custom", "used_by": []},
    "profiles": {"used_by": []},
    "containers": {"architecture": "x86_64", "status": "Stopped", "status_code": 102, "stateful": False},
}
ABOUT = {
    "api_extensions": EXTENSIONS,
    "api_status": "stable",
    "api_version": "1.0",
    "auth": "trusted",
    "public": False,
    "config": {},
    "environment": {
        "architectures": ["x86_64"],
        "driver": "lxc",
        "server": "lxd",
        "server_version": "5.0.2",
    },
}
FIXED = {
    "": ABOUT,
    "images/aliases/box": {"name": "box", "target": IMAGE, "type": "container"},
    f"images/{IMAGE}": {
        "fingerprint": IMAGE,
        "architecture": "x86_64",
        "type": "container",
        "public": True,
    },
}


@dataclass(frozen=True)
class Lost(Exception):
    """What cannot be done: a status of HTTP, and the words for it."""

    status: int
    words: str


@dataclass
class World:
    """All objects, by their paths (`networks/a`, `storage-pools/p/volumes/custom/v`), and what was asked."""

    folder: Path
    objects: dict[str, dict[str, object]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, body: dict[str, object], seen: str) -> object:
        """Return what a request gets as metadata. Raises `Lost`."""
        if path in FIXED:
            return FIXED[path]
        if path.endswith("/state"):
            return self._state(method, path.removesuffix("/state"), body)
        if method == "POST":
            return self._made(path, body)
        if path not in self.objects:
            raise Lost(404, "not found")
        if method == "PUT":
            if seen and seen != tag_of(self.objects[path]):
                raise Lost(412, "ETag doesn't match")
            self.objects[path].update(body)
        if method == "DELETE":
            self._deleted(path)
            return None
        return self.objects[path]

    def _made(self, folder: str, body: dict[str, object]) -> object:
        path = f"{folder}/{body['name']}"
        if path in self.objects:
            raise Lost(409, "The object already exists")
        kind = "volumes" if "/volumes/" in path else folder
        if kind not in MADE:
            raise Lost(404, "not found")
        kept = {each: value for each, value in body.items() if each != "source"}
        self.objects[path] = {"description": "", "config": {}, "devices": {}, **MADE[kind], **kept}
        if kind == "containers":
            self.objects[path].update(expanded_config=kept.get("config", {}), expanded_devices={})
        return self.objects[path]

    def _deleted(self, path: str) -> None:
        name = path.rpartition("/")[2]
        if path.startswith("storage-pools/") and any(each.startswith(f"{path}/") for each in self.objects):
            raise Lost(400, "The storage pool is currently in use")
        if path.startswith("profiles/") and any(
            name in each.get("profiles", []) for each in self.objects.values()
        ):
            raise Lost(400, "Profile is currently in use")
        del self.objects[path]

    def _state(self, method: str, path: str, body: dict[str, object]) -> object:
        if path not in self.objects:
            raise Lost(404, "not found")
        if method == "PUT":
            running = body["action"] in ("start", "restart", "unfreeze")
            self.objects[path].update(
                status="Running" if running else "Stopped", status_code=103 if running else 102
            )
        now = {key: self.objects[path][key] for key in ("status", "status_code")}
        return {**now, "network": {}, "pid": 1}


def tag_of(thing: object) -> str:
    """Return the tag by which a change says what it has seen."""
    return hashlib.sha256(json.dumps(thing, sort_keys=True).encode()).hexdigest()


class _Listening(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True
    world: World


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listening

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, *words: object) -> None:
        """Stay silent: what was asked is kept in the world."""

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"{}")
        path = self.path.partition("?")[0].removeprefix("/1.0").strip("/")
        world = self.server.world
        with world.lock:
            world.asked.append(f"{self.command} {path}")
            try:
                found = world.answer(self.command, path, body, self.headers.get("If-Match") or "")
                status, told = _told(self.command, path, found)
                tag = tag_of(found)
            except Lost as lost:
                status, tag = lost.status, ""
                told = {"type": "error", "error": lost.words, "error_code": status, "metadata": None}
        content = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if tag:
            self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(content)


def _told(method: str, path: str, found: object) -> tuple[int, dict[str, object]]:
    if method != "GET" and path.startswith("containers"):
        ended = {"id": "1", "class": "task", "status": "Success", "status_code": 200, "err": ""}
        operation = {"type": "async", "status": "Operation created", "status_code": 100}
        return 202, {**operation, "operation": "/1.0/operations/1", "metadata": ended}
    return 200, {"type": "sync", "status": "Success", "status_code": 200, "metadata": found}


@contextmanager
def lxd() -> Iterator[World]:
    """Run one; `folder` of what is given is for the variable `LXD_DIR`."""
    # The path of a socket may not be long.
    with (
        TemporaryDirectory(prefix="lxd-") as folder,
        _Listening(f"{folder}/unix.socket", _Answering) as listening,
    ):
        listening.world = World(Path(folder))
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        try:
            yield listening.world
        finally:
            listening.shutdown()
            thread.join()
