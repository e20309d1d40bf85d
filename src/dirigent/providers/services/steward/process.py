"""One program of the service, from its start to its end, with its output in the log."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from dirigent.shim import child, watch

LINE_BYTES: Final = 16 * 1024
KILL_SECONDS: Final = 5.0

Say = Callable[[str, str], None]


class Lines(asyncio.Protocol):
    """Cuts one output stream into lines; a line that is too long becomes several."""

    def __init__(self, stream: str, say: Say) -> None:
        """Give each line to `say` with the name of the stream."""
        self._stream = stream
        self._say = say
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        """Say the lines that are whole."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._tell(line)
        while len(self._rest) >= LINE_BYTES:
            self._tell(self._rest[:LINE_BYTES])
            self._rest = self._rest[LINE_BYTES:]

    def connection_lost(self, _reason: Exception | None) -> None:
        """Say what came without an end of line."""
        if self._rest:
            self._tell(self._rest)
            self._rest = b""

    def _tell(self, line: bytes) -> None:
        for start in range(0, max(len(line), 1), LINE_BYTES):
            piece = line[start : start + LINE_BYTES]
            self._say(self._stream, piece.decode("utf-8", "replace").rstrip("\r"))


class Program:
    """A running program. `ended` is set with its wait status; nobody else may wait for it."""

    def __init__(self, pid: int, outlets: tuple[int, int], say: Say) -> None:
        """Watch a child that `begin` has started, and read its two output streams."""
        loop = asyncio.get_running_loop()
        self.pid = pid
        self.status: int | None = None
        self._listening = loop.create_task(_listen(outlets, say))
        self._ending = loop.create_task(self._watch())

    @classmethod
    def begin(cls, argv: list[str], environment: dict[str, str], folder: str, say: Say) -> Program:
        """Start a program; raises `OSError` when that cannot be."""
        outlets, inlets = zip(os.pipe(), os.pipe(), strict=True)
        nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        try:
            pid = child.start_child(argv, environment, folder, (nothing, *inlets))
        except OSError:
            for outlet in outlets:
                os.close(outlet)
            raise
        finally:
            for descriptor in (nothing, *inlets):
                os.close(descriptor)
        return cls(pid, outlets, say)

    async def ended(self) -> int:
        """Return the exit code, or the number of a signal as a negative one."""
        await asyncio.shield(self._ending)
        return os.waitstatus_to_exitcode(self.status or 0)

    async def end(self, grace_seconds: float) -> None:
        """End it and its group: TERM, then KILL after the grace."""
        if self.status is None:
            child.signal_group(self.pid, signal.SIGTERM)
        for patience_seconds in (grace_seconds, KILL_SECONDS):
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_seconds):
                    await self.ended()
            if self.status is not None:
                return
            child.signal_group(self.pid, signal.SIGKILL)

    async def _watch(self) -> None:
        descriptor = os.pidfd_open(self.pid)
        try:
            await watch.readable(descriptor)
        finally:
            os.close(descriptor)
        # While the dead leader is not waited for, its number cannot name another group.
        child.signal_group(self.pid, signal.SIGKILL)
        self.status = _reaped(self.pid)


async def _listen(outlets: tuple[int, int], say: Say) -> None:
    loop = asyncio.get_running_loop()
    for stream, outlet in zip(("out", "err"), outlets, strict=True):
        await loop.connect_read_pipe(partial(Lines, stream, say), os.fdopen(outlet, "rb", 0))


def _reaped(pid: int) -> int:
    """Take the status of a child that has ended, which does not block."""
    return os.waitpid(pid, 0)[1]


def ending(code: int) -> str:
    """Return an end in words."""
    return f"ended with exit code {code}" if code >= 0 else f"was killed by signal {-code}"
