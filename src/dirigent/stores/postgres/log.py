"""The log of events in a database: anybody puts events there; they are read in the order of transactions."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import cast

from dirigent.model.events.cursor import Cursor
from dirigent.model.events.listening import Arrived, Event, Listener, Place, key_of
from dirigent.model.record import dataclass
from dirigent.stores import codec
from dirigent.stores.cursors import cursor_of
from dirigent.stores.postgres.database import Database
from dirigent.stores.postgres.session.statements import SQL
from dirigent.stores.postgres.writer.fence import Fence

HINT = "events"


@dataclass(frozen=True, slots=True, eq=False)
class PostgresLog:
    """Fits `ports.events.EventLog`. With a fence it knows who listens in that shard, without it everybody.

    When an event arrived is told by the clock of the database.
    """

    database: Database
    fence: Fence | None = None

    async def take_events(self, events: Sequence[tuple[float, Event]]) -> list[bool]:
        """Put events into the log; return of each whether it is new. Durable on return."""
        firsts: dict[str, Event] = {}
        for _, event in events:
            firsts.setdefault(key_of(event), event)
        keys = list(firsts)
        kinds = [str(event.get("type")) for event in firsts.values()]
        contents = [codec.encode_event(event) for event in firsts.values()]
        rows = await self.database.links[0].fetch(SQL["take_events"], keys, kinds, contents)
        fresh = {cast("str", row[0]) for row in rows}
        self.database.hints.say(HINT)
        answers = []
        for _, event in events:
            answers.append(key_of(event) in fresh)
            fresh.discard(key_of(event))
        return answers

    async def events(
        self, since: float, after: Place, limit: int, types: Collection[str] | None = None
    ) -> list[Arrived]:
        """Return events that arrived at a time or later, behind a place, oldest first."""
        if types is None:
            rows = await self.database.links[0].fetch(SQL["events"], *after, since, limit)
        else:
            wanted = sorted(types)
            rows = await self.database.links[0].fetch(SQL["events_of_types"], *after, since, limit, wanted)
        return [
            Arrived(
                (cast("int", tx), cast("int", number)),
                cast("float", at),
                codec.decode_event(cast("bytes", content)),
                cast("str", run),
            )
            for tx, number, at, run, content in rows
        ]

    async def log_end(self) -> Place:
        """Return the place of the newest event that everybody can see."""
        rows = await self.database.links[0].fetch(SQL["log_end"])
        return (cast("int", rows[0][0]), cast("int", rows[0][1])) if rows else (0, 0)

    async def forget(self, before: float, most: int, needed: float = math.inf) -> int:
        """Remove events that are too old, or too many, and that nobody needs; return how many."""
        return len(await self.database.links[0].fetch(SQL["forget_events"], before, most, needed))

    async def listeners(self) -> list[Listener]:
        """Return every task that listens."""
        shard = None if self.fence is None else self.fence.shard
        rows = await self.database.links[0].fetch(SQL["listeners"], shard)
        return [codec.decode(cast("bytes", row[0]), Listener) for row in rows]

    async def cursors(self) -> list[Cursor]:
        """Return how far each sink is."""
        return [cursor_of(row) for row in await self.database.links[0].fetch(SQL["cursors"])]

    async def keep_cursor(self, cursor: Cursor) -> None:
        """Remember a sink; of one that is known the place stays."""
        content = codec.encode(cursor)
        await self.database.links[0].fetch(SQL["keep_cursor"], cursor.sink, *cursor.place, content)

    async def claim(self, sink: str, holder: str, seconds: float) -> Place | None:
        """Become the one engine that delivers to a sink, or stay it; return how far the sink is."""
        rows = await self.database.links[0].fetch(SQL["claim_cursor"], sink, holder, seconds)
        return (cast("int", rows[0][0]), cast("int", rows[0][1])) if rows else None

    async def advance(self, sink: str, holder: str, place: Place) -> bool:
        """Say that all up to a place was delivered; False when another engine delivers by now."""
        return bool(await self.database.links[0].fetch(SQL["advance_cursor"], sink, holder, *place))

    async def drop_cursor(self, sink: str) -> None:
        """Forget a sink."""
        await self.database.links[0].fetch(SQL["drop_cursor"], sink)
