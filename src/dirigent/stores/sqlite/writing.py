"""One transaction for everything that has queued up, each append whole or refused on its own.

Rule 1: the fence is read inside each transaction; a writer that is no longer the newest writes nothing.
Rule 2: no statement of an append runs before it is admitted, so a refused one leaves nothing behind.
Rule 3: what is known in memory changes only after the commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import field
from typing import Final, TypeAlias, assert_never
from zlib import crc32

from dirigent.model import limits
from dirigent.model.events.listening import Event, Tell
from dirigent.model.ids import Digest, PlanId, RunId, digest_of
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Created, Fact
from dirigent.model.run.retention import Pruned
from dirigent.ports import AWAKE
from dirigent.ports.applies import APPLY
from dirigent.stores import files
from dirigent.stores.projection import (
    Change,
    EarChanged,
    Standing,
    Title,
    another_plan,
    apply_begins,
    expect,
    project,
    told,
)
from dirigent.stores.sqlite import records
from dirigent.stores.sqlite.failures import PASSING, closed, no_memory, refusal
from dirigent.stores.sqlite.opening import WAL_PAGES
from dirigent.stores.sqlite.pruning import prune
from dirigent.stores.sqlite.records import Parameters, Statement
from dirigent.stores.sqlite.statements import SQL, STRETCH


@dataclass(slots=True)
class Append:
    """Facts for one run, with their bytes. `foreign` ones change no resource of this store."""

    run: RunId
    expected: int
    facts: Sequence[Fact]
    contents: Sequence[bytes]
    wake_at: float = AWAKE
    foreign: bool = False
    tells: Sequence[Tell] = ()


@dataclass(frozen=True, slots=True)
class KeepDefinition:
    """A program to be stored under its digest."""

    digest: Digest
    title: Title
    content: bytes


@dataclass(frozen=True, slots=True)
class KeepPlan:
    """A plan to be stored under its id."""

    id: PlanId
    content: bytes


@dataclass(frozen=True, slots=True)
class KeepSnapshot:
    """What the first `position` facts of a run come to."""

    run: RunId
    position: int
    content: bytes


# A writer that has committed so often is busy: its log gets its full length at once, and a little more for
# the batch that reaches the mark. From then on a flush of the disk takes some 0.1 ms less.
BUSY_COMMITS: Final = 64
LOG_BYTES: Final = (WAL_PAGES + 256) * 4120


@dataclass(frozen=True, slots=True)
class Prune:
    """Runs to be removed, as far as they have ended; what was removed is added to `removed`.

    With `unused` also the definitions that no run names: for a store in which nobody starts runs.
    """

    runs: Sequence[RunId]
    removed: list[Pruned]
    unused: bool = False


@dataclass(frozen=True, slots=True)
class KeepEvents:
    """Events from outside, each with when it arrived; `fresh` learns of each whether it is new."""

    events: Sequence[tuple[float, Event]]
    fresh: list[bool]


@dataclass(frozen=True, slots=True)
class ForgetEvents:
    """Events that arrived before a time are to be removed, and the oldest where there are too many.

    Not those that arrived at `needed` or later, nor what a sink has still to get. `gone` learns how many
    went.
    """

    before: float
    most: int
    needed: float
    gone: list[int]


@dataclass(frozen=True, slots=True)
class ChangeCursor:
    """A statement by itself: about the cursor of a sink, or about plans that are old."""

    statement: str
    parameters: Parameters


Job: TypeAlias = (
    Append | KeepDefinition | KeepPlan | KeepSnapshot | KeepEvents | ForgetEvents | ChangeCursor | Prune
)


@dataclass(slots=True)
class Head:
    """What the writer knows of a run that is awake: its number, length, and the stretch of its last fact."""

    number: int
    length: int
    stretch: int
    standing: Standing


@dataclass(slots=True)
class _Batch:
    """What one transaction will write. Journal rows go in bulk, the rest in order."""

    next_id: int
    next_number: int
    heads: dict[RunId, Head] = field(default_factory=dict)
    titles: dict[Digest, Title] = field(default_factory=dict)
    journal: list[Parameters] = field(default_factory=list)
    places: list[Parameters] = field(default_factory=list)
    blobs: list[Parameters] = field(default_factory=list)
    others: list[Statement] = field(default_factory=list)
    runs: list[Parameters] = field(default_factory=list)
    ended: list[Parameters] = field(default_factory=list)
    newest_apply: str = ""


class Writer:
    """The one that writes. Not for two threads at once; the group commit sees to that."""

    def __init__(self, connection: sqlite3.Connection, path: str, epoch: int) -> None:
        """Begin where the journal ends."""
        self._connection: Final = connection
        self._path: Final = path
        self._epoch: Final = epoch
        self._heads: dict[RunId, Head] = {}
        self._titles: dict[Digest, Title] = {}
        self._stopped: Refusal | None = None
        self._commits = 0
        last_id, last_number = connection.execute(SQL["last_ids"]).fetchone()
        self._next_id: int = last_id + 1
        self._next_number: int = last_number + 1

    def commit(self, jobs: Sequence[Job]) -> list[Refusal | None]:
        """Write all jobs in one transaction; return for each None (durable) or why it was refused."""
        if self._stopped:
            return [self._stopped] * len(jobs)
        try:
            self._connection.execute("begin immediate")
            self._commits += 1
            if self._commits == BUSY_COMMITS:
                # Nobody else can be writing to the log while this transaction is open.
                with suppress(OSError):
                    files.stretch(f"{self._path}-wal", LOG_BYTES)
            return self._write(jobs)
        except (sqlite3.Error, MemoryError) as error:
            why = no_memory(self._path) if isinstance(error, MemoryError) else refusal(error, self._path)
            self._give_up(why)
            return [why] * len(jobs)

    def mark_clean(self) -> None:
        """Say that the end was orderly, unless another writer has taken over or the disk has failed."""
        if self._stopped:
            return
        try:
            self._connection.execute(SQL["mark_clean"], (self._epoch,))
            self._connection.execute("pragma wal_checkpoint(truncate)")
        except sqlite3.Error as error:
            # The next opening examines the file; nothing acknowledged depends on the mark.
            self._stopped = refusal(error, self._path)

    def close(self) -> None:
        """Close the connection, as a crash would: no mark is set."""
        self._stopped = self._stopped or closed(self._path)
        self._connection.close()

    def _give_up(self, why: Refusal) -> None:
        """End the failed transaction; stop for good when the disk can no longer be trusted."""
        if why.problems[0].code not in PASSING:
            # After a failed fsync nobody knows what is on the disk: only a new start may find out.
            self._stopped = why
        try:
            if self._connection.in_transaction:
                self._connection.execute("rollback")
        except sqlite3.Error as error:
            self._stopped = refusal(error, self._path)

    def _write(self, jobs: Sequence[Job]) -> list[Refusal | None]:
        epoch = self._connection.execute(SQL["epoch"]).fetchone()[0]
        if epoch != self._epoch:
            self._connection.execute("rollback")
            self._stopped = _fenced(self._path, self._epoch, epoch)
            return [self._stopped] * len(jobs)
        batch = _Batch(self._next_id, self._next_number)
        answers = [self._admit(batch, job) for job in jobs]
        for head in batch.heads.values():
            self._note_standing(batch, head)
        self._execute(batch)
        self._connection.execute("commit")
        self._remember(batch)
        return answers

    def _execute(self, batch: _Batch) -> None:
        run = self._connection
        if batch.blobs:
            run.executemany(SQL["keep_blob"], batch.blobs)
        if len(batch.journal) == 1:
            run.execute(SQL["append_fact"], batch.journal[0])
        elif batch.journal:
            run.executemany(SQL["append_fact"], batch.journal)
        if batch.places:
            run.executemany(SQL["note_place"], batch.places)
        for statement, parameters in batch.others:
            run.execute(SQL[statement], parameters)
        if batch.runs:
            run.executemany(SQL["keep_run"], batch.runs)
        if batch.ended:
            run.executemany(SQL["drop_snapshot"], batch.ended)

    def _remember(self, batch: _Batch) -> None:
        self._next_id, self._next_number = batch.next_id, batch.next_number
        self._titles.update(batch.titles)
        for run, head in batch.heads.items():
            if head.standing.resting:
                self._heads.pop(run, None)
            else:
                self._heads[run] = head

    def _admit(self, batch: _Batch, job: Job) -> Refusal | None:
        try:
            match job:
                case Append():
                    self._append(batch, job)
                case KeepDefinition():
                    batch.titles[job.digest] = job.title
                    parameters = (job.digest, job.title.name, job.title.kind, job.content)
                    batch.others.append(("keep_definition", parameters))
                case KeepPlan():
                    self._keep_plan(batch, job)
                case KeepSnapshot():
                    self._keep_snapshot(batch, job)
                case KeepEvents():
                    _keep_events(self._connection, batch, job)
                case ForgetEvents():
                    asked = (job.before, job.most, job.needed)
                    job.gone.append(self._connection.execute(SQL["forget_events"], asked).rowcount)
                case ChangeCursor(statement, parameters):
                    batch.others.append((statement, parameters))
                case Prune():
                    job.removed.append(prune(self._connection, job.runs, unused=job.unused))
                case _:
                    assert_never(job)
        except Refusal as why:
            return why
        return None

    def _keep_plan(self, batch: _Batch, job: KeepPlan) -> None:
        stored = self._connection.execute(SQL["plan"], (job.id,)).fetchone()
        pending = next((p[1] for name, p in batch.others if name == "keep_plan" and p[0] == job.id), None)
        for other in (stored and stored[0], pending):
            if other is not None and other != job.content:
                raise another_plan(job.id)
        batch.others.append(("keep_plan", (job.id, job.content)))

    def _keep_snapshot(self, batch: _Batch, job: KeepSnapshot) -> None:
        head = self._head(batch, job.run)
        if head is None or head.standing.phase is not None or job.position > head.length:
            return
        # No fact behind the position lies before the stretch in which the run now ends, if it ends there.
        stretch = head.stretch if job.position == head.length and head.stretch >= 0 else 0
        batch.others.append(("keep_snapshot", (head.number, job.position, stretch, job.content)))

    def _head(self, batch: _Batch, run: RunId) -> Head | None:
        """Return how far a run is. The file is asked about one that is new to this writer, or that slept."""
        known = batch.heads.get(run) or self._heads.get(run)
        if known is not None:
            return known
        row = self._connection.execute(SQL["run"], (run,)).fetchone()
        if row is None:
            return None
        number, length, standing = records.standing(row)
        return Head(number, length, -1, standing)

    def _append(self, batch: _Batch, job: Append) -> None:
        head = self._head(batch, job.run)
        expect(job.run, job.expected, head.length if head else 0, len(job.facts))
        before = head.standing if head else None
        title = None if head else self._title(batch, job.facts)
        result = project(job.run, before, job.facts, title, job.wake_at)
        applies = title is not None and title.kind == APPLY and not job.foreign
        if applies and _takes_turn(self._connection, batch.newest_apply, job.run, title, job.facts):
            batch.newest_apply = job.run
            batch.others.append(("note_apply", (job.run,)))
        others = _others(job, result.changes) if result.changes or job.tells else ()
        number, stretch = (head.number, head.stretch) if head else (batch.next_number, -1)
        if head is None:
            batch.next_number += 1
        row, length = batch.next_id, job.expected
        for content in job.contents:
            if row // STRETCH != stretch:
                stretch = row // STRETCH
                batch.places.append((number, stretch))
            fact = content if len(content) <= limits.PAYLOAD_INLINE_BYTES else _aside(batch, content)
            batch.journal.append((row, number, length, crc32(content), fact))
            row += 1
            length += 1
        batch.next_id = row
        batch.heads[job.run] = Head(number, length, stretch, result.standing)
        batch.others.extend(others)

    def _title(self, batch: _Batch, facts: Sequence[Fact]) -> Title | None:
        """Return the title of the definition that a first fact names, None if there is none."""
        if not facts or not isinstance(facts[0], Created):
            return None
        digest = facts[0].definition
        known = batch.titles.get(digest) or self._titles.get(digest)
        if known is None:
            row = self._connection.execute(SQL["title"], (digest,)).fetchone()
            if row:
                known = self._titles[digest] = Title(*row)
        return known

    def _note_standing(self, batch: _Batch, head: Head) -> None:
        """Write the row of a run if it changed: a run that only goes on costs nothing here."""
        known = self._heads.get(head.standing.id)
        if known is None or known.standing is not head.standing:
            batch.runs.append(records.run_row(head.number, head.length, head.standing))
        if head.standing.phase is not None:
            batch.ended.append((head.number,))


def _takes_turn(
    connection: sqlite3.Connection, pending: str, run: RunId, title: Title | None, facts: Sequence[Fact]
) -> bool:
    """Return whether a run that is new is an apply, and the newest one then; refuse an overtaken one (E2048).

    `pending` is the newest of the batch, empty for none; the rest is asked of the file.
    """
    if title is None:
        return False
    newest = pending or connection.execute(SQL["newest_apply"]).fetchone()[0]
    return apply_begins(run, title, facts, newest)


def _others(job: Append, projected: Sequence[Change]) -> list[Statement]:
    """Return what an append changes beside the journal and the row of its run."""
    # A resource, or an event, of elsewhere is nothing that happened here; who listens does so here.
    changes = [each for each in projected if not job.foreign or isinstance(each, EarChanged)]
    told_too = told(job.run, job.facts, job.tells, changes)
    return [each for change in told_too for each in records.statements(change)]


def _keep_events(connection: sqlite3.Connection, batch: _Batch, job: KeepEvents) -> None:
    for at, event in job.events:
        row = records.event_row(at, event)
        pending = any(name == "keep_event" and p[1] == row[1] for name, p in batch.others)
        known = pending or connection.execute(SQL["event_known"], (row[1],)).fetchone() is not None
        job.fresh.append(not known)
        if not known:
            batch.others.append(("keep_event", row))


def _fenced(path: str, ours: int, newest: int) -> Refusal:
    return refuse(
        "E5002",
        f"another engine has taken `{path}` over: epoch `{ours}` is past, `{newest}` writes now",
        "end this process; the other one goes on from the same journal",
    )


def _aside(batch: _Batch, content: bytes) -> str:
    """Put a large fact among the blobs; return the name of its blob, which stands in the journal for it."""
    digest = digest_of(content)
    batch.blobs.append((digest, content))
    return digest
