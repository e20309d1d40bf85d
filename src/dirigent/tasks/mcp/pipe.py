"""The line to a server that is a process of the call: one message a line, and it ends with the call.

The process is on a tether (`shim.tether`): it cannot outlive the engine either.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dirigent.model import limits
from dirigent.model.values import Value
from dirigent.ports import Vault
from dirigent.shim import tether
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
    """Fits `session.Line`, over the pipes of a process. `tail` is the end of what it complained of."""

    process: Process
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
        inlet = self.process.stdin
        if inlet is None:
            raise TypeError(self.place)
        with suppress(ConnectionError):
            inlet.write(written(message) + b"\n")
            await inlet.drain()

    def agree(self, version: str) -> None:
        """Nothing to do: the messages do not name the version."""

    async def complain(self) -> None:
        """Read what the process writes to its standard error, and keep the end of it."""
        outlet = self.process.stderr
        while outlet is not None and (chunk := await outlet.read(CHUNK_BYTES)):
            self.tail += chunk
            del self.tail[:-TAIL_BYTES]

    async def _line(self) -> bytes:
        outlet = self.process.stdout
        while not self._lines:
            chunk = await outlet.read(CHUNK_BYTES) if outlet is not None else b""
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
        inlet = self.process.stdin
        if inlet is not None:
            inlet.close()
        words = "closed its output before the answer was complete"
        with suppress(TimeoutError):
            async with asyncio.timeout(PARTING_SECONDS):
                code = await self.process.wait()
                words = f"ended with exit code {code} before the answer was complete"
        shown = excerpt(str(self.vault.redact(bytes(self.tail).decode(errors="replace"))))
        if self.process.returncode == tether.UNSTARTED:
            return misconfigured(f"`{self.place}` could not be started: {shown}")
        return broken(f"`{self.place}` {words}" + (f": {shown}" if shown else ""))


@asynccontextmanager
async def running(
    program: Program, around: Surroundings, vault: Vault, place: str
) -> AsyncIterator[PipeLine]:
    """Start the server, and yield the line to it; afterwards nothing of it is left.

    At the end of a session its input is closed first, and it may end by itself.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", str(Path(tether.__file__)), str(os.getpid())),
        *(program.command, *program.arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        cwd=around.folder,
        env={**around.environment, **program.environment},
        start_new_session=True,
    )
    line = PipeLine(process, vault, place)
    listening = asyncio.ensure_future(line.complain())
    try:
        yield line
        if process.stdin is not None:
            process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(PARTING_SECONDS):
                await process.wait()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        listening.cancel()
        await process.wait()
