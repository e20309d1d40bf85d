"""Events as lines of JSON: to standard output, or at the end of a file.

Law: a line that was torn off is never gone on with; the event comes again, whole, on a line of its own.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dirigent.model.events.listening import Event
from dirigent.ports.events import Undelivered

# As much as a pipe takes without waiting when it says that it takes anything.
PIECE_BYTES: Final = 512
LOOK_SECONDS: Final = 0.02
UNWRITABLE: Final = "E5072"


def lines(events: Sequence[Event]) -> bytes:
    """Return events as lines of JSON."""
    text = "".join(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n" for event in events)
    return text.encode(errors="surrogatepass")


class Printer:
    """Writes to an open file, a pipe say, and blocks nobody if its reader does not read."""

    def __init__(self, descriptor: int) -> None:
        """Take the file descriptor."""
        self._descriptor = descriptor
        self._torn = False

    async def send(self, events: Sequence[Event]) -> None:
        """Write events. Raises `Undelivered`."""
        content = (b"\n" if self._torn else b"") + lines(events)
        try:
            for start in range(0, len(content), PIECE_BYTES):
                await self._room()
                self._torn = True
                os.write(self._descriptor, content[start : start + PIECE_BYTES])
        except (OSError, ValueError) as failure:
            raise Undelivered(f"standard output cannot be written: {failure}") from None
        self._torn = False

    async def _room(self) -> None:
        """Return when something can be written without waiting."""
        ready: list[int] = []
        while not ready:
            _, ready, _ = select.select([], [self._descriptor], [], 0)
            await asyncio.sleep(0 if ready else LOOK_SECONDS)


class Appender:
    """Adds to the end of a file, which may be moved away at any time; durable when it returns."""

    def __init__(self, path: Path) -> None:
        """Take the path."""
        self._path = path

    async def send(self, events: Sequence[Event]) -> None:
        """Write events. Raises `Undelivered` (E5072)."""
        try:
            await asyncio.to_thread(self._append, lines(events))
        except OSError as failure:
            words = f"{UNWRITABLE}: `{self._path}` cannot be written: {failure.strerror or failure}"
            raise Undelivered(words) from None

    def _append(self, content: bytes) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            end = os.fstat(descriptor).st_size
            if end and os.pread(descriptor, 1, end - 1) != b"\n":
                content = b"\n" + content
            if os.write(descriptor, content) != len(content):
                # The disk is full, say: what is there of it must not look like events.
                os.ftruncate(descriptor, end)
                raise OSError(0, "there is not enough space")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
