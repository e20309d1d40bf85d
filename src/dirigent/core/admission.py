"""Who may begin, of all that wait in one queue. Pure: time is an argument, ids are the caller's.

Law 1: never more than `concurrency` under way, never more than `rate.number` begun in any `rate.seconds`.
Law 2: keys take turns: the one whose turn was longest ago goes first. Within a key, priority, then age.
Law 3: the order depends only on tickets and on when each key had its last turn, so it can be made again
from the journal after a crash.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import field
from typing import Generic, TypeVar

from dirigent.model.queue import Limits
from dirigent.model.record import dataclass
from dirigent.model.run.ticket import Ticket

Id = TypeVar("Id", bound=tuple[object, ...])


@dataclass(slots=True)
class Line(Generic[Id]):
    """One queue: what waits, what is under way, and when the last ones began.

    `limits` may be exchanged at any time: a smaller concurrency ends nothing that is under way.
    """

    limits: Limits
    _tickets: dict[Id, Ticket] = field(default_factory=dict)
    _running: set[Id] = field(default_factory=set)
    _later: list[tuple[float, Id]] = field(default_factory=list)
    _ready: dict[str, list[tuple[int, float, Id]]] = field(default_factory=dict)
    _turns: list[tuple[float, bool, int, str]] = field(default_factory=list)
    _turn: int = 0
    _served: dict[str, tuple[float, int]] = field(default_factory=dict)
    _emptied: list[str] = field(default_factory=list)
    _began: deque[float] = field(default_factory=deque)

    # -- what happens -----------------------------------------------------------------------------

    def join(self, item: Id, ticket: Ticket) -> None:
        """Let something wait. Twice is once; what is under way does not wait."""
        if item in self._tickets or item in self._running:
            return
        self._tickets[item] = ticket
        if ticket.not_before > ticket.since:
            heapq.heappush(self._later, (ticket.not_before, item))
        else:
            self._line_up(item, ticket, ticket.since)

    def enter(self, item: Id, ticket: Ticket, now: float) -> bool:
        """Let something begin that has not waited, if it would be the next; return whether it may."""
        self._settle(now)
        if self._tickets or item in self._running or ticket.not_before > now or not self._room():
            return False
        self._running.add(item)
        self.passed(now, ticket.key)
        self._emptied.append(ticket.key)
        return True

    def occupy(self, item: Id) -> None:
        """Note that something is under way, whether or not this queue let it go."""
        self._tickets.pop(item, None)
        self._running.add(item)

    def passed(self, at: float, key: str = "") -> None:
        """Note that something began at `at`, over or not: it counts for the rate and for the turns."""
        if self.limits.rate is not None:
            if self._began and at < self._began[-1]:
                self._began = deque(sorted([*self._began, at]))
            else:
                self._began.append(at)
        self._turn += 1
        self._served[key] = (max(at, self._served.get(key, (at, 0))[0]), self._turn)

    def left(self, item: Id) -> None:
        """Note that something is over, or does not want to wait any longer."""
        self._running.discard(item)
        self._tickets.pop(item, None)

    def withdrew(self, item: Id, at: float) -> None:
        """Take back that something was let go at `at`: it did not begin."""
        if item in self._running:
            self._running.discard(item)
            if at in self._began:
                self._began.remove(at)

    # -- what is asked ----------------------------------------------------------------------------

    def admit(self, now: float) -> Iterator[Id]:
        """Yield what may begin now; each counts as under way from here on."""
        self._settle(now)
        while self._room():
            item = self._next()
            if item is None:
                return
            ticket = self._tickets.pop(item)
            self._running.add(item)
            self.passed(now, ticket.key)
            if ticket.key in self._ready:
                self._take_turn(ticket.key, now)
            else:
                self._emptied.append(ticket.key)
            yield item

    def again(self, now: float) -> float | None:
        """Return when to look again if nothing else happens; None for never."""
        self._settle(now)
        times = []
        if self._later:
            times.append(self._later[0][0])
        rate = self.limits.rate
        if rate is not None and self._turns and len(self._running) < self.limits.concurrency:
            full = len(self._began) >= rate.number
            times.append(self._began[-rate.number] + rate.seconds if full else now)
        return min(times, default=None)

    @property
    def waiting(self) -> Iterable[tuple[Id, Ticket]]:
        """Return what waits, in no order."""
        return self._tickets.items()

    @property
    def running(self) -> frozenset[Id]:
        """Return what is under way."""
        return frozenset(self._running)

    # -- inside -----------------------------------------------------------------------------------

    def _line_up(self, item: Id, ticket: Ticket, since: float) -> None:
        """Put an item into the line of its key. A key that had nobody has its turn after all who wait."""
        ready = self._ready.get(ticket.key)
        if ready is None:
            ready = self._ready[ticket.key] = []
            self._take_turn(ticket.key, since)
        heapq.heappush(ready, (-ticket.priority, since, item))

    def _take_turn(self, key: str, since: float) -> None:
        """Give a key its next turn: as old as its last one, or as the time since which it waits."""
        served = self._served.get(key)
        if served is not None and served[0] >= since:
            turn = (served[0], True, served[1], key)
        else:
            self._turn += 1
            turn = (since, False, self._turn, key)
        heapq.heappush(self._turns, turn)

    def _settle(self, now: float) -> None:
        """Move on with time: delays that are over, and beginnings too old for the rate to count."""
        while self._later and self._later[0][0] <= now:
            due, item = heapq.heappop(self._later)
            ticket = self._tickets.get(item)
            if ticket is not None:
                self._line_up(item, ticket, due)
        # A key that comes back to an empty line later than its last turn waits after all others anyway.
        for key in [key for key in self._emptied if self._served.get(key, (now, 0))[0] < now]:
            if key not in self._ready:
                self._served.pop(key, None)
        self._emptied = [key for key in self._emptied if key in self._served and key not in self._ready]
        rate = self.limits.rate
        if rate is not None:
            while self._began and self._began[0] <= now - rate.seconds:
                self._began.popleft()
            if self._began and self._began[-1] > now:
                # The clock was set back: what was of the future is taken for just begun.
                self._began = deque(min(at, now) for at in self._began)

    def _room(self) -> bool:
        if len(self._running) >= self.limits.concurrency:
            return False
        rate = self.limits.rate
        return rate is None or len(self._began) < rate.number

    def _next(self) -> Id | None:
        """Return the first of the key whose turn it is, and take both out of their lines."""
        while self._turns:
            key = heapq.heappop(self._turns)[3]
            ready = self._ready[key]
            while ready:
                item = heapq.heappop(ready)[2]
                if item in self._tickets:
                    while ready and ready[0][2] not in self._tickets:
                        heapq.heappop(ready)
                    if not ready:
                        del self._ready[key]
                    return item
            del self._ready[key]
            self._emptied.append(key)
        return None
