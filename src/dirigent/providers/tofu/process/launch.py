"""Start a provider: on a tether, in a folder of its own that nobody else may enter, without TLS.

Rule: it cannot outlive us, and nothing that it writes is waited for or kept beyond a tail.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import field
from pathlib import Path
from typing import Final

from dirigent.model import limits
from dirigent.model.record import dataclass
from dirigent.providers.tofu.process.complaints import evidence
from dirigent.providers.tofu.process.handshake import Handshake, NoHandshake, read_handshake
from dirigent.shim import tether, tie

# What every plug-in of this family wants to see before it believes that it was started by a host.
COOKIE: Final = {
    "TF_PLUGIN_MAGIC_COOKIE": "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
    "PLUGIN_PROTOCOL_VERSIONS": "5,6",
}
CHUNK_BYTES: Final = 64 * 1024
LINE_BYTES: Final = 64 * 1024


class NotStarted(Exception):
    """A provider did not come up; the message says why, with what it complained of."""


@dataclass(slots=True)
class Plugin:
    """A provider that runs. `tail` is the end of all that it has written besides its first line."""

    process: subprocess.Popen[bytes]
    handshake: Handshake
    listening: asyncio.Future[None]
    tail: bytearray = field(default_factory=bytearray)

    @property
    def evidence(self) -> str:
        """Return what of its last words tells a person why it failed; may be empty."""
        return evidence(bytes(self.tail))

    async def has_ended(self) -> bool:
        """Return whether it is gone, once all that it complained of was heard; it has a moment to end."""
        try:
            await asyncio.to_thread(self.process.wait, limits.PROVIDER_PARTING_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        await asyncio.wait([self.listening], timeout=limits.PROVIDER_PARTING_SECONDS)
        return True


@asynccontextmanager
async def launched(
    program: str, environment: Mapping[str, str], home: str | None = None
) -> AsyncIterator[Plugin]:
    """Yield a provider that has said where it listens; afterwards nothing of it is left.

    It takes the paths of its objects from `home`, the folder of its program when none is given.

    Raises:
        NotStarted: when it cannot be started, ends, or says anything but a handshake in time.
    """
    async with AsyncExitStack() as stack:
        # Its socket lies in here: sockets of Unix have short names, so this is not under the state folder.
        folder = tempfile.mkdtemp(prefix="dirigent-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        speech, errors, process = await _started(
            stack, program, {**environment, "TMPDIR": folder}, home or str(Path(program).parent)
        )
        tail = bytearray()
        listening = asyncio.ensure_future(_drain(errors, tail))
        stack.callback(listening.cancel)
        handshake = await _greeted(speech, process, tail, listening)
        # Whatever it says now on its standard output is noise, but a full pipe would stop it.
        talking = asyncio.ensure_future(_drain(speech, tail))
        stack.callback(talking.cancel)
        yield Plugin(process, handshake, listening, tail)


async def _started(
    stack: AsyncExitStack, program: str, environment: dict[str, str], home: str
) -> tuple[asyncio.StreamReader, asyncio.StreamReader, subprocess.Popen[bytes]]:
    ours, theirs = socket.socketpair()
    hearing, complaining = socket.socketpair()
    # Whoever gives up before there are streams leaves nothing open.
    stack.callback(ours.close)
    stack.callback(hearing.close)
    with theirs, complaining:
        try:
            process = tie.tied(
                [program],
                {**environment, **COOKIE, "PLUGIN_UNIX_SOCKET_DIR": environment["TMPDIR"]},
                home,
                (theirs.fileno(), complaining.fileno()),
            )
        except OSError as error:
            raise NotStarted(f"it cannot be started in `{home}`: {error.strerror or error}") from None
    stack.push_async_callback(_ended, process)
    speech, mouth = await asyncio.open_unix_connection(sock=ours, limit=LINE_BYTES)
    stack.callback(mouth.close)
    errors, deaf = await asyncio.open_unix_connection(sock=hearing)
    stack.callback(deaf.close)
    return speech, errors, process


async def _ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    # The tether ends as soon as it is told to, and takes all with it.
    await asyncio.to_thread(process.wait)


async def _greeted(
    speech: asyncio.StreamReader,
    process: subprocess.Popen[bytes],
    tail: bytearray,
    listening: asyncio.Future[None],
) -> Handshake:
    try:
        async with asyncio.timeout(limits.PROVIDER_START_SECONDS):
            line = await speech.readline()
            if line.endswith(b"\n"):
                return read_handshake(line.decode(errors="replace"))
            # It is gone, and what it complained of is under way still.
            await asyncio.wait([listening], timeout=limits.PROVIDER_PARTING_SECONDS)
    except TimeoutError:
        raise NotStarted(
            f"it did not say where it listens within {limits.PROVIDER_START_SECONDS:g} seconds"
        ) from None
    except (NoHandshake, ValueError) as error:
        raise NotStarted(str(error)) from None
    code = await asyncio.to_thread(_code, process)
    words = "it could not be started" if code == tether.UNSTARTED else f"it ended with exit code {code}"
    raise NotStarted(": ".join(filter(None, [words, evidence(bytes(tail))])))


def _code(process: subprocess.Popen[bytes]) -> int | None:
    try:
        return process.wait(limits.PROVIDER_PARTING_SECONDS)
    except subprocess.TimeoutExpired:
        return None


async def _drain(stream: asyncio.StreamReader, tail: bytearray) -> None:
    while chunk := await stream.read(CHUNK_BYTES):
        tail += chunk
        del tail[: -limits.PROVIDER_TAIL_BYTES]
