"""The courier takes events from the log to where they are wanted: in its order, each at least once.

Law: a cursor moves when what lies before it was delivered, and never before. So a courier that dies goes on
where it was, and what was under way is delivered once more. No run waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import field, replace
from typing import Final

from dirigent.core.events.lifecycle import TYPES
from dirigent.core.events.shape import size
from dirigent.model import limits
from dirigent.model.events.cursor import Cursor
from dirigent.model.events.listening import Arrived, Event, Place
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.ports import Clock
from dirigent.ports.events import Outbox, Sender, Undelivered

PAGE: Final = 256
# One delivery may take so long; the claim to a sink outlasts it.
SEND_SECONDS: Final = 20.0
CLAIM_SECONDS: Final = 30.0
# How long a sink is left alone that failed: twice as long each time, up to a minute.
BACK_OFF_SECONDS: Final = (1.0, 60.0)
# How often the log is looked at when nobody says that there is something new.
LOOK_SECONDS: Final = 1.0

Complain = Callable[[str, str], None]
"""Is told the name of a sink, and why it cannot be delivered to: once, until it can again."""


@dataclass(slots=True, eq=False)
class Route:
    """A sink that is delivered to: at most `batch` events at a time.

    `failures` is how often it failed since it last did not; `known` is how far the log was when all of it
    was delivered. It `rests` when nothing can be done at once, and is `over` when nobody serves it any more.
    """

    cursor: Cursor
    sender: Sender
    batch: int = 1
    failures: int = 0
    known: Place | None = None
    over: bool = False
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    rests: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True, eq=False)
class Courier:
    """Delivers to each sink by a task of its own. `holder` names this process among those on a store."""

    log: Outbox
    clock: Clock
    routes: Sequence[Route]
    complain: Complain
    holder: str = ""

    async def open(self) -> None:
        """Have every sink remembered; one that is new gets what comes from now on."""
        end = await self.log.log_end()
        for route in self.routes:
            await self.log.keep_cursor(replace(route.cursor, place=end))

    @property
    def lively(self) -> bool:
        """Return whether what becomes of any run is news for a sink."""
        return any(route.cursor.wants_type(kind) for route in self.routes for kind in TYPES)

    def stir(self) -> None:
        """There may be something new in the log."""
        for route in self.routes:
            if not route.failures and not route.over:
                route.rests.clear()
            route.stirred.set()

    async def serve(self, route: Route) -> None:
        """Deliver to one sink for ever. Cancel to stop."""
        try:
            await self._serve(route)
        finally:
            route.over = True
            route.rests.set()

    async def _serve(self, route: Route) -> None:
        while True:
            route.stirred.clear()
            try:
                moved = await self.round(route)
                route.failures = 0
            except (Undelivered, Refusal) as failure:
                await self._back_off(route, str(failure))
                continue
            if not moved:
                route.rests.set()
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await route.stirred.wait()

    async def settle(self, seconds: float) -> None:
        """Return when all that can be delivered at once is, or so much time has passed."""
        self.stir()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for route in self.routes:
                    await route.rests.wait()

    async def round(self, route: Route) -> bool:
        """Deliver a page of the log; return whether there was one. Raises `Undelivered`."""
        name = route.cursor.sink
        if route.known is not None and await self.log.log_end() == route.known:
            return False
        place = await self.log.claim(name, self.holder, CLAIM_SECONDS)
        if place is None:
            return False
        page = await self.log.events(0.0, place, PAGE)
        for events, end in parcels(page, route):
            if events:
                await self._send(route, events)
            if not await self.log.advance(name, self.holder, end):
                return False  # Somebody else delivers by now, and goes on from where we said last.
        if not page:
            route.known = place
        return bool(page)

    async def _send(self, route: Route, events: Sequence[Event]) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await route.sender.send(events)
        except TimeoutError:
            raise Undelivered(f"it takes longer than {SEND_SECONDS:g} s") from None

    async def _back_off(self, route: Route, why: str) -> None:
        route.failures += 1
        if route.failures == 1:
            self.complain(route.cursor.sink, why)
        route.rests.set()
        shortest, longest = BACK_OFF_SECONDS
        delay = min(shortest * 2 ** min(route.failures - 1, 16), longest)
        await self.clock.sleep_until(self.clock.now() + delay)


def parcels(page: Sequence[Arrived], route: Route) -> Iterator[tuple[list[Event], Place]]:
    """Yield what is delivered together, and the place up to which all is done then.

    What is not for the sink is passed over; the last of it may come without an event.
    """
    parcel: list[Event] = []
    weight, end = 0, None
    for arrived in page:
        event = arrived.event
        if route.cursor.wants(str(event.get("type")), str(event.get("source"))):
            heavy = size(event) if route.batch > 1 else 0
            full = len(parcel) == route.batch or weight + heavy > limits.EVENTS_REQUEST_BYTES
            if parcel and full and end is not None:
                yield parcel, end
                parcel, weight = [], 0
            weight += heavy
            parcel.append(event)
        end = arrived.place
    if end is not None:
        yield parcel, end
