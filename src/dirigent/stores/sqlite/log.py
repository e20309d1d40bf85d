"""The log of events in the file of a store: written in the one transaction of all that queued up."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import cast

from dirigent.model.events.listening import Arrived, Event, Listener, Place
from dirigent.model.record import dataclass
from dirigent.stores import codec
from dirigent.stores.sqlite import records
from dirigent.stores.sqlite.commit import GroupCommit
from dirigent.stores.sqlite.reading import Desk, Reader
from dirigent.stores.sqlite.writing import ForgetEvents, KeepEvents


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

    async def forget(self, before: float, most: int) -> None:
        """Remove events that arrived before a time, and the oldest where there are more than `most`."""
        await self._queue.submit(ForgetEvents(before, most))

    async def listeners(self) -> list[Listener]:
        """Return every task that listens."""
        rows = await self._desk.ask(self._reader.rows_of, "listeners")
        return [codec.decode(cast("bytes", row[0]), Listener) for row in rows]
