"""The log of events: every event that runs emit or that comes from outside, in one order."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

from dirigent.model.events.cursor import Cursor
from dirigent.model.events.listening import Arrived, Event, Listener, Place


class EventLog(Protocol):
    """A log in which an event comes once only, by its source and id.

    What a run emits is in it with the fact that says so, and so is who listens. A place that a reader was
    given stays behind him: no event is ever put before it.
    """

    async def take_events(self, events: Sequence[tuple[float, Event]]) -> list[bool]:
        """Put events into the log, each with when it arrived; return of each whether it is new.

        Durable on return. Raises `Refusal` as an append does.
        """
        ...

    async def events(
        self, since: float, after: Place, limit: int, types: Collection[str] | None = None
    ) -> list[Arrived]:
        """Return events that arrived at `since` or later, behind a place, in order; of all types, or some."""
        ...

    async def log_end(self) -> Place:
        """Return the place of the newest event; (0, 0) when there is none."""
        ...

    async def forget(self, before: float, most: int, needed: float = math.inf) -> int:
        """Remove events that arrived before a time, and the oldest where there are more than `most`.

        What a sink has still to get stays, and what arrived at `needed` or later. Return how many went.
        """
        ...

    async def listeners(self) -> list[Listener]:
        """Return every task of an open run that listens."""
        ...


class Outbox(EventLog, Protocol):
    """A log that remembers how far each sink is. What is said of a cursor is durable on return."""

    async def cursors(self) -> list[Cursor]:
        """Return all of them, by the name of the sink."""
        ...

    async def keep_cursor(self, cursor: Cursor) -> None:
        """Remember a sink, from its place on; of one that is known the place stays, the rest is renewed."""
        ...

    async def claim(self, sink: str, holder: str, seconds: float) -> Place | None:
        """Become the one who delivers to a sink for so long, or stay it; return how far the sink is.

        None when somebody else is it, or there is no such sink. Where one engine alone writes, it always is.
        """
        ...

    async def advance(self, sink: str, holder: str, place: Place) -> bool:
        """Say that all up to a place was delivered; False when another one delivers by now."""
        ...

    async def drop_cursor(self, sink: str) -> None:
        """Forget a sink."""
        ...


@runtime_checkable
class Logged(Protocol):
    """A store that has a log of events."""

    @property
    def log(self) -> Outbox:
        """Return it."""
        ...


class Undelivered(Exception):
    """Events could not be delivered now; the message says why, without any secret."""


class Sender(Protocol):
    """Brings events to a sink."""

    async def send(self, events: Sequence[Event]) -> None:
        """Deliver events, all of them, in order; they are delivered when this returns.

        Raises `Undelivered`, and then nobody knows whether some of them were. It may be cancelled.
        """
        ...
