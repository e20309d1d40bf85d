"""The queues of an engine: what waits for its turn, and how it is let go. Who may go is `core.admission`.

Nothing of this is kept: every engine makes it anew from the journals of the runs that it takes up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Final, TypeAlias

from dirigent.core.admission import Line
from dirigent.core.machine import EFFECT, Run, unbegun
from dirigent.core.status import Phase, Status
from dirigent.engine.crew import Crew
from dirigent.engine.live import Arrival, Live
from dirigent.engine.queues.again import Again
from dirigent.engine.queues.firsts import Firsts, check
from dirigent.engine.queues.recollection import beginnings
from dirigent.model.ids import Position, RunId
from dirigent.model.queue import Queue
from dirigent.model.record import dataclass
from dirigent.model.run.command import Perform
from dirigent.model.run.journal import (
    Abandoned,
    Created,
    Ended,
    Fact,
    Failed,
    Held,
    Intended,
    Repeated,
    Resumed,
    Skipped,
    Succeeded,
    Suspended,
    Vouched,
)
from dirigent.model.run.start import Start
from dirigent.model.run.ticket import Ticket
from dirigent.ports import Clock, Journal, Shelf

Item: TypeAlias = tuple[RunId, Position, int]
"""An effect by run, position and attempt; a whole run has neither of these."""

NOWHERE: Final = Position("")
_OVER: Final = (Succeeded, Failed, Abandoned, Held, Vouched, Skipped)


def whole(run: RunId) -> Item:
    """Return a run as something that waits."""
    return (run, NOWHERE, 0)


@dataclass(slots=True, eq=False)
class Queues:
    """Lets go what waits, as soon as it may. `open` comes when every open run has been taken up.

    `load` brings a run into memory, `turn` folds what has arrived for it.
    """

    declared: Mapping[str, Queue]
    clock: Clock
    crew: Crew
    load: Callable[[RunId], Awaitable[Live]]
    turn: Callable[[Live], None]
    lines: dict[str, Line[Item]] = field(default_factory=dict)
    _items: dict[RunId, dict[Item, str]] = field(default_factory=dict)
    firsts: Firsts = field(default_factory=Firsts)
    _unsure: set[Item] = field(default_factory=set)
    _granted: set[Item] = field(default_factory=set)
    _early: list[tuple[Item, Ticket]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    _again: Again = field(init=False)
    is_open: bool = False

    def __post_init__(self) -> None:
        """Wire the clock to the lines."""
        self._again = Again(self.clock, self.touch)

    # -- life -------------------------------------------------------------------------------------

    async def open(self, journal: Journal, shelf: Shelf) -> None:
        """Begin to let go, in the order that the past of the queues demands."""
        if self._early or any(queue.limits.rate for queue in self.declared.values()):
            for queue, at, key in await beginnings(journal, shelf, self.declared, self.clock.now()):
                self.line(queue).passed(at, key)
        self.is_open = True
        for item, ticket in sorted(self._early, key=lambda each: each[1].since):
            self._join(item, ticket)
        self._early.clear()
        self.crew.act(self._again.serve())

    # -- what comes in ----------------------------------------------------------------------------

    def take_up(self, run: Run) -> None:
        """Learn of a run that an engine before this one began, or let wait."""
        ticket = run.created.ticket if run.created else None
        if ticket is not None and run.phase is not Phase.ENDED:
            self.firsts.note(run.id, ticket)
            if run.phase is Phase.QUEUED:
                self._join(whole(run.id), ticket)
            elif unbegun(run):
                self._items[run.id] = {}  # It lines up when it is resumed.
            else:
                self._occupy(whole(run.id), ticket.queue)
        for (position, attempt, _), ask in run.asks.items():
            if ask.ticket is not None and ask.status is Status.UNDER_WAY:
                self._occupy((run.id, position, attempt), ask.ticket.queue)

    def admits(self, run: RunId, command: Perform) -> bool:
        """Return whether an effect may begin now: it was let go, or nobody waits and there is room."""
        item, ticket = (run, command.position, command.attempt), command.ticket
        if item in self._granted or ticket is None:
            return True
        if not self.is_open or not self.line(ticket.queue).enter(item, ticket, self.clock.now()):
            return False
        self._items.setdefault(run, {})[item] = ticket.queue
        return True

    def ask(self, run: RunId, command: Perform) -> None:
        """Let an effect wait for its turn; asked twice it waits once."""
        if command.ticket is not None:
            self._join((run, command.position, command.attempt), command.ticket)

    def hear(self, live: Run, facts: Sequence[Fact]) -> None:
        """Learn from what is durable now."""
        first, run = facts[0], live.id
        if isinstance(first, Created) and first.ticket is not None:
            self.firsts.note(run, first.ticket)
            self._join(whole(run), first.ticket)
        items = self._items.get(run)
        if items is None:
            return
        for fact in facts:
            match fact:
                case Intended() | Suspended() | Resumed():
                    self._hear_going(live, fact, items)
                case Repeated(position=position, attempt=attempt) if (run, position, attempt) in items:
                    # The word of a person goes before every queue.
                    self._occupy((run, position, attempt), items[run, position, attempt])
                case Ended():
                    self._forget(run, items)
                case _ if isinstance(fact, _OVER):
                    self._left((run, fact.position, fact.attempt), items)
                case _:
                    pass

    def _hear_going(self, run: Run, word: Intended | Suspended | Resumed, items: dict[Item, str]) -> None:
        """Something begins, or a run leaves the line where it waits, or lines up again, as old as it is."""
        ticket = run.created.ticket if run.created else None
        if isinstance(word, Intended):
            self._unsure.discard((run.id, word.position, word.attempt))
        elif isinstance(word, Suspended):
            if unbegun(run):
                self._left(whole(run.id), items)
        elif word.queue:
            self._unsure.discard(whole(run.id))
        elif ticket is not None and run.phase is Phase.QUEUED:
            self._join(whole(run.id), ticket)

    # -- inside -----------------------------------------------------------------------------------

    def line(self, queue: str) -> Line[Item]:
        """Return a queue; it is made when it is first named."""
        line = self.lines.get(queue)
        if line is None:
            declared = self.declared.get(queue) or Queue(queue)
            line = self.lines[queue] = Line(declared.limits)
        return line

    def _join(self, item: Item, ticket: Ticket) -> None:
        self._items.setdefault(item[0], {})[item] = ticket.queue
        if not self.is_open:
            self._early.append((item, ticket))
            return
        self.line(ticket.queue).join(item, ticket)
        self.touch(ticket.queue)

    def _occupy(self, item: Item, queue: str) -> None:
        self._items.setdefault(item[0], {})[item] = queue
        self.line(queue).occupy(item)

    def _left(self, item: Item, items: dict[Item, str]) -> None:
        queue = items.get(item)
        if queue is not None:
            self.line(queue).left(item)
            self.touch(queue)

    def _forget(self, run: RunId, items: dict[Item, str]) -> None:
        for item in items:
            self._left(item, items)
            self._unsure.discard(item)
        del self._items[run]
        self.firsts.forget(run)

    def touch(self, queue: str) -> None:
        """Have a queue looked at: something has happened there."""
        if not self.touched:
            asyncio.get_running_loop().call_soon(self._look)
        self.touched.add(queue)

    def _look(self) -> None:
        """Let go whatever may go, of the queues in which something has happened."""
        touched, self.touched = self.touched, set()
        if not self.is_open or self.crew.failure is not None or self.crew.closing:
            return
        now = self.clock.now()
        for queue in sorted(touched):
            line = self.line(queue)
            for item in line.admit(now):
                self._unsure.add(item)
                self.crew.act(self._let_go(queue, item, now))
            self._again.at(queue, line.again(now))

    async def _let_go(self, queue: str, item: Item, at: float) -> None:
        """Have a run or an effect begin, or take it back when it is not wanted any more."""
        run, position, attempt = item
        live = await self.load(run)
        arrival = Arrival(
            () if position else (Resumed(at, queue=queue),), asyncio.get_running_loop().create_future()
        )
        if position:
            self._granted.add(item)
            live.run.news.append((position, attempt, EFFECT))
        live.arrived.append(arrival)
        self.turn(live)
        if arrival.taken is not None:
            await arrival.taken
        self._granted.discard(item)
        if item in self._unsure:
            self._unsure.discard(item)
            self.line(queue).withdrew(item, at)
            self.touch(queue)


def stands_for(queues: Queues, start: Start) -> RunId | None:
    """Return the open run that stands for a start already, or None, and then this start is the one.

    Raises `Refusal`: E4050 for a queue that is not declared, E4051 for a place that no queue has,
    E4052 when a run is open already and the start is to be the only one.
    """
    if start.ticket is None:
        return None
    check(start.ticket, queues.declared)
    return queues.firsts.of(start, start.ticket)


def size(queues: Queues, name: str, room: int) -> None:
    """Let no more of a queue be under way than there is room for, nor than is declared."""
    line = queues.line(name)
    declared = queues.declared.get(name) or Queue(name)
    at_once = min(declared.limits.concurrency, room)
    if line.limits.concurrency != at_once:
        line.limits = replace(line.limits, concurrency=at_once)
        queues.touch(name)


def report(queues: Queues) -> list[tuple[Queue, list[float], int]]:
    """Return each queue, since when what waits there does, and how much is under way."""
    return [
        (
            queues.declared.get(name) or Queue(name),
            [ticket.since for _, ticket in line.waiting],
            len(line.running),
        )
        for name, line in queues.lines.items()
    ]
