"""The log of events in the file of a store: written in the one transaction of all that queued up."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Sequence
from typing import cast

from dirigent.model.events.cursor import Cursor
from dirigent.model.events.listening import Arrived, Event, Listener, Place
from dirigent.model.record import dataclass
from dirigent.stores import codec
from dirigent.stores.cursors import cursor_of
from dirigent.stores.sqlite import records
from dirigent.stores.sqlite.commit import GroupCommit
from dirigent.stores.sqlite.reading import Desk, Reader
from dirigent.stores.sqlite.writing import ChangeCursor, ForgetEvents, KeepEvents


@dataclass(frozen=True, slots=True, eq=False)
class SqliteLog:
    """Fits `ports.events.EventLog`. The place of an event is its number behind a zero."""

    _queue: GroupCommit
    _desk: Desk
    _reader: Reader

    async def take_events(self, events: Sequence[tuple[float, Event]]) -> list[bool]:
        """Put events into the log; return of each whether it is new. Durable on return."""
        fresh: list[bool] = []
        await self._queue.submit(KeepEvents(events, fresh))
        return fresh

    async def events(
        self, since: float, after: Place, limit: int, types: Collection[str] | None = None
    ) -> list[Arrived]:
        """Return events that arrived at a time or later, behind a place, oldest first."""
        if types is None:
            rows = await self._desk.ask(self._reader.rows_of, "events", after[1], since, limit)
        else:
            wanted = json.dumps(sorted(types))
            rows = await self._desk.ask(
                self._reader.rows_of, "events_of_types", wanted, after[1], since, limit
            )
        return [records.arrived(row) for row in rows]

    async def log_end(self) -> Place:
        """Return the place of the newest event."""
        rows = await self._desk.ask(self._reader.rows_of, "log_end")
        return 0, cast("int", rows[0][0])

    async def forget(self, before: float, most: int, needed: float = math.inf) -> int:
        """Remove events that are too old, or too many, and that nobody needs; return how many."""
        gone: list[int] = []
        await self._queue.submit(ForgetEvents(before, most, needed, gone))
        return gone[0]

    async def listeners(self) -> list[Listener]:
        """Return every task that listens."""
        rows = await self._desk.ask(self._reader.rows_of, "listeners")
        return [codec.decode(cast("bytes", row[0]), Listener) for row in rows]

    async def cursors(self) -> list[Cursor]:
        """Return how far each sink is."""
        return [cursor_of(row) for row in await self._desk.ask(self._reader.rows_of, "cursors")]

    async def keep_cursor(self, cursor: Cursor) -> None:
        """Remember a sink; of one that is known the place stays."""
        content = codec.encode(cursor)
        await self._queue.submit(ChangeCursor("keep_cursor", (cursor.sink, cursor.place[1], content)))

    async def claim(self, sink: str, holder: str, seconds: float) -> Place | None:
        """Return how far a sink is: the one engine of this file delivers."""
        _ = holder, seconds
        rows = await self._desk.ask(self._reader.rows_of, "cursor", sink)
        return (0, cast("int", rows[0][0])) if rows else None

    async def advance(self, sink: str, holder: str, place: Place) -> bool:
        """Say that all up to a place was delivered."""
        _ = holder
        await self._queue.submit(ChangeCursor("advance_cursor", (place[1], sink)))
        return True

    async def drop_cursor(self, sink: str) -> None:
        """Forget a sink."""
        await self._queue.submit(ChangeCursor("drop_cursor", (sink,)))
