"""What is outside: servers that keep keys or can be asked, commands that outlive engines, and the rest.

The world goes on when an engine dies. It counts what truly happened, and what it gave as an answer to whom.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.program import OnDoubt
from dirigent.model.run.effect import Broken, Done, Doubt
from simulation.rig.code import happened
from simulation.rig.outcomes import KNOWN, kind_of

# What was sent arrives within this time, or never: whoever asks a probe waits so long first.
SETTLE = 6.0
LOST = Fault(COMMUNICATION, 503, "Connection lost")
LOST_UNSAFELY = Fault(COMMUNICATION, 503, "Connection lost", doubtful=True)


@dataclass
class Deed:
    """One effect as the world knows it: how often it happened, and what it gave."""

    kind: str
    count: int = 0
    outcome: object = None
    under_way: bool = False
    readers: list = field(default_factory=list)
    timers: list = field(default_factory=list)
    sent: object = None


@dataclass
class World:
    """Everything that survives engines. `fate` says what becomes of a request: arrives, lost, answer lost."""

    universe: object
    outcomes: object
    fate: object
    tell: object
    begins: object
    happens: object
    deeds: dict = field(default_factory=dict)
    happened: Counter = field(default_factory=Counter)
    results: dict = field(default_factory=dict)
    began: Counter = field(default_factory=Counter)
    doubts: Counter = field(default_factory=Counter)
    given: dict = field(default_factory=lambda: defaultdict(list))
    broken_keys: list = field(default_factory=list)
    late: set = field(default_factory=set)

    def __post_init__(self):
        self.process = self.universe.process("world")

    def deed(self, order):
        """What the world knows an order by: its key, or its key and attempt."""
        kind = kind_of(order.request)
        scope = (order.id,) if kind == "keyed" else (order.id, order.attempt)
        return self.deeds.setdefault(scope, Deed(kind))

    def submit(self, order, answer):
        """Take an order in; `answer` is called when somebody may know how it ended."""
        deed, this = self.deed(order), (order.run, order.position, order.attempt)
        self.begins(order)
        if deed.kind == "keyed":
            if deed.sent is not None and deed.sent != order.request:
                self.broken_keys.append((order, deed.sent))
            deed.sent = order.request
        if deed.outcome is not None and deed.kind in {"keyed", "supervised"}:
            self.given[this].append(deed.outcome)
            self.process.call_later(KNOWN, answer, deed.outcome)
            return
        fate = None if "step" in order.request else self.fate(order)
        if fate == "request lost":
            self.process.call_later(1.0, answer, None)
            return
        if fate != "answer lost":
            deed.readers.append((this, answer))
        else:
            seconds = self.outcomes.seconds(*this)
            self.process.call_later(seconds + 1.0, answer, None)
        if not (deed.under_way and deed.kind in {"keyed", "supervised"}):
            deed.under_way = True
            seconds = self.outcomes.seconds(*this)
            deed.timers.append(self.process.call_later(seconds, self.happen, order, deed))

    def happen(self, order, deed):
        """The moment at which it happens, and is answered."""
        this = (order.run, order.position, order.attempt)
        coded = "step" in order.request
        outcome = happened(order.request, order.attempt) if coded else self.outcomes.of(*this)
        deed.under_way = False
        if this not in self.late:
            self.happens(order)
        if isinstance(outcome, Done):
            self.results[this] = outcome
            deed.count += 1
            self.happened[this] += 1
            self.tell("world", f"{deed.kind} {order.position} attempt {order.attempt} happens")
        if isinstance(outcome, Done) or deed.kind != "keyed":
            deed.outcome = outcome
        readers, deed.readers = deed.readers, []
        for reader, answer in readers:
            self.given[reader].append(outcome)
            answer(outcome)

    def stop(self, order):
        """Stop what has not happened yet.

        Under one key a later attempt may be under way: an engine that was paused and goes on stops its own.
        """
        deed, this = self.deed(order), (order.run, order.position, order.attempt)
        deed.readers = [each for each in deed.readers if each[0] != this]
        if deed.readers:
            return
        for timer in deed.timers:
            timer.cancel()
        deed.timers.clear()
        deed.under_way = False


@dataclass
class WorldPerformer:
    """Fits `ports.Performer`: one engine's way to the world. `passing` takes each place by its name."""

    world: World
    passing: object
    clock: object
    life: object
    ahead: bool = False

    def repeatable(self, request):
        """In one seed of two, what leaves nothing behind may run ahead of the journal."""
        return self.ahead and kind_of(request) == "pure"

    async def perform(self, order):
        """Send the order, having resolved a doubt about it by the means of its kind."""
        kind = kind_of(order.request)
        await self.passing("effect before", kind)
        if order.doubtful:
            self.world.doubts[kind] += 1
            found = await self.resolved(order, kind)
            if found is not None:
                return found
        if kind == "probe" and self.life.store.stale:
            return Broken(LOST)  # What was sent arrives within its time or never; this is later.
        if self.life.store.stale:
            self.world.late.add((order.run, order.position, order.attempt))
        self.world.began[order.run, order.position, order.attempt] += 1
        outcome = await self.sent(order)
        await self.passing("effect after", kind)
        if outcome is not None:
            return outcome
        return Broken(LOST_UNSAFELY if kind == "none" else LOST)

    async def sent(self, order):
        answered = asyncio.get_running_loop().create_future()

        def answer(outcome):
            if not answered.done() and not answered.get_loop().is_closed():
                answered.set_result(outcome)

        self.world.submit(order, answer)
        await self.passing("effect during", kind_of(order.request))
        return await answered

    async def resolved(self, order, kind):
        """What is known of an effect in doubt; None where it is to be done again."""
        if kind == "none" and order.on_doubt is not OnDoubt.REPEAT:
            if order.on_doubt is OnDoubt.SKIP:
                return Done(None)
            return Doubt("nobody can say", {"effect": order.id})
        if kind == "probe":
            await self.clock.sleep_until(self.clock.now() + SETTLE)
            deed = self.world.deed(order)
            if deed.count:
                self.world.given[order.run, order.position, order.attempt].append(deed.outcome)
                return deed.outcome
        return None

    async def abandon(self, order):
        """Stop the effect; return when it is over."""
        await self.passing("abandon", kind_of(order.request))
        self.world.stop(order)
        await asyncio.sleep(0)
