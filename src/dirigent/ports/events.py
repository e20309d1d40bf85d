"""The log of events: every event that runs emit or that comes from outside, in one order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol, runtime_checkable

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

    async def forget(self, before: float, most: int) -> None:
        """Remove events that arrived before a time, and the oldest where there are more than `most`."""
        ...

    async def listeners(self) -> list[Listener]:
        """Return every task of an open run that listens."""
        ...


@runtime_checkable
class Logged(Protocol):
    """A store that has a log of events."""

    @property
    def log(self) -> EventLog:
        """Return it."""
        ...
