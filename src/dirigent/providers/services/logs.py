"""The log of a service: one file of JSON lines for all replicas, rotated by size, and its reader.

A line is `{"at": seconds, "replica": number or null, "stream": "out" | "err" | "steward", "text": ...}`.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from base64 import b64encode
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Final
from urllib.parse import quote, quote_plus

from dirigent.model import limits
from dirigent.model.record import dataclass
from dirigent.providers.services.folder import folder_of

FOLLOW_SECONDS: Final = 0.1
# A line of a secret that is shorter than this would match everywhere.
LINE_CHARACTERS_MIN: Final = 8


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of output. `replica` is None for what the steward itself says; `at` is epoch seconds."""

    at: float
    replica: int | None
    stream: str
    text: str


class LogWriter:
    """Appends lines; keeps at most `files` files of about `file_bytes` each. Secrets become their names."""

    def __init__(
        self,
        path: Path,
        file_bytes: int = limits.SERVICE_LOG_BYTES,
        files: int = limits.SERVICE_LOG_FILES,
    ) -> None:
        """Go on at the end of what is there."""
        self._forms: list[tuple[str, str]] = []
        self._path = path
        self._file_bytes = file_bytes
        self._files = files
        self._open()

    def write(self, replica: int | None, stream: str, text: str) -> str:
        """Append a line and return its text as it was written."""
        shown = self.redacted(text)
        record = {"at": round(time.time(), 3), "replica": replica, "stream": stream, "text": shown}
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        # A full disk costs lines of the log, never the service that writes them.
        with suppress(OSError):
            self._size += self._file.write(line + b"\n")
            if self._size >= self._file_bytes:
                self._rotate()
        return shown

    def hide(self, secrets: Mapping[str, str]) -> None:
        """Write the names of these secrets, by name, wherever their text comes in one of its usual forms."""
        found = {form: name for name, text in secrets.items() for form in _forms(text)}
        # The longest first: a secret inside another one must not leave the rest of it behind.
        self._forms = sorted(found.items(), key=lambda each: (-len(each[0]), each[0]))

    def redacted(self, text: str) -> str:
        """Return the text with every secret as its name."""
        for form, name in self._forms:
            text = text.replace(form, f"(secret {name})")
        return text

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _open(self) -> None:
        self._file: FileIO = self._path.open("ab", buffering=0)
        self._size = self._file.tell()

    def _rotate(self) -> None:
        # After a rotation that the disk refused half-way, only the new file is missing.
        if self._path.exists():
            for number in range(self._files - 1, 0, -1):
                former = _numbered(self._path, number - 1)
                if former.exists():
                    former.replace(_numbered(self._path, number))
        full = self._file
        self._open()
        full.close()


def _forms(text: str) -> set[str]:
    """Return the texts in which a program shows a secret: as it is, escaped, quoted, or in base64."""
    raw = text.encode(errors="surrogatepass")
    forms = {text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    forms |= {quote(raw), quote(raw, safe=""), quote_plus(raw), b64encode(raw).decode()}
    # A program of many lines logs them one by one.
    lines = {line for line in text.splitlines() if len(line) >= LINE_CHARACTERS_MIN}
    return {form for form in forms | lines if form}


async def read_logs(
    services: str, address: str, *, last: int | None = None, follow: bool = False
) -> AsyncIterator[LogLine]:
    """Yield the lines of a service, oldest first: all, or the `last` ones; then, if asked, what comes.

    `services` is the folder of all services. Following ends only with its reader.
    """
    path = folder_of(services, address).log
    position = _Position(path)
    for line in position.more() if last is None else deque(position.more(), maxlen=last):
        yield line
    while follow:
        await asyncio.sleep(FOLLOW_SECONDS)
        for line in position.more():
            yield line


class _Position:
    """How far a reader has come. The file it is in is known by its inode, whatever its name is by now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inode = 0
        self._offset = 0

    def more(self) -> Iterator[LogLine]:
        """Yield every line that has not been read yet, file after file up to the newest."""
        number = self._number()
        while number is not None:
            yield from self._rest(number, begun=self._inode != 0)
            number = self._number()
            if not number:
                return
            # It has been rotated, perhaps after lines that came in while we read it.
            yield from self._rest(number, begun=True)
            yield from self._rest(number - 1, begun=False)
            number = self._number()
            if number == 0:
                return

    def _number(self) -> int | None:
        """Return where our file is now: 0 is the newest. A file that is gone was followed by the oldest."""
        oldest = None
        for number in range(limits.SERVICE_LOG_FILES):
            try:
                inode = _numbered(self._path, number).stat().st_ino
            except FileNotFoundError:
                break
            if inode == self._inode:
                return number
            oldest = number
        self._inode = 0
        return oldest

    def _rest(self, number: int, *, begun: bool) -> Iterator[LogLine]:
        try:
            with _numbered(self._path, number).open("rb") as file:
                inode = os.fstat(file.fileno()).st_ino
                if begun != (inode == self._inode):
                    return  # Rotated under our hands: look again where our file is.
                file.seek(self._offset if begun else 0)
                start, content = file.tell(), file.read()
        except FileNotFoundError:
            return
        # A line that is being written is read next time.
        whole = content[: content.rfind(b"\n") + 1]
        self._inode, self._offset = inode, start + len(whole)
        for line in whole.splitlines():
            read = _line(line)
            if read is not None:
                yield read


def _line(content: bytes) -> LogLine | None:
    try:
        record = json.loads(content)
        return LogLine(record["at"], record["replica"], record["stream"], record["text"])
    except (ValueError, KeyError, TypeError):
        return None  # A power cut may leave half a line; the log goes on behind it.


def _numbered(path: Path, number: int) -> Path:
    return path if number == 0 else path.with_name(f"{path.name}.{number}")
