"""Rows of the tables as values of the model, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias, assert_never, cast
from zlib import crc32

import msgspec

from dirigent.model.events.listening import Arrived, Event, Listener, key_of
from dirigent.model.fault import Fault
from dirigent.model.ids import Digest, Position, RunId
from dirigent.model.run.journal import Listening
from dirigent.stores import codec
from dirigent.stores.forms import corrupt
from dirigent.stores.projection import Change, EarChanged, EventMade, RowChanged, Standing, Title

Parameters: TypeAlias = tuple[str | int | float | bytes | None, ...]
Statement: TypeAlias = tuple[str, Parameters]
Row: TypeAlias = tuple[object, ...]

_pack: Final = msgspec.msgpack.Encoder().encode
_positions: Final = msgspec.msgpack.Decoder(list[str])


def standing(row: Row) -> tuple[int, int, Standing]:
    """Return a run's number, the length of its journal, and how it stands, of a row of `standings`."""
    number, run, name, kind, definition, created_at, parent = row[:7]
    held, suspended, cancelling, phase, ended_at, fault, facts, wake_at, queue, admitted_at = row[7:]
    where = Standing(
        id=RunId(cast("str", run)),
        title=Title(cast("str", name), cast("str", kind)),
        definition=Digest(cast("str", definition)),
        created_at=cast("float", created_at),
        parent=cast("RunId | None", parent),
        held=tuple(Position(each) for each in _positions.decode(cast("bytes", held))),
        suspended=bool(suspended),
        cancelling=bool(cancelling),
        phase=cast("str | None", phase),
        ended_at=cast("float | None", ended_at),
        fault=None if fault is None else codec.decode(cast("bytes", fault), Fault),
        wake_at=cast("float | None", wake_at),
        queue=cast("str", queue),
        admitted_at=cast("float | None", admitted_at),
    )
    return cast("int", number), cast("int", facts), where


def run_row(number: int, length: int, where: Standing) -> Parameters:
    """Return what `keep_run` stores of how a run stands. Its length is stored while it rests."""
    return (
        number,
        where.id,
        where.definition,
        where.created_at,
        where.parent,
        _pack(where.held),
        where.suspended,
        where.cancelling,
        where.phase,
        where.ended_at,
        None if where.fault is None else codec.encode(where.fault),
        length if where.resting else None,
        where.wake_at,
        where.queue,
        where.admitted_at,
    )


def statements(change: Change) -> tuple[Statement, ...]:
    """Return the statements that a change of the projection stands for, in order."""
    match change:
        case RowChanged():
            return _row_statements(change)
        case EarChanged(run, Listening() as fact):
            listener = codec.encode(Listener(run, fact.position, fact.attempt, fact.want, fact.since))
            return (("put_listener", (run, fact.position, listener)),)
        case EarChanged(run, fact):
            return (("drop_listener", (run, fact.position)),)
        case EventMade(run, at, event):
            return (("keep_event", event_row(at, event, run)),)
        case _:
            assert_never(change)


def event_row(at: float, event: Event, run: str = "") -> Parameters:
    """Return what `keep_event` stores of an event."""
    return (at, key_of(event), str(event.get("type")), run, codec.encode_event(event))


def arrived(row: Row) -> Arrived:
    """Return an event of a row of the log."""
    number, at, run, content = row
    event = codec.decode_event(cast("bytes", content))
    return Arrived((0, cast("int", number)), cast("float", at), event, cast("str", run))


def _row_statements(change: RowChanged) -> tuple[Statement, ...]:
    run, fact = change.run, change.fact
    content = None if fact.row is None else codec.encode(fact.row)
    past: Statement = ("note_history", (fact.address, fact.at, run, content))
    if content is None:
        return ("drop_row", (fact.address,)), past
    return ("put_row", (fact.address, content)), past


def journal(rows: Sequence[Row], path: str, since: int = 0) -> list[bytes]:
    """Return the bytes of a run's facts from a position on; a gap or a changed byte is damage (E5008)."""
    contents = []
    for expected, (position, checksum, fact, blob) in enumerate(rows, since):
        content = fact if blob is None else blob
        if position != expected or not isinstance(content, bytes) or crc32(content) != checksum:
            raise corrupt(f"`{path}` is damaged: fact `{expected}` of a run is missing or changed")
        contents.append(content)
    return contents
