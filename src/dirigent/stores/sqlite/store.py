"""The journal and the shelf on one SQLite file.

Appends are taken in groups and are durable when they return; reads go beside the writer. One
process writes: the newest that opened the file. A handle opened for reading never writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, Self, TypeVar

from dirigent.model.ids import Digest, PlanId, RunId, digest_of
from dirigent.model.journal import Fact
from dirigent.model.plan import Plan
from dirigent.model.problem import refuse
from dirigent.model.program import Program
from dirigent.model.resource import ResourceRow
from dirigent.model.summary import RunSummary
from dirigent.stores import codec
from dirigent.stores.projection import Timer, Title, large
from dirigent.stores.sqlite import opening
from dirigent.stores.sqlite.commit import GroupCommit
from dirigent.stores.sqlite.reading import Reader
from dirigent.stores.sqlite.writing import Append, Job, KeepDefinition, KeepPlan, Writer

P = ParamSpec("P")
T = TypeVar("T")

DEFINITIONS_CACHED: Final = 256


class SqliteStore:
    """A store in a file; fits `ports.Journal` and `ports.Shelf`."""

    def __init__(self, path: str, reader: Reader, writer: Writer | None) -> None:
        """Join the parts; use `open_for_writing` or `open_for_reading`."""
        self.path: Final = path
        self._reader: Final = reader
        self._reading: Final = ThreadPoolExecutor(1, thread_name_prefix="dirigent-read")
        self._writer: Final = writer
        self._group: Final = GroupCommit(writer.commit) if writer else None
        self._definitions: dict[Digest, Program] = {}
        self._closed = False

    @classmethod
    def open_for_writing(cls, path: str, *, network: bool = False) -> Self:
        """Open or make the file, and fence off whoever wrote before; or raise `Refusal`.

        E5005 foreign or newer, E5006 network file system (not with `network`), E5008 damaged,
        E5009 locked, E5010 disk failure, E5011 disk full, E5012 not permitted.
        """
        connection, epoch = opening.writing(path, network=network)
        writer = Writer(connection, path, epoch)
        return cls(path, Reader(opening.reading(path), path), writer)

    @classmethod
    def open_for_reading(cls, path: str) -> Self:
        """Open an existing file beside whoever writes, or raise `Refusal` as above."""
        return cls(path, Reader(opening.reading(path), path), None)

    async def append(self, run: RunId, expected: int, facts: Sequence[Fact]) -> None:
        """Store the facts at `expected`; durable on return. Raises `Refusal`, see `docs/problems`."""
        contents = [codec.encode_fact(fact) for fact in facts]
        for content in contents:
            large(run, content)
        await self._submit(Append(run, expected, tuple(facts), contents))

    async def read(self, run: RunId) -> list[Fact]:
        """Return every fact, oldest first; empty for a run that does not exist."""
        return await self._ask(self._reader.facts, run)

    async def keep(self, program: Program) -> Digest:
        """Store a definition under its content hash; the same content is stored once."""
        content = codec.encode(program)
        digest = digest_of(content)
        if digest not in self._definitions:
            await self._submit(KeepDefinition(digest, Title(program.name, program.kind), content))
            self._cache(digest, program)
        return digest

    async def definition(self, digest: Digest) -> Program:
        """Return a stored definition, or raise `Refusal` (E5004)."""
        program = self._definitions.get(digest)
        if program is None:
            program = await self._ask(self._reader.definition, digest)
            self._cache(digest, program)
        return program

    async def runs(self, *, only_open: bool = False, limit: int = 50) -> list[RunSummary]:
        """Return runs, newest first."""
        return await self._ask(self._reader.runs, only_open=only_open, limit=limit)

    async def run(self, run: RunId) -> RunSummary | None:
        """Return one run."""
        return await self._ask(self._reader.run, run)

    async def timers(self) -> list[Timer]:
        """Return every timer that an open run waits for, soonest first."""
        return await self._ask(self._reader.timers)

    async def rows(self) -> list[ResourceRow]:
        """Return every resource instance, by address."""
        return await self._ask(self._reader.rows)

    async def history(self, address: str) -> list[tuple[float, RunId, ResourceRow | None]]:
        """Return what one instance was and is, oldest first; None where it was deleted."""
        return await self._ask(self._reader.history, address)

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan under its id; another plan under a taken id is refused (E5015)."""
        await self._submit(KeepPlan(plan.id, codec.encode(plan)))

    async def plan(self, plan: PlanId) -> Plan | None:
        """Return a stored plan."""
        return await self._ask(self._reader.plan, plan)

    async def close(self) -> None:
        """Wait for what is under way, and leave a single file that is marked as clean."""
        if self._closed:
            return
        if self._group and self._writer:
            await self._group.drain()
            self._writer.mark_clean()
        self.abandon()

    def abandon(self) -> None:
        """Let everything go as a crash would: the next opening examines the file."""
        self._closed = True
        self._reading.shutdown()
        self._reader.close()
        if self._writer:
            self._writer.close()

    async def _submit(self, job: Job) -> None:
        if self._closed:
            raise refuse("E5017", f"the store `{self.path}` is closed", "open it again")
        if self._group is None:
            raise refuse(
                "E5019", f"the store `{self.path}` is open for reading only", "ask the engine to write"
            )
        await self._group.submit(job)

    async def _ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._closed:
            raise refuse("E5017", f"the store `{self.path}` is closed", "open it again")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reading, lambda: question(*args, **kwargs))

    def _cache(self, digest: Digest, program: Program) -> None:
        if len(self._definitions) >= DEFINITIONS_CACHED:
            self._definitions.pop(next(iter(self._definitions)))
        self._definitions[digest] = program
