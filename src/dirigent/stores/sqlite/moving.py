"""A store in a file, read or filled whole. A file that is being filled has another name until it is kept."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from zlib import crc32

from dirigent.model import limits
from dirigent.model.ids import digest_of
from dirigent.model.problem import refuse
from dirigent.stores import files
from dirigent.stores.moving import PAGE, MovedRun, Record
from dirigent.stores.sqlite import opening
from dirigent.stores.sqlite.failures import refusal
from dirigent.stores.sqlite.records import Row, journal, run_row, standing
from dirigent.stores.sqlite.statements import SQL, STRETCH

_PUT: Final = {
    "definitions": "keep_definition",
    "plans": "keep_plan",
    "rows": "put_row",
    "history": "note_history",
    "events": "keep_event",
    "listeners": "put_listener",
    "sinks": "load_sink",
}
UNFINISHED: Final = ".copying"


class SqliteSource:
    """A file that no engine works on."""

    def __init__(self, path: str, connection: sqlite3.Connection | None = None) -> None:
        """Open a file to read, or read through a connection. Raises `Refusal` as opening does."""
        self._path = path
        self._connection = connection or opening.reading(path)

    async def records(self, kind: str) -> AsyncIterator[Sequence[Record]]:
        """Yield the records of a kind."""
        with _told(self._path):
            found = self._connection.execute(SQL[f"moved_{kind}"])
            while page := found.fetchmany(PAGE):
                yield page

    async def runs(self) -> AsyncIterator[Sequence[MovedRun]]:
        """Yield the runs, oldest first."""
        last = 0
        with _told(self._path):
            while page := self._connection.execute(SQL["moved_runs"], (last, PAGE)).fetchall():
                last = page[-1][0]
                yield [self._run(row) for row in page]

    def _run(self, row: Row) -> MovedRun:
        _, _, where = standing(row)
        rows = self._connection.execute(SQL["facts"], (where.id,)).fetchall()
        return MovedRun(where, journal(rows, self._path))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class SqliteTarget(SqliteSource):
    """A new file, which gets its name when it is complete."""

    def __init__(self, path: str) -> None:
        """Begin a file beside `path`. Raises `Refusal` (E5051) when there is something at `path` already."""
        if files.there(path):
            raise refuse(
                "E5051",
                f"there is a store at `{path}` already, so nothing can be copied to it",
                "name an empty place: another state folder, or another database",
            )
        self._final = path
        self._made = path + UNFINISHED
        _remove(self._made)
        connection, self._epoch = opening.writing(self._made, network=False)
        connection.execute("begin immediate")
        super().__init__(self._made, connection)
        self._next_id = 1
        self._number = 0

    async def put(self, kind: str, records: Sequence[Record]) -> None:
        """Add records of a kind."""
        with _told(self._made):
            self._connection.executemany(SQL[_PUT[kind]], records)

    async def put_runs(self, runs: Sequence[MovedRun]) -> None:
        """Add runs."""
        with _told(self._made):
            for run in runs:
                self._number += 1
                row = run_row(self._number, len(run.facts), run.standing)
                self._connection.execute(SQL["keep_run"], row)
                self._put_facts(run.facts)

    def _put_facts(self, facts: Sequence[bytes]) -> None:
        execute, places = self._connection.execute, set[int]()
        for position, content in enumerate(facts):
            kept: bytes | str = content
            if len(content) > limits.PAYLOAD_INLINE_BYTES:
                kept = digest_of(content)
                execute(SQL["keep_blob"], (kept, content))
            row = (self._next_id, self._number, position, crc32(content), kept)
            execute(SQL["append_fact"], row)
            places.add(self._next_id // STRETCH)
            self._next_id += 1
        self._connection.executemany(SQL["note_place"], [(self._number, place) for place in sorted(places)])

    async def keep(self) -> None:
        """Give the file its name, once all of it is on the disk."""
        with _told(self._made):
            self._connection.execute(SQL["mark_clean"], (self._epoch,))
            self._connection.execute("commit")
            self._connection.execute("pragma wal_checkpoint(truncate)")
            self._connection.close()
        _name(self._made, self._final)


def _name(made: str, final: str) -> None:
    """Give a finished file its name, for good."""
    Path(made).rename(final)
    files.sync_directory(Path(final).resolve().parent)


def _remove(path: str) -> None:
    """Remove what a copy left that broke off."""
    for ending in ("", "-wal", "-shm"):
        Path(path + ending).unlink(missing_ok=True)


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Turn errors of SQLite into refusals."""
    try:
        yield
    except sqlite3.Error as error:
        raise refusal(error, path) from None
