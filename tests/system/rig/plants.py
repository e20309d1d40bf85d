"""Planted faults: engines that are wrong in ways that a crash test must notice.

Each stands outside the places: `store` and `performer` wrap what the fuse has wrapped already.
"""

import os
from collections import Counter
from dataclasses import replace

from dirigent.core import machine
from dirigent.model import fault as faults
from dirigent.model.fault import Fault
from dirigent.model.run.effect import Broken, Done
from dirigent.model.run.journal import Failed, Intended, ResourceChanged, Succeeded
from dirigent.planning import decide
from dirigent.providers.tofu.provider.secrecy import Secrecy


class Plant:
    """An engine without a fault; the planted ones change a part of it."""

    def __init__(self, fuse):
        self.fuse = fuse

    def store(self, inner):
        return inner

    def performer(self, inner):
        return inner


class Performer:
    """A performer whose `perform` is a function of the true one and the order."""

    def __init__(self, inner, perform):
        self.inner = inner
        self.wrong = perform

    async def perform(self, order):
        return await self.wrong(self.inner, order)

    async def abandon(self, order):
        await self.inner.abandon(order)


class Store:
    """A store whose methods may be overridden by those of a plant."""

    def __init__(self, inner, **overridden):
        self.inner = inner
        self.overridden = overridden

    def __getattr__(self, name):
        return self.overridden.get(name) or getattr(self.inner, name)


class ResultFirst(Plant):
    """The result of a charge is recorded first, and the money is taken afterwards."""

    def __init__(self, fuse):
        super().__init__(fuse)
        self.owed = {}

    def performer(self, inner):
        async def perform(inner, order):
            if order.function != "openapi" or order.request.get("operation") != "charge":
                return await inner.perform(order)
            self.owed[order.position, order.attempt] = (inner, order)
            return Done({"id": "charge-0", "state": "charged"})

        return Performer(inner, perform)

    def store(self, inner):
        async def append(run, expected, facts, *rest):
            await inner.append(run, expected, facts, *rest)
            for fact in facts:
                owed = (
                    self.owed.pop((fact.position, fact.attempt), None)
                    if isinstance(fact, Succeeded)
                    else None
                )
                if owed is not None:
                    performer, order = owed
                    await performer.perform(order)

        return Store(inner, append=append)


class CrashBurnsAttempt(Plant):
    """An effect that a crash interrupted is taken for a failed attempt."""

    def performer(self, inner):
        async def perform(inner, order):
            if order.doubtful:
                return Broken(Fault(faults.COMMUNICATION, 503, "Interrupted", "the engine had died"))
            return await inner.perform(order)

        return Performer(inner, perform)


class AttemptsCounted(Plant):
    """The number of an attempt is how often the effect was begun, instead of what was recorded."""

    def store(self, inner):
        async def recall(runs):
            pasts = await inner.recall(runs)
            for past in pasts:
                miscount(past.facts)
            return pasts

        def miscount(facts):
            begun = Counter(fact.position for fact in facts if isinstance(fact, Intended))
            ended = Counter(fact.position for fact in facts if isinstance(fact, Succeeded | Failed))
            recorded = machine._attempt

            def counted(ledger, position):
                return recorded(ledger, position) + begun[position] - ended[position]

            machine._attempt = counted

        return Store(inner, recall=recall)


class KeyPerAttempt(Plant):
    """Every attempt has a key of its own."""

    def performer(self, inner):
        async def perform(inner, order):
            return await inner.perform(replace(order, id=f"{order.id}-{order.attempt}"))

        return Performer(inner, perform)


class KeyPerEngine(Plant):
    """Every engine makes keys of its own."""

    def performer(self, inner):
        async def perform(inner, order):
            return await inner.perform(replace(order, id=f"{order.id}-{os.getpid()}"))

        return Performer(inner, perform)


class IntentLate(Plant):
    """The engine acts while the intent is still in memory: it becomes durable with the next facts."""

    def __init__(self, fuse):
        super().__init__(fuse)
        self.kept = {}

    def store(self, inner):
        async def append(run, expected, facts, *rest):
            kept = self.kept.pop(run, ())
            late = [fact for fact in facts if isinstance(fact, Intended)] if expected else []
            now = [*kept, *(fact for fact in facts if fact not in late)]
            if late:
                self.kept[run] = late
            if now:
                await inner.append(run, expected - len(kept), now, *rest)

        return Store(inner, append=append)


class RowsLate(Plant):
    """Where a row goes is stored with the next facts only, where it was goes at once."""

    def __init__(self, fuse):
        super().__init__(fuse)
        self.kept = {}

    def store(self, inner):
        async def append(run, expected, facts, *rest):
            kept = self.kept.pop(run, [])
            late = [fact for fact in facts if isinstance(fact, ResourceChanged) and fact.row is not None]
            self.kept[run] = late
            now = [*kept, *(fact for fact in facts if fact not in late)]
            await inner.append(run, expected - len(kept), now, *rest)

        return Store(inner, append=append)


class AsksNobody(Plant):
    """A call that may have happened is taken for one that has not, without asking the server."""

    def performer(self, inner):
        return Performer(inner, lambda inner, order: inner.perform(replace(order, doubtful=False)))


class BadMaker(Plant):
    """In plans nothing forces a new object, and one difference is not shown; rows are of a former time."""

    def __init__(self, fuse):
        super().__init__(fuse)
        every, hide = decide.differences, Secrecy.hide
        decide.forced = lambda found, _paths: tuple(found)
        decide.differences = lambda *given: every(*given)[:-1] or every(*given)
        Secrecy.hide = lambda room, block, state: hide(
            room, block, {**state, "revision": 1} if isinstance(state.get("revision"), int) else state
        )


PLANTS = {
    "bad maker": BadMaker,
    "result first": ResultFirst,
    "crash burns attempt": CrashBurnsAttempt,
    "attempts counted": AttemptsCounted,
    "key per attempt": KeyPerAttempt,
    "key per engine": KeyPerEngine,
    "intent late": IntentLate,
    "rows late": RowsLate,
    "asks nobody": AsksNobody,
}
