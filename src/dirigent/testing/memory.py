"""A store in memory with the contract of the real one: same codec, same projection, same refusals.

A `MemoryDisk` is what survives a crash of the engine; each `MemoryStore` on it is one opening for
writing, and fences off those before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

from dirigent.model.ids import Digest, PlanId, RunId, digest_of
from dirigent.model.plan import Plan
from dirigent.model.problem import refuse
from dirigent.model.program import Program
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import Created, Fact
from dirigent.model.run.summary import RunSummary
from dirigent.stores import codec
from dirigent.stores.projection import (
    Change,
    RowChanged,
    Standing,
    Timer,
    TimerGone,
    TimersGone,
    Title,
    another_plan,
    expect,
    large,
    missing_definition,
    project,
)


@dataclass(slots=True)
class MemoryDisk:
    """What is stored: bytes, as on a disk, so that no test shares an object with the store."""

    epoch: int = 0
    journals: dict[RunId, list[bytes]] = field(default_factory=dict)
    standings: dict[RunId, Standing] = field(default_factory=dict)
    timers: dict[tuple[str, ...], Timer] = field(default_factory=dict)
    rows: dict[str, bytes] = field(default_factory=dict)
    history: dict[str, list[tuple[float, RunId, bytes | None]]] = field(default_factory=dict)
    definitions: dict[Digest, bytes] = field(default_factory=dict)
    titles: dict[Digest, Title] = field(default_factory=dict)
    plans: dict[PlanId, bytes] = field(default_factory=dict)

    def change(self, change: Change) -> None:
        """Apply one change of the projection."""
        match change:
            case Timer(run, position, attempt, purpose):
                self.timers[run, position, str(attempt), purpose] = change
            case TimerGone(run, position, attempt, purpose):
                self.timers.pop((run, position, str(attempt), purpose), None)
            case TimersGone(run):
                for key in [key for key in self.timers if key[0] == run]:
                    del self.timers[key]
            case RowChanged(run, fact):
                content = None if fact.row is None else codec.encode(fact.row)
                self.history.setdefault(fact.address, []).append((fact.at, run, content))
                if content is None:
                    self.rows.pop(fact.address, None)
                else:
                    self.rows[fact.address] = content
            case _:
                assert_never(change)


class MemoryStore:
    """A store in memory; fits `ports.Journal` and `ports.Shelf`. Deterministic, on one event loop."""

    def __init__(self, disk: MemoryDisk | None = None) -> None:
        """Open a disk for writing, a fresh one if none is given; whoever wrote before is fenced off."""
        self.disk = disk or MemoryDisk()
        self.disk.epoch += 1
        self._epoch = self.disk.epoch
        self._closed = False

    async def append(self, run: RunId, expected: int, facts: Sequence[Fact]) -> None:
        """Store the facts at `expected`, or raise `Refusal`; a cancelled caller's append stands."""
        self.commit(run, expected, facts)
        # The real store lets others run before it answers; so does this one.
        await asyncio.sleep(0)

    def commit(self, run: RunId, expected: int, facts: Sequence[Fact]) -> None:
        """Make the facts durable at once, or raise `Refusal`."""
        contents = [codec.encode_fact(fact) for fact in facts]
        for content in contents:
            large(run, content)
        self._check()
        journal = self.disk.journals.get(run, [])
        expect(run, expected, len(journal), len(contents))
        first = facts[0] if facts else None
        title = self.disk.titles.get(first.definition) if isinstance(first, Created) else None
        result = project(run, self.disk.standings.get(run), facts, title)
        self.disk.journals.setdefault(run, []).extend(contents)
        self.disk.standings[run] = result.standing
        for change in result.changes:
            self.disk.change(change)

    async def read(self, run: RunId) -> list[Fact]:
        """Return every fact, oldest first; empty for a run that does not exist."""
        self._open()
        return [codec.decode_fact(content) for content in self.disk.journals.get(run, ())]

    async def keep(self, program: Program) -> Digest:
        """Store a definition under its content hash; the same content is stored once."""
        self._check()
        content = codec.encode(program)
        digest = digest_of(content)
        self.disk.definitions[digest] = content
        self.disk.titles[digest] = Title(program.name, program.kind)
        return digest

    async def definition(self, digest: Digest) -> Program:
        """Return a stored definition, or raise `Refusal` (E5004)."""
        self._open()
        if digest not in self.disk.definitions:
            raise missing_definition(digest)
        return codec.decode(self.disk.definitions[digest], Program)

    async def runs(self, *, only_open: bool = False, limit: int = 50) -> list[RunSummary]:
        """Return runs, newest first."""
        self._open()
        found = [
            where.summary(len(self.disk.journals[run]))
            for run, where in reversed(self.disk.standings.items())
            if where.phase is None or not only_open
        ]
        return found[:limit]

    async def run(self, run: RunId) -> RunSummary | None:
        """Return one run."""
        self._open()
        where = self.disk.standings.get(run)
        return where.summary(len(self.disk.journals[run])) if where else None

    async def row(self, address: str) -> ResourceRow | None:
        """Return one resource instance."""
        self._open()
        content = self.disk.rows.get(address)
        return None if content is None else codec.decode(content, ResourceRow)

    async def rows(self) -> list[ResourceRow]:
        """Return every resource instance, by address."""
        self._open()
        return [codec.decode(content, ResourceRow) for _, content in sorted(self.disk.rows.items())]

    async def history(self, address: str) -> list[tuple[float, RunId, ResourceRow | None]]:
        """Return what one instance was and is, oldest first; None where it was deleted."""
        self._open()
        return [
            (at, run, None if content is None else codec.decode(content, ResourceRow))
            for at, run, content in self.disk.history.get(address, ())
        ]

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan under its id; another plan under a taken id is refused (E5015)."""
        self._check()
        content = codec.encode(plan)
        if self.disk.plans.setdefault(plan.id, content) != content:
            raise another_plan(plan.id)

    async def plan(self, plan: PlanId) -> Plan | None:
        """Return a stored plan."""
        self._open()
        content = self.disk.plans.get(plan)
        return None if content is None else codec.decode(content, Plan)

    async def close(self) -> None:
        """End the use of the disk."""
        self._closed = True

    def _open(self) -> None:
        if self._closed:
            raise refuse("E5017", "the store `memory` is closed", "open it again")

    def _check(self) -> None:
        """Refuse to write when closed, or when a newer opening has taken over."""
        self._open()
        if self._epoch != self.disk.epoch:
            raise refuse(
                "E5002",
                f"another engine has taken `memory` over: epoch `{self._epoch}` is past,"
                f" `{self.disk.epoch}` writes now",
                "end this process; the other one goes on from the same journal",
            )
