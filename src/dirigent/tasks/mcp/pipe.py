"""The line to a server that is a process of the call: one message a line, and it ends with the call.

The process is on a tether (`shim.tether`): it cannot outlive the engine either.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

from dirigent.model import limits
from dirigent.model.values import Value
from dirigent.ports import Vault
from dirigent.shim import tether, tie
from dirigent.tasks.http.answer import excerpt
from dirigent.tasks.http.failure import CallFailed, broken, misconfigured
from dirigent.tasks.mcp.request import Program
from dirigent.tasks.process import Surroundings
from dirigent.tasks.rpc.message import is_answer, messages_of, reply_to, written

CHUNK_BYTES: Final = 64 * 1024
TAIL_BYTES: Final = 4096
# How long a server that was told to end by its closed input may take before it is killed.
PARTING_SECONDS: Final = 2.0


@dataclass(slots=True)
class PipeLine:
    """Fits `session.Line`, over the streams of a process. `tail` is the end of what it complained of."""

    process: subprocess.Popen[bytes]
    outlet: StreamReader
    inlet: StreamWriter
    vault: Vault
    place: str
    tail: bytearray = field(default_factory=bytearray)
    _rest: bytearray = field(default_factory=bytearray)
    _lines: list[bytes] = field(default_factory=list)

    async def ask(self, message: dict[str, Value]) -> dict[str, Value]:
        """Write a request and return its answer."""
        await self.tell(message)
        while True:
            for each in messages_of(await self._line(), self.place):
                if is_answer(each, str(message["id"])):
                    return each
                reply = reply_to(each)
                if reply is not None:
                    await self.tell(reply)

    async def tell(self, message: dict[str, Value]) -> None:
        """Write a message. One that the process does not read is no failure yet: its silence is."""
        with suppress(ConnectionError):
            self.inlet.write(written(message) + b"\n")
            await self.inlet.drain()

    def agree(self, version: str) -> None:
        """Nothing to do: the messages do not name the version."""

    async def complain(self, outlet: StreamReader) -> None:
        """Read what the process writes to its standard error, and keep the end of it."""
        with suppress(ConnectionError):
            while chunk := await outlet.read(CHUNK_BYTES):
                self.tail += chunk
                del self.tail[:-TAIL_BYTES]

    async def part(self) -> None:
        """Close the input of the process and let it end by itself, if it does so soon."""
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(PARTING_SECONDS):
                self.inlet.write_eof()
                while await self.outlet.read(CHUNK_BYTES):
                    continue

    async def _line(self) -> bytes:
        while not self._lines:
            chunk = b""
            with suppress(ConnectionError):
                chunk = await self.outlet.read(CHUNK_BYTES)
            if not chunk:
                raise await self._ended()
            *lines, rest = chunk.split(b"\n")
            if lines:
                lines[0] = bytes(self._rest) + lines[0]
                self._rest.clear()
                self._lines = [line for line in reversed(lines) if line.strip()]
            self._rest += rest
            if len(self._rest) > limits.HTTP_RESPONSE_BYTES:
                raise broken(f"`{self.place}` wrote more than {limits.HTTP_RESPONSE_BYTES} bytes in one line")
        return self._lines.pop()

    async def _ended(self) -> CallFailed:
        """Return the failure of a process that closed its output, with its last words."""
        code = await asyncio.to_thread(_exit_code, self.process)
        words = "closed its output" if code is None else f"ended with exit code {code}"
        shown = excerpt(str(self.vault.redact(bytes(self.tail).decode(errors="replace"))))
        if code == tether.UNSTARTED:
            return misconfigured(f"`{self.place}` could not be started: {shown}")
        detail = f"`{self.place}` {words} before the answer was complete"
        return broken(f"{detail}: {shown}" if shown else detail)


def _exit_code(process: subprocess.Popen[bytes]) -> int | None:
    """Return how a process ended, or None when it does not."""
    try:
        return process.wait(PARTING_SECONDS)
    except subprocess.TimeoutExpired:
        return None


@asynccontextmanager
async def running(
    program: Program, around: Surroundings, vault: Vault, place: str
) -> AsyncIterator[PipeLine]:
    """Start the server, and yield the line to it; afterwards nothing of it is left.

    At the end of a session its input is closed first, and it may end by itself.
    """
    ours, theirs = socket.socketpair()
    hearing, complaining = socket.socketpair()
    with theirs, complaining:
        process = tie.tied(
            [program.command, *program.arguments],
            {**around.environment, **program.environment},
            around.folder,
            (theirs.fileno(), complaining.fileno()),
        )
    try:
        outlet, inlet = await asyncio.open_unix_connection(sock=ours)
        errors, deaf = await asyncio.open_unix_connection(sock=hearing)
        line = PipeLine(process, outlet, inlet, vault, place)
        listening = asyncio.ensure_future(line.complain(errors))
        try:
            yield line
            await line.part()
        finally:
            listening.cancel()
            inlet.close()
            deaf.close()
    finally:
        process.terminate()
        # The tether ends as soon as it is told to, and takes all with it.
        await asyncio.to_thread(process.wait)
