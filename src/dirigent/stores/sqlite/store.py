"""The journal and the shelf on one SQLite file.

Appends are taken in groups and are durable when they return; reads go beside the writer. One
process writes: the newest that opened the file. A handle opened for reading never writes.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import field
from typing import Self

from dirigent.model.events.listening import Tell
from dirigent.model.ids import Digest, RunId, digest_of
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Fact
from dirigent.ports import AWAKE, Past, Waking
from dirigent.stores import codec
from dirigent.stores.programs import Programs
from dirigent.stores.projection import Title, large
from dirigent.stores.sqlite import opening
from dirigent.stores.sqlite.commit import Commit, GroupCommit
from dirigent.stores.sqlite.log import SqliteLog
from dirigent.stores.sqlite.reading import Desk, Reader
from dirigent.stores.sqlite.shelf import SqliteShelf
from dirigent.stores.sqlite.writing import Append, KeepDefinition, KeepSnapshot, Writer


@dataclass(frozen=True, slots=True, eq=False)
class SqliteStore(SqliteShelf):
    """A store in a file; fits `ports.Journal` and `ports.Shelf`. Made by the two `open_` methods."""

    _writer: Writer | None = None
    _programs: Programs = field(default_factory=Programs)

    @classmethod
    def open_for_writing(cls, path: str, *, network: bool = False) -> Self:
        """Open or make the file, and fence off whoever wrote before; or raise `Refusal`.

        E5005 foreign or newer, E5006 network file system (not with `network`), E5008 damaged,
        E5009 locked, E5010 disk failure, E5011 disk full, E5012 not permitted.
        """
        connection, epoch = opening.writing(path, network=network)
        writer = Writer(connection, path, epoch)
        reader = Reader(opening.reading(path), path)
        return cls(path, reader, Desk(path), GroupCommit(path, writer.commit), writer)

    @classmethod
    def open_for_reading(cls, path: str) -> Self:
        """Open an existing file beside whoever writes, or raise `Refusal` as above."""
        reader = Reader(opening.reading(path), path)
        return cls(path, reader, Desk(path), GroupCommit(path, _read_only(path)))

    def append(
        self,
        run: RunId,
        expected: int,
        facts: Sequence[Fact],
        wake_at: float = AWAKE,
        tells: Sequence[Tell] = (),
    ) -> Awaitable[None]:
        """Store the facts at `expected`; durable when awaited. Raises `Refusal`, see `docs/problems`."""
        contents = [codec.encode_fact(fact) for fact in facts]
        for content in contents:
            large(run, content)
        return self._queue.submit(Append(run, expected, facts, contents, wake_at, tells=tells))

    async def read(self, run: RunId, since: int = 0) -> list[Fact]:
        """Return the facts from a position on, oldest first; empty for a run that does not exist."""
        return await self._desk.ask(self._reader.facts, run, since)

    async def recall(self, runs: Sequence[RunId]) -> list[Past | Refusal]:
        """Return what is known of each run, in their order."""
        return await self._desk.ask(self._reader.pasts, runs)

    async def wakings(self, after: Waking, limit: int) -> list[Waking]:
        """Return the next wakings of open runs behind `after`, by time, then by id."""
        return await self._desk.ask(self._reader.wakings, after, limit)

    async def keep_snapshot(self, run: RunId, position: int, content: bytes) -> None:
        """Keep what the first facts of an open run come to; one that has ended needs none."""
        await self._queue.submit(KeepSnapshot(run, position, content))

    async def keep(self, program: Program) -> Digest:
        """Store a definition under its content hash; the same content is stored once."""
        known = self._programs.digest_of(program)
        return known if known is not None else await self._programs.kept(program, self._keep)

    async def _keep(self, program: Program) -> Digest:
        content = codec.encode(program)
        digest = digest_of(content)
        if self._programs.get(digest) is None:
            await self._queue.submit(KeepDefinition(digest, Title(program.name, program.kind), content))
        return digest

    async def definition(self, digest: Digest) -> Program:
        """Return a stored definition, or raise `Refusal` (E5004)."""
        program = self._programs.get(digest)
        if program is None:
            program = await self._desk.ask(self._reader.definition, digest)
            self._programs.remember(digest, program)
        return program

    @property
    def log(self) -> SqliteLog:
        """Return the log of events."""
        return SqliteLog(self._queue, self._desk, self._reader)

    async def close(self) -> None:
        """Wait for what is under way, and leave a single file that is marked as clean."""
        await self._queue.close()
        if self._writer:
            self._writer.mark_clean()
        self.abandon()

    def abandon(self) -> None:
        """Let everything go as a crash would: the next opening examines the file."""
        self._desk.close()
        self._reader.close()
        if self._writer:
            self._writer.close()


def _read_only(path: str) -> Commit:
    """Return what answers appends to a handle that only reads."""
    why = refuse("E5019", f"the store `{path}` is open for reading only", "ask the engine to write")
    return lambda jobs: [why] * len(jobs)
