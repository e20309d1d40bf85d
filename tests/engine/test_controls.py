"""Planted faults: the harness that finds nothing in the engine must find every one of these."""

import asyncio
from collections import defaultdict
from dataclasses import replace

import pytest

from dirigent.model.fault import RUNTIME, Fault
from dirigent.model.run.journal import Ended, Failed, Intended, Succeeded
from engine.harness import Parts, die_everywhere
from engine.workflows import an_apply, scenario


class RecordsTheResultFirst:
    """Says that an effect happened, then lets it happen."""

    def __init__(self, sound):
        self.sound, self.late = sound, set()

    def __getattr__(self, name):
        return getattr(self.sound, name)

    async def perform(self, run, command, *, doubtful):
        if not doubtful:
            self.late.add(asyncio.ensure_future(self.sound.perform(run, command, doubtful=False)))
        return (Succeeded(self.sound.clock.now(), command.position, command.attempt, "ok"),)


class CountsAttempts:
    """Reads a journal as an engine does that counts starts: one without a result was an attempt."""

    def __init__(self, sound):
        self.sound, self.invented = sound, defaultdict(int)

    def __getattr__(self, name):
        return getattr(self.sound, name)

    async def recall(self, runs):
        pasts = await self.sound.recall(runs)
        return [
            replace(past, facts=self.burnt(run, past.facts)) for run, past in zip(runs, pasts, strict=True)
        ]

    def burnt(self, run, facts):
        begun = {}
        for fact in facts:
            if isinstance(fact, Intended):
                begun[fact.position, fact.attempt] = fact
            elif hasattr(fact, "position"):
                begun.pop((fact.position, fact.attempt), None)
        if isinstance(facts[-1], Ended):
            return facts
        crashed = Fault(RUNTIME, 500, "The engine crashed")
        burnt = [Failed(facts[-1].at, *key, crashed) for key in begun]
        self.invented[run] = len(burnt)
        return [*facts, *burnt]

    async def append(self, run, expected, facts, *rest):
        await self.sound.append(run, expected - self.invented[run], facts, *rest)


class ActsBeforeItIsDurable:
    """Acknowledges an append at once, and makes it durable with the next one or a little later."""

    def __init__(self, sound):
        self.sound, self.waiting, self.late = sound, [], None

    def __getattr__(self, name):
        return getattr(self.sound, name)

    async def append(self, run, expected, facts, *rest):
        self.waiting.append((run, expected, list(facts), *rest))
        if self.late is None or self.late.done():
            self.late = asyncio.ensure_future(self.write())

    async def run(self, run):
        await self.write()
        return await self.sound.run(run)

    async def write(self):
        for _ in range(10):
            await asyncio.sleep(0)
        while self.waiting:
            await self.sound.append(*self.waiting.pop(0))


class AnotherIdForEveryAttempt:
    """Sends each attempt under a key of its own."""

    def __init__(self, sound):
        self.sound = sound

    async def perform(self, order):
        return await self.sound.perform(replace(order, id=f"{order.id}-{order.attempt}"))

    async def abandon(self, order):
        await self.sound.abandon(order)


class ForgetsWhatWasAsked:
    """Does a doubtful order again as if it were new: no key, no look, no question."""

    def __init__(self, sound):
        self.sound = sound

    async def perform(self, order):
        return await self.sound.perform(replace(order, doubtful=False))

    async def abandon(self, order):
        await self.sound.abandon(order)


CONTROLS = {
    "the result is recorded before the effect": Parts(effects=RecordsTheResultFirst),
    "attempts are counted, not read": Parts(store=CountsAttempts),
    "it acts before the append is durable": Parts(store=ActsBeforeItIsDurable),
    "the effect id changes with the attempt": Parts(performer=AnotherIdForEveryAttempt),
    "doubt is forgotten": Parts(performer=ForgetsWhatWasAsked),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_a_planted_fault_is_found(name):
    with pytest.raises(AssertionError, match="died at place"):
        die_in_all(CONTROLS[name])


def die_in_all(parts):
    return [
        die_everywhere(scenario(name), parts) for name in ("sequence", "retry-constant", "doubtful-retry")
    ]


@pytest.mark.slow
def test_without_a_planted_fault_nothing_is_found():
    assert all(die_in_all(Parts()))
    assert die_everywhere(an_apply()) > 0
