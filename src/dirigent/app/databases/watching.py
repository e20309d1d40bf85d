"""A process beside each engine on a database, which sees it end and tells what it was turning then.

It sleeps in a read that ends with the engine, however that dies, and imports nothing before that.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import suppress
from typing import Final

from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres.keeping.witness import NOTE_BYTES, Note, noted, tell_death

VARIABLE: Final = "DIRIGENT_WATCHED"
_SLEEP: Final = f"""
import os, sys
told = b""
while more := os.read(0, 65536):
    told += more
if os.pread(int(sys.argv[1]), 1, 0) != b"\\0":
    os.environ[{VARIABLE!r}] = told.decode()
    wake = "from dirigent.app.databases.watching import main; main()"
    os.execv(sys.executable, [sys.executable, "-P", "-c", wake, sys.argv[1]])
"""


@dataclass(frozen=True, slots=True, eq=False)
class Watch:
    """The watch over this process, as the engine of that name. Without a `process` nobody watches."""

    url: DatabaseUrl
    engine: str
    note: Note
    process: subprocess.Popen[bytes] | None

    async def tell(self) -> None:
        """Tell what stands noted, before anybody else has it: a turn broke off, and the engine ends."""
        found = self.note.stands()
        if found is not None:
            with suppress(Refusal):
                await tell_death(self.url, self.engine, *found)
            self.note.end()

    async def close(self) -> None:
        """End the watch."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            await asyncio.to_thread(self.process.wait)
        self.note.close()


def watched(url: DatabaseUrl, engine: str) -> Watch:
    """Have this process watched. Where the system gives no process for it, the engine works all the same."""
    note = Note()
    command = [sys.executable, "-I", "-S", "-c", _SLEEP, str(note.descriptor)]
    try:
        # What is told may hold a password, so it is no argument that everybody could read.
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(note.descriptor,),
            start_new_session=True,
        )
        if process.stdin is not None:
            process.stdin.write(f"{engine}\n{url.text}".encode())
            process.stdin.flush()
    except OSError:
        return Watch(url, engine, note, None)
    return Watch(url, engine, note, process)


def main() -> None:
    """Tell the database what the engine was turning; the argument is the descriptor of its note."""
    engine, _, url = os.environ.pop(VARIABLE).partition("\n")
    found = noted(os.pread(int(sys.argv[1]), NOTE_BYTES, 0))
    if found is not None:
        with suppress(Refusal):
            asyncio.run(tell_death(DatabaseUrl(url), engine, *found))
