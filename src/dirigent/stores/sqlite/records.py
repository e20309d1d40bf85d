"""Rows of the tables as values of the model, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias, cast
from zlib import crc32

import msgspec

from dirigent.model.fault import Fault
from dirigent.model.ids import Digest, Position, RunId
from dirigent.stores import codec
from dirigent.stores.forms import corrupt
from dirigent.stores.projection import Change, RowChanged, Standing, Timer, TimerGone, TimersGone, Title

Parameters: TypeAlias = tuple[str | int | float | bytes | None, ...]
Statement: TypeAlias = tuple[str, Parameters]
Row: TypeAlias = tuple[object, ...]

_pack: Final = msgspec.msgpack.Encoder().encode
_positions: Final = msgspec.msgpack.Decoder(list[str])


def standing(row: Row) -> tuple[int, int, Standing]:
    """Return a run's number, the length of its journal, and how it stands, of a row of `standings`."""
    number, run, name, kind, definition, created_at, parent = row[:7]
    held, suspended, cancelling, phase, ended_at, fault, facts, queue, admitted_at = row[7:]
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
        queue=cast("str", queue),
        admitted_at=cast("float | None", admitted_at),
    )
    return cast("int", number), cast("int", facts), where


def timer(row: Row) -> Timer:
    """Return the timer of a row."""
    run, position, attempt, purpose, until = cast("tuple[str, str, int, str, float]", row)
    return Timer(RunId(run), Position(position), attempt, purpose, until)


def run_row(number: int, length: int, where: Standing) -> Statement:
    """Return the statement that stores how a run stands. Its length is stored when it ends."""
    return "keep_run", (
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
        None if where.phase is None else length,
        where.queue,
        where.admitted_at,
    )


def statements(change: Change) -> tuple[Statement, ...]:
    """Return the statements that a change of the projection stands for, in order."""
    match change:
        case Timer(run, position, attempt, purpose, until):
            return (("set_timer", (run, position, attempt, purpose, until)),)
        case TimerGone(run, position, attempt, purpose):
            return (("drop_timer", (run, position, attempt, purpose)),)
        case TimersGone(run):
            return (("drop_timers", (run,)),)
        case RowChanged(run, fact):
            content = None if fact.row is None else codec.encode(fact.row)
            past: Statement = ("note_history", (fact.address, fact.at, run, content))
            if content is None:
                return ("drop_row", (fact.address,)), past
            return ("put_row", (fact.address, content)), past


def journal(rows: Sequence[Row], path: str) -> list[bytes]:
    """Return the bytes of every fact of a run; a gap or a changed byte is damage (E5008)."""
    contents = []
    for expected, (position, checksum, fact, blob) in enumerate(rows):
        content = fact if blob is None else blob
        if position != expected or not isinstance(content, bytes) or crc32(content) != checksum:
            raise corrupt(f"`{path}` is damaged: fact `{expected}` of a run is missing or changed")
        contents.append(content)
    return contents
