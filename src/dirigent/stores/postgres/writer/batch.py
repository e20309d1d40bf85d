"""What one writing statement carries, column by column: arrays that the database takes apart again.

Rule: nothing of an append is put in before it was admitted, so a refused one leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Final, TypeAlias, assert_never

from dirigent.model.events.listening import Listener, Tell, key_of
from dirigent.model.ids import RunId
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Fact, Listening
from dirigent.stores import codec
from dirigent.stores.postgres import records
from dirigent.stores.postgres.writer.fence import Fence, Head
from dirigent.stores.projection import Change, EarChanged, EventMade, RowChanged, Standing

Column: TypeAlias = list[object]

# The answer to a wish that was fulfilled as it stands: an empty text in msgpack.
GRANTED: Final = b"\xa0"


@dataclass(frozen=True, slots=True, eq=False)
class Append:
    """Facts for one run of a shard, their bytes as stored, and the ids of the wishes that they fulfil.

    `foreign` ones change no resource of this store.
    """

    fence: Fence
    run: RunId
    expected: int
    facts: Sequence[Fact]
    content: bytes
    wake_at: float
    granted: Sequence[int] = ()
    tells: Sequence[Tell] = ()
    foreign: bool = False

    @property
    def end(self) -> int:
        """Return the length of the journal after it."""
        return self.expected + len(self.facts)


@dataclass(slots=True)
class Births:
    """Runs that begin."""

    rows: list[tuple[object, ...]] = field(default_factory=list)
    heads: dict[RunId, tuple[Fence, int, Standing]] = field(default_factory=dict)


@dataclass(slots=True)
class Batch:
    """Everything that goes into one statement. `heads` are those after it, by run.

    `apply` is the one that begins with it, and which one it takes for the newest before it (None: whichever).
    """

    fences: dict[int, Fence] = field(default_factory=dict)
    heads: dict[RunId, Head] = field(default_factory=dict)
    births: Births = field(default_factory=Births)
    grown: list[tuple[object, ...]] = field(default_factory=list)
    changed: dict[RunId, tuple[int, Head]] = field(default_factory=dict)
    forgotten: list[int] = field(default_factory=list)
    rows: dict[str, tuple[object, ...]] = field(default_factory=dict)
    history: list[tuple[object, ...]] = field(default_factory=list)
    granted: list[tuple[object, ...]] = field(default_factory=list)
    events: list[tuple[object, ...]] = field(default_factory=list)
    ears: dict[tuple[str, str], tuple[object, ...]] = field(default_factory=dict)
    apply: tuple[str, str | None] = ("", None)
    overtaken: bool = False

    @property
    def plain(self) -> bool:
        """Return whether runs only go on: the short statement is enough."""
        more = self.changed or self.history or self.granted or self.events or self.ears
        return not (self.births.rows or more)

    def bear(self, job: Append, where: Standing) -> None:
        """Add the first append of a run."""
        shown = where.shown_phase()
        self.births.rows.append(
            (
                *(job.run, job.fence.shard, where.title.name, shown, where.created_at, where.wake_at),
                *(records.stored(where), len(job.facts), records.checksum(job.content), job.content),
            )
        )
        self.births.heads[job.run] = (job.fence, len(job.facts), where)

    def grow(self, job: Append, before: Head, where: Standing) -> None:
        """Add a further append of a run."""
        shard = job.fence.shard
        if job.facts:
            row = (shard, before.number, job.expected, len(job.facts), records.checksum(job.content))
            self.grown.append((*row, job.content))
        head = Head(before.number, job.end, where, before.snapshot)
        self.heads[job.run] = head
        if where is not before.standing:
            self.changed[job.run] = (shard, head)
            if where.phase is not None and before.snapshot:
                self.forgotten.append(before.number)

    def change(self, job: Append, change: Change) -> None:
        """Add the change of a row beside the journal."""
        shard = job.fence.shard
        match change:
            case RowChanged():
                self._change_row(job, change)
            case EarChanged(run, Listening() as fact):
                listener = Listener(run, fact.position, fact.attempt, fact.want, fact.since)
                self.ears[run, fact.position] = (shard, run, fact.position, codec.encode(listener))
            case EarChanged(run, fact):
                self.ears[run, fact.position] = (shard, run, fact.position, None)
            case EventMade(run, at, event):
                content = codec.encode_event(event)
                self.events.append((shard, at, key_of(event), str(event.get("type")), run, content))
            case _:
                assert_never(change)

    def _change_row(self, job: Append, change: RowChanged) -> None:
        fact = change.fact
        content = None if fact.row is None else codec.encode(fact.row)
        self.rows[fact.address] = (job.fence.shard, job.run, fact.address, content)
        self.history.append((job.fence.shard, job.run, fact.address, fact.at, content))

    def grant(self, job: Append) -> None:
        """Add the wishes that an append fulfils."""
        self.granted.extend((job.fence.shard, job.run, wish, GRANTED) for wish in job.granted)

    def short(self) -> list[object]:
        """Return the parameters of the statement by which runs only go on."""
        return [*self._tokens(), *columns(self.grown, 6)]

    def whole(self) -> list[object]:
        """Return the parameters of the statement that carries everything."""
        changed: list[tuple[object, ...]] = [
            (
                shard,
                head.number,
                head.standing.shown_phase(),
                head.standing.wake_at,
                records.stored(head.standing),
            )
            for shard, head in self.changed.values()
        ]
        return [
            *self._tokens(),
            *columns(self.births.rows, 10),
            *columns(self.grown, 6),
            *columns(changed, 5),
            self.forgotten,
            *columns(list(self.rows.values()), 4),
            *columns(self.history, 5),
            *columns(self.granted, 4),
            *columns(self.events, 6),
            *columns(list(self.ears.values()), 4),
            *self.apply,
        ]

    def _tokens(self) -> tuple[list[int], list[int]]:
        shards = sorted(self.fences)
        return shards, [self.fences[shard].token for shard in shards]


def columns(rows: Sequence[tuple[object, ...]], width: int) -> list[Column]:
    """Return rows column by column."""
    if not rows:
        return [[] for _ in range(width)]
    return [list(column) for column in zip(*rows, strict=True)]
