"""Events find the runs that wait for them: one task reads the log, and none waits for a run.

Law 1: the log is the truth. Whatever is known here can be lost: a listener is offered again all that arrived
since it began, and the run itself refuses what it had. Law 2: a listener has one event on offer at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import field
from typing import Final

from dirigent.core.events.shape import check_event
from dirigent.core.status import Phase
from dirigent.engine.crew import Crew
from dirigent.engine.events.index import Index, Key, is_lifecycle, is_own, is_schedule, key_of, named, oldest
from dirigent.engine.events.judging import judged
from dirigent.engine.events.memory import START, Memory
from dirigent.engine.live import Arrival, Live
from dirigent.model import limits
from dirigent.model.events.listening import Arrived, Event, Listener, Match, Place
from dirigent.model.ids import Position, RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.run.journal import (
    CancelRequested,
    Emitted,
    Fact,
    Heard,
    Listening,
    Resumed,
    Retried,
    Unheard,
)
from dirigent.ports import Clock, Language, Oracle
from dirigent.ports.events import EventLog

# Kinds of facts that are news here.
NEWS: Final = frozenset((Listening, Heard, Unheard, Emitted, CancelRequested, Resumed, Retried))
# After these a run, or a schedule, may take what it had taken before.
FORGETS: Final = (Retried, (Retried, CancelRequested))
PAGE: Final = 256
TIDY_SECONDS: Final = 600.0


class Unlogged:
    """The log of a store that has none: nothing is in it, and nobody listens."""

    async def take_events(self, *_: object, **__: object) -> list[bool]:
        """Refuse (E4102)."""
        raise refuse("E4102", "this store keeps no events", "name a store that does, with `--state`")

    async def events(self, *_: object, **__: object) -> list[Arrived]:
        """Return nothing."""
        return []

    async def log_end(self) -> Place:
        """Return where nothing lies."""
        return START

    async def forget(self, *_: object, **__: object) -> int:
        """Remove nothing."""
        return 0

    async def listeners(self) -> list[Listener]:
        """Return nobody."""
        return []


@dataclass(slots=True, eq=False)
class Ears:
    """Hands events over. `load` brings runs into memory, `go` turns one at which something arrived.

    `lost` learns of a run that cannot be loaded. What is `fresh` has still to be offered what arrived before
    it listened; everybody else has been offered all up to the `edge`. `offered` are the runs that
    were handed an event just now; `resting` are the listeners of suspended runs. `asked` are the types of
    lifecycle events that somebody waits for; events are kept for `keep_seconds`.
    """

    log: EventLog
    language: Language
    oracle: Oracle
    crew: Crew
    clock: Clock
    load: Callable[[Sequence[RunId]], Awaitable[list[Live | Refusal]]]
    go: Callable[[Live], None]
    lost: Callable[[RunId, Refusal], None]
    stopping: bool = False
    asked: frozenset[str] = frozenset()
    keep_seconds: float = limits.EVENTS_LOGGED_SECONDS
    _index: Index = field(default_factory=Index)
    _fresh: Index = field(default_factory=Index)
    _using: Index | None = None
    _resting: dict[RunId, dict[Key, Listener]] = field(default_factory=dict)
    _offered: frozenset[RunId] = frozenset()
    _memory: Memory = field(default_factory=Memory)
    _edge: Place = START
    _tidied: float = 0.0
    _stirred: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def count(self) -> int:
        """Return how many tasks listen."""
        return len(self._index) + len(self._fresh) + (len(self._using) if self._using else 0)

    async def open(self) -> None:
        """Take up all that listens where the journals stand."""
        self._edge, self._tidied = await self.log.log_end(), self.clock.now()
        for listener in await self.log.listeners():
            self._fresh.put(listener)
        self.asked = named(self._index, self._fresh, self._using)

    def stir(self) -> None:
        """There may be something new in the log."""
        if self.count:
            self._stirred.set()

    async def take(self, events: Sequence[Event]) -> list[bool]:
        """Take events in from outside; return of each whether it is new. Durable when this returns.

        Raises `Refusal`: E4100 for what is no event, E4101 for one that is too large.
        """
        self.crew.check()
        for event in events:
            check_event(event)
        now = self.clock.now()
        fresh = await self.log.take_events([(now, event) for event in events])
        self._stirred.set()
        return fresh

    def hear(self, run: RunId, facts: Iterable[Fact]) -> None:
        """Learn from durable facts who listens, and who does no more."""
        news = [fact for fact in facts if type(fact) in NEWS]
        if not news:
            # What a run tells of its life comes with facts of any kind.
            if self.asked:
                self._stirred.set()
            return
        if any(isinstance(fact, FORGETS[is_schedule(run)]) for fact in news):
            self._memory.forget(run)
        served: set[Position] = set()
        for fact in news:
            match fact:
                case Listening(position=position, attempt=attempt, want=want, since=since):
                    listener = Listener(run, position, attempt, want, since)
                    self._put(listener, onward=position in served)
                case Heard(position=position):
                    served.add(position)
                    self._drop((run, position))
                case Unheard(position=position):
                    self._drop((run, position))
                case Resumed():
                    for listener in self._resting.pop(run, {}).values():
                        self._fresh.put(listener)
                case _:
                    pass
        self.asked = named(self._index, self._fresh, self._using)
        self._stirred.set()

    async def serve(self) -> None:
        """Hand events over for ever. Cancel to stop."""
        while True:
            self._stirred.clear()
            await self._tidy()
            # Both each time: who begins to listen all the while must not keep the others waiting.
            moved = not self.stopping and [await self._catch_up(), await self._go_on()]
            if not moved or not any(moved):
                await self._stirred.wait()

    async def _tidy(self) -> None:
        """Now and then, let the log forget what is too old, or too much."""
        now = self.clock.now()
        if now >= self._tidied + TIDY_SECONDS and not self.stopping:
            self._tidied = now
            needed = oldest(self._fresh, self._resting)
            await self.log.forget(now - self.keep_seconds, limits.EVENTS_LOGGED, needed)

    def _put(self, listener: Listener, *, onward: bool) -> None:
        # Who was handed an event just now, and wants another, has seen all that came before that one.
        if onward and self._using is not None and listener.run in self._offered:
            self._using.put(listener)
        else:
            self._fresh.put(listener)

    def _drop(self, key: Key) -> None:
        for index in (self._index, self._fresh, self._using):
            if index is not None:
                index.drop(key)
        self._resting.get(key[0], {}).pop(key, None)

    async def _catch_up(self) -> bool:
        """Offer to everybody who is fresh what arrived since he began, up to the edge."""
        if not len(self._fresh):
            return False
        catching, self._fresh = self._fresh, Index()
        since = min(listener.since for listener in catching)
        self._using, place = catching, min(self._memory.behind(listener) for listener in catching)
        while len(catching):
            page = await self.log.events(since, place, PAGE, catching.types)
            for arrived in page:
                if arrived.place > self._edge or self.stopping:
                    break
                await self._offer(arrived, catching)
            if len(page) < PAGE or page[-1].place > self._edge or self.stopping:
                break
            place = page[-1].place
        self._using = None
        for listener in catching:
            (self._fresh if self.stopping else self._index).put(listener)
        return True

    async def _go_on(self) -> bool:
        """Offer what lies behind the edge; return whether there was anything."""
        if not len(self._index):
            return False
        end = await self.log.log_end()
        page = await self.log.events(0.0, self._edge, PAGE, self._index.types)
        self._using = self._index
        for arrived in page:
            if self.stopping:
                break
            await self._offer(arrived, self._index)
            self._edge = arrived.place
        self._using = None
        if len(page) < PAGE and not self.stopping:
            self._edge = max(self._edge, end)
        return bool(page)

    async def _offer(self, arrived: Arrived, index: Index) -> None:
        """Hand an event to everybody who wants it, and return when they have it."""
        wanting: list[tuple[Listener, Match]] = []
        for listener in index.waiting(arrived.event):
            # A run that heard of itself would never be done.
            own = is_lifecycle(arrived.event) and is_own(listener.run, arrived.run)
            new = arrived.at >= listener.since and arrived.place > self._memory.behind(listener)
            if new and not own:
                found = await self._judged(listener, arrived)
                if found is not None:
                    wanting.append((listener, found))
        for first in range(0, len(wanting), limits.RUNS_TAKEN_UP_TOGETHER):
            await self._hand(arrived, wanting[first : first + limits.RUNS_TAKEN_UP_TOGETHER], index)

    async def _judged(self, listener: Listener, arrived: Arrived) -> Match | None:
        return await judged(listener.want, arrived.event, self.language, self.oracle)

    async def _hand(self, arrived: Arrived, wanting: Sequence[tuple[Listener, Match]], index: Index) -> None:
        runs = list(dict.fromkeys(listener.run for listener, _ in wanting))
        lives = dict(zip(runs, await self.load(runs), strict=True))
        waits: list[asyncio.Future[bool]] = []
        offered: list[Listener] = []
        for listener, found in wanting:
            live = lives[listener.run]
            if not index.holds(listener):
                continue  # It listens no more, or for something else, since it was judged.
            if isinstance(live, Refusal):
                index.drop(key_of(listener))
                self.lost(listener.run, live)
            elif live.run.phase is Phase.SUSPENDED:
                index.drop(key_of(listener))
                self._resting.setdefault(listener.run, {})[key_of(listener)] = listener
            else:
                waits.append(self._arrive(live, listener, found, arrived))
                offered.append(listener)
        self._offered = frozenset(runs)
        for live in lives.values():
            if isinstance(live, Live):
                self.go(live)
        answers = await asyncio.gather(*waits, return_exceptions=True)
        self._offered = frozenset()
        for listener, taken in zip(offered, answers, strict=True):
            live = lives[listener.run]
            # One that was told to end at the same moment leaves the event to another.
            if taken is True and isinstance(live, Live) and live.run.phase is Phase.RUNNING:
                self._memory.keep(listener, arrived.place)

    def _arrive(self, live: Live, listener: Listener, found: Match, arrived: Arrived) -> asyncio.Future[bool]:
        taken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        fact = Heard(
            self.clock.now(),
            listener.position,
            listener.attempt,
            arrived.event,
            arrived.at,
            found.number,
            found.keys,
        )
        live.arrived.append(Arrival((fact,), taken))
        return taken
