"""The Engine API of Docker, which Podman speaks too, over its unix socket; only what is in it since 1.24.

Rule: a lost connection says nothing about a container; whoever asks decides what to make of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

import aiohttp

from dirigent.model.problem import refuse
from dirigent.model.values import Value

OLDEST: Final = (1, 24)
NEWEST: Final = (1, 51)
CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 60.0
CHUNK_BYTES: Final = 64 * 1024
# A frame of a log: the stream, three zeros, and the length of what follows.
FRAME_BYTES: Final = 8
STDOUT: Final = 1
OK: Final = 300
NOT_MODIFIED: Final = 304
NOT_FOUND: Final = 404
CONFLICT: Final = 409
HEAD_BYTES: Final = 64 * 1024
# The header that says who we are to a registry.
CREDENTIAL: Final = "X-Registry-Auth"
NOTHING: Final[Mapping[str, str]] = {}


class Unreachable(Exception):
    """The runtime does not answer, or stopped to."""


class Refused(Exception):
    """The runtime answered that it will not; `status` is that of HTTP, the message its own words."""

    def __init__(self, status: int, words: str) -> None:
        """Keep the status."""
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Seen:
    """A container as the runtime shows it. `status` is created, running, exited and so on."""

    id: str
    status: str
    code: int
    labels: Mapping[str, str]
    finished: str = ""
    starved: bool = False

    @property
    def over(self) -> bool:
        """Return whether its process has ended."""
        return self.status in {"exited", "dead"}


@dataclass(slots=True)
class Log:
    """What a container wrote, of each stream at most `limit` bytes."""

    limit: int
    stdout: bytearray
    stderr: bytearray
    stdout_truncated: bool = False
    stderr_truncated: bool = False

    def add(self, stream: int, content: bytes) -> None:
        """Keep a piece of a stream, or note that some is missing."""
        kept = self.stdout if stream == STDOUT else self.stderr
        room = self.limit - len(kept)
        kept += content[:room]
        if len(content) > room:
            self.stdout_truncated |= stream == STDOUT
            self.stderr_truncated |= stream != STDOUT


def socket_of(environ: Mapping[str, str]) -> str:
    """Return the path of the socket: that of `DOCKER_HOST`, else the first that is there.

    Raises `Refusal` (E4125, E4126).
    """
    named = environ.get("DOCKER_HOST", "")
    if named:
        if not named.startswith("unix://"):
            raise refuse(
                "E4126",
                f"`DOCKER_HOST` is `{named}`, and containers are run over a socket of this machine only",
                "set it to `unix:///var/run/docker.sock`, or leave it unset",
            )
        return named.removeprefix("unix://")
    own = environ.get("XDG_RUNTIME_DIR", "")
    usual = [
        "/var/run/docker.sock",
        *([f"{own}/podman/podman.sock"] if own else []),
        "/run/podman/podman.sock",
    ]
    for path in usual:
        if Path(path).exists():
            return path
    raise refuse(
        "E4125",
        f"no container runtime is there: none of {', '.join(f'`{path}`' for path in usual)} exists",
        "start Docker, or `podman system service`, or name its socket in `DOCKER_HOST`",
    )


class Runtime:
    """Talks to one runtime. Raises `Unreachable` and `Refused`."""

    def __init__(self, socket: str) -> None:
        """Take the path of its socket."""
        self._socket = socket
        self._version = ""

    async def inspect(self, name: str) -> Seen | None:
        """Return a container by name or id, or None."""
        try:
            found = await self._json("GET", f"/containers/{quote(name)}/json")
        except Refused as refused:
            if refused.status == NOT_FOUND:
                return None
            raise
        return _seen(found)

    async def ended(self, label: str) -> list[str]:
        """Return the ids of ended containers that bear a label."""
        filters = json.dumps({"label": [label], "status": ["exited", "dead"]})
        found = await self._json("GET", "/containers/json?" + urlencode({"all": "1", "filters": filters}))
        return (
            [str(each["Id"]) for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        )

    async def create(self, name: str, wanted: dict[str, Value]) -> str:
        """Create a container and return its id."""
        found = await self._json("POST", f"/containers/create?{urlencode({'name': name})}", wanted)
        return str(found["Id"]) if isinstance(found, dict) else ""

    async def pull(self, name: str, tag: str, credential: str = "") -> None:
        """Fetch an image, as who the header says. Its trouble stands in the stream that it answers with."""
        path = "/images/create?" + urlencode({"fromImage": name, "tag": tag})
        headers = {CREDENTIAL: credential} if credential else {}
        async with self._asked("POST", path, None, None, headers) as response:
            async for line in response.content:
                with suppress(ValueError):
                    said = json.loads(line)
                    if isinstance(said, dict) and said.get("error"):
                        raise Refused(NOT_FOUND, str(said["error"]))

    async def start(self, container: str) -> None:
        """Start it; one that runs stays as it is."""
        await self._json("POST", f"/containers/{container}/start")

    async def wait(self, container: str) -> None:
        """Return when it has ended."""
        async with self._asked(
            "POST", f"/containers/{container}/wait?condition=not-running", None, None
        ) as response:
            await response.read()

    async def log(self, container: str, limit: int) -> Log:
        """Return what it wrote."""
        log = Log(limit, bytearray(), bytearray())
        path = f"/containers/{container}/logs?stdout=1&stderr=1"
        async with self._asked("GET", path, None, None) as response:
            content = response.content
            with suppress(asyncio.IncompleteReadError):
                while True:
                    head = await content.readexactly(FRAME_BYTES)
                    left = int.from_bytes(head[4:], "big")
                    while left:
                        piece = await content.read(min(left, CHUNK_BYTES))
                        if not piece:
                            return log
                        log.add(head[0], piece)
                        left -= len(piece)
        return log

    async def stop(self, container: str, grace_seconds: float) -> None:
        """End it: TERM, then KILL after the grace."""
        path = f"/containers/{container}/stop?t={max(1, round(grace_seconds))}"
        async with self._asked("POST", path, None, grace_seconds + ANSWER_SECONDS):
            return

    async def remove(self, container: str) -> None:
        """Remove it with the volumes that are its own; one that is gone is gone."""
        with suppress(Refused):
            await self._json("DELETE", f"/containers/{container}?force=1&v=1")

    @asynccontextmanager
    async def fed(self, container: str) -> AsyncIterator[asyncio.StreamWriter]:
        """Yield where the standard input of a container is written; leaving the block lets go of it."""
        path = f"{await self._prefix()}/containers/{container}/attach?stream=1&stdin=1"
        head = f"POST {path} HTTP/1.1\r\nHost: runtime\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        try:
            reader, writer = await asyncio.open_unix_connection(self._socket, limit=HEAD_BYTES)
        except OSError as error:
            raise Unreachable(error.strerror or type(error).__name__) from None
        try:
            # Whatever is drained lies with the system then, and outlives this process.
            writer.transport.set_write_buffer_limits(high=0)
            writer.write(f"{head}Content-Length: 0\r\n\r\n".encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            status = answer.split(b" ", 2)[1]
            if status not in {b"101", b"200"}:
                raise Refused(int(status), "the standard input cannot be attached to")
            yield writer
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Unreachable("the connection for the standard input broke") from None
        finally:
            # What is not written yet nobody will read any more.
            writer.transport.abort()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _json(self, method: str, path: str, body: Value = None) -> Value:
        async with self._asked(method, path, body, ANSWER_SECONDS) as response:
            content = await response.read()
        if not content:
            return None
        try:
            found: Value = json.loads(content)
        except ValueError:
            raise Refused(response.status, "the runtime answered with something that is not JSON") from None
        return found

    @asynccontextmanager
    async def _asked(
        self,
        method: str,
        path: str,
        body: Value,
        seconds: float | None,
        headers: Mapping[str, str] = NOTHING,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Yield the answer to a question, or raise; `seconds` None waits for ever."""
        prefix = await self._prefix()
        async with self._answered(method, prefix + path, body, seconds, headers) as response:
            if response.status >= OK and response.status != NOT_MODIFIED:
                raise Refused(response.status, _words(await response.read()))
            yield response

    @asynccontextmanager
    async def _answered(
        self,
        method: str,
        path: str,
        body: Value,
        seconds: float | None,
        headers: Mapping[str, str] = NOTHING,
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        timeout = aiohttp.ClientTimeout(total=seconds, connect=CONNECT_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.UnixConnector(self._socket), timeout=timeout
                ) as session,
                session.request(method, f"http://runtime{path}", json=body, headers=headers) as response,
            ):
                yield response
        except TimeoutError:
            raise Unreachable(f"no answer within {seconds:g} s") from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(str(getattr(error, "strerror", "") or type(error).__name__)) from None

    async def _prefix(self) -> str:
        """Return the version of the API that both sides know, as the beginning of a path."""
        if not self._version:
            async with self._answered("GET", "/version", None, ANSWER_SECONDS) as response:
                said: Value = json.loads(await response.read())
            members = said if isinstance(said, dict) else {}
            theirs, oldest = _version(members.get("ApiVersion")), _version(members.get("MinAPIVersion"))
            if theirs < OLDEST or oldest > NEWEST:
                raise refuse(
                    "E4127",
                    f"the container runtime speaks version `{members.get('ApiVersion')}` of the Engine API, "
                    f"and {OLDEST[0]}.{OLDEST[1]} to {NEWEST[0]}.{NEWEST[1]} are known here",
                    "use a Docker from 1.12 on, or a newer Dirigent",
                )
            major, minor = min(theirs, NEWEST)
            self._version = f"/v{major}.{minor}"
        return self._version


def _version(said: Value) -> tuple[int, int]:
    major, _, minor = str(said).partition(".")
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (1, 40)


def _seen(found: Value) -> Seen:
    members = found if isinstance(found, dict) else {}
    state, config = members.get("State"), members.get("Config")
    state = state if isinstance(state, dict) else {}
    labels = config.get("Labels") if isinstance(config, dict) else None
    code = state.get("ExitCode")
    return Seen(
        id=str(members.get("Id")),
        status=str(state.get("Status")),
        code=code if isinstance(code, int) else 0,
        labels={name: str(text) for name, text in labels.items()} if isinstance(labels, dict) else {},
        finished=str(state.get("FinishedAt")),
        starved=state.get("OOMKilled") is True,
    )


def _words(body: bytes) -> str:
    """Return what the runtime says of a refusal."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    message = said.get("message") if isinstance(said, dict) else None
    return str(message or body.decode("utf-8", "replace"))[:500]
