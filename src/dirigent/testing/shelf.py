"""The half of the store in memory that holds no journal (runs, resources, plans), and the disk of both."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import field, replace
from typing import assert_never

from dirigent.model.events.cursor import Cursor
from dirigent.model.events.listening import Arrived, Event, Listener, Place, key_of
from dirigent.model.ids import Digest, PlanId, RunId
from dirigent.model.plan import Plan
from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import Listening
from dirigent.model.run.retention import Pruned, Retention
from dirigent.model.run.summary import RunSummary
from dirigent.ports.applies import APPLY
from dirigent.stores import codec
from dirigent.stores.projection import (
    Change,
    EarChanged,
    EventMade,
    RowChanged,
    Standing,
    Title,
    another_plan,
)


@dataclass(slots=True)
class MemoryDisk:
    """What is stored: bytes, as on a disk, so that no test shares an object with the store."""

    epoch: int = 0
    journals: dict[RunId, list[bytes]] = field(default_factory=dict)
    standings: dict[RunId, Standing] = field(default_factory=dict)
    snapshots: dict[RunId, tuple[int, bytes]] = field(default_factory=dict)
    rows: dict[str, bytes] = field(default_factory=dict)
    history: dict[str, list[tuple[float, RunId, bytes | None]]] = field(default_factory=dict)
    definitions: dict[Digest, bytes] = field(default_factory=dict)
    titles: dict[Digest, Title] = field(default_factory=dict)
    plans: dict[PlanId, bytes] = field(default_factory=dict)
    events: dict[str, tuple[int, float, str, bytes]] = field(default_factory=dict)
    logged: int = 0
    sinks: dict[str, bytes] = field(default_factory=dict)
    listeners: dict[tuple[RunId, str], bytes] = field(default_factory=dict)
    newest_apply: str = ""

    def change(self, change: Change) -> None:
        """Apply one change of the projection."""
        match change:
            case RowChanged():
                self._change_row(change)
            case EarChanged(run, Listening() as fact):
                listener = Listener(run, fact.position, fact.attempt, fact.want, fact.since)
                self.listeners[run, fact.position] = codec.encode(listener)
            case EarChanged(run, fact):
                self.listeners.pop((run, fact.position), None)
            case EventMade(run, at, event):
                self.log(at, event, run)
            case _:
                assert_never(change)

    def log(self, at: float, event: Event, run: str = "") -> bool:
        """Put an event into the log; return whether it is new."""
        key = key_of(event)
        if key in self.events:
            return False
        self.logged += 1
        self.events[key] = (self.logged, at, run, codec.encode_event(event))
        return True

    def _change_row(self, change: RowChanged) -> None:
        fact = change.fact
        content = None if fact.row is None else codec.encode(fact.row)
        self.history.setdefault(fact.address, []).append((fact.at, change.run, content))
        if content is None:
            self.rows.pop(fact.address, None)
        else:
            self.rows[fact.address] = content


@dataclass(frozen=True, slots=True, eq=False)
class MemoryLog:
    """Fits `ports.events.EventLog`. `readable` and `writable` refuse when it is not."""

    disk: MemoryDisk
    readable: Callable[[], None]
    writable: Callable[[], None]

    async def take_events(self, events: Sequence[tuple[float, Event]]) -> list[bool]:
        """Put events into the log; return of each whether it is new. Durable on return."""
        self.writable()
        return [self.disk.log(at, event) for at, event in events]

    async def events(
        self, since: float, after: Place, limit: int, types: Collection[str] | None = None
    ) -> list[Arrived]:
        """Return events that arrived at a time or later, behind a place, oldest first."""
        self.readable()
        found = [
            Arrived((0, number), at, codec.decode_event(content), run)
            for number, at, run, content in self.disk.events.values()
            if number > after[1] and at >= since
        ]
        return [each for each in found if types is None or each.event["type"] in types][:limit]

    async def log_end(self) -> Place:
        """Return the place of the newest event."""
        self.readable()
        return 0, self.disk.logged

    async def forget(self, before: float, most: int, needed: float = math.inf) -> int:
        """Remove events that are too old, or too many, and that nobody needs; return how many."""
        self.writable()
        numbers = [number for number, *_ in self.disk.events.values()]
        behind = numbers[-most - 1] if len(numbers) > most else 0
        awaited = min((each.place[1] for each in await self.cursors()), default=self.disk.logged)
        gone = [
            key
            for key, (number, at, *_) in self.disk.events.items()
            if (at < before or number <= behind) and at < needed and number <= awaited
        ]
        for key in gone:
            del self.disk.events[key]
        return len(gone)

    async def cursors(self) -> list[Cursor]:
        """Return how far each sink is."""
        self.readable()
        return [codec.decode(content, Cursor) for _, content in sorted(self.disk.sinks.items())]

    async def keep_cursor(self, cursor: Cursor) -> None:
        """Remember a sink; of one that is known the place stays."""
        self.writable()
        known = self.disk.sinks.get(cursor.sink)
        place = cursor.place if known is None else codec.decode(known, Cursor).place
        self.disk.sinks[cursor.sink] = codec.encode(replace(cursor, place=place))

    async def claim(self, sink: str, holder: str, seconds: float) -> Place | None:
        """Return how far a sink is."""
        _ = holder, seconds
        self.readable()
        content = self.disk.sinks.get(sink)
        return None if content is None else codec.decode(content, Cursor).place

    async def advance(self, sink: str, holder: str, place: Place) -> bool:
        """Say that all up to a place was delivered."""
        _ = holder
        self.writable()
        known = codec.decode(self.disk.sinks[sink], Cursor)
        self.disk.sinks[sink] = codec.encode(replace(known, place=max(place, known.place)))
        return True

    async def drop_cursor(self, sink: str) -> None:
        """Forget a sink."""
        self.writable()
        self.disk.sinks.pop(sink, None)

    async def listeners(self) -> list[Listener]:
        """Return every task that listens."""
        self.readable()
        return [codec.decode(content, Listener) for _, content in sorted(self.disk.listeners.items())]


@dataclass(frozen=True, slots=True, eq=False)
class MemoryApplies:
    """Fits `ports.applies.Applies`."""

    disk: MemoryDisk
    readable: Callable[[], None]

    async def newest_apply(self) -> str:
        """Return the id of the apply that was begun last, empty for none."""
        self.readable()
        return self.disk.newest_apply

    async def open_applies(self) -> list[RunSummary]:
        """Return every apply that has not ended, oldest first."""
        self.readable()
        return [
            where.summary(len(self.disk.journals[run]))
            for run, where in self.disk.standings.items()
            if where.phase is None and where.title.kind == APPLY
        ]

    async def has_plan(self, plan: PlanId) -> bool:
        """Return whether a plan is stored."""
        self.readable()
        return plan in self.disk.plans

    async def addresses(self) -> list[str]:
        """Return the address of every instance that there ever was."""
        self.readable()
        return sorted(self.disk.history)


class MemoryShelf:
    """Fits `ports.Shelf`. Each one is one opening of a disk for writing."""

    def __init__(self, disk: MemoryDisk | None = None) -> None:
        """Open a disk for writing, a fresh one if none is given; whoever wrote before is fenced off."""
        self.disk = disk or MemoryDisk()
        self.disk.epoch += 1
        self._epoch = self.disk.epoch
        self._closed = False

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

    @property
    def applies(self) -> MemoryApplies:
        """Return what is known of applies."""
        return MemoryApplies(self.disk, self._open)

    @property
    def log(self) -> MemoryLog:
        """Return the log of events."""
        return MemoryLog(self.disk, self._open, self._check)

    async def prunable(self, policy: Retention, now: float, limit: int) -> list[RunId]:
        """Return ended runs that a policy no longer keeps, oldest end first."""
        self._open()
        standings = self.disk.standings
        ended = [where for where in standings.values() if where.ended_at is not None]
        ended.sort(key=lambda where: where.ended_at or 0.0)
        ages = {"completed": policy.completed, "faulted": policy.failed, "cancelled": policy.cancelled}
        free = [where for where in ended if not _needed(standings, where)]
        found = [
            where.id
            for where in free
            if (age := ages.get(where.phase or "")) is not None and (where.ended_at or 0.0) < now - age
        ]
        too_many = 0 if policy.runs is None else max(0, len(ended) - policy.runs)
        return list(dict.fromkeys([*found, *(where.id for where in free[:too_many])]))[:limit]

    async def prune(self, runs: Sequence[RunId]) -> Pruned:
        """Remove those of the runs that have ended, each whole, and return how much that was."""
        self._check()
        gone = [run for run in runs if run in self.disk.standings and self.disk.standings[run].phase]
        facts = sum(len(self.disk.journals.pop(run)) for run in gone)
        for run in gone:
            del self.disk.standings[run]
        return Pruned(len(gone), facts)

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


def _needed(standings: dict[RunId, Standing], where: Standing) -> bool:
    parent = standings.get(where.parent) if where.parent else None
    return parent is not None and parent.ended_at is None
