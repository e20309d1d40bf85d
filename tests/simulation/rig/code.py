"""Workflows of code that make up what they do from a seed, and the same as plain Python without any engine.

What their steps give follows from their arguments alone, so that a run must come to what plain Python comes
to, whatever fails on the way.
"""

from __future__ import annotations

import asyncio

from dirigent.durable import (
    ChildFailed,
    Retry,
    StepFailed,
    TimedOut,
    gather,
    sleep,
    step,
    wait_event,
    within,
    workflow,
)
from dirigent.model.fault import RUNTIME, Fault
from dirigent.model.run.effect import Broken, Done
from dirigent.testing import Dice

MOVES = ("charge", "look", "look", "flaky", "sleep", "gather", "careful", "child", "event", "within")
DEPTH = 2
# An argument that leaves this rest makes a step fail for good.
BAD, OF = 3, 7


class Failing(Exception):
    """A step of the plain form fails."""


@step
async def charge(x: int) -> int:
    """Nobody can tell afterwards whether it happened."""
    return x


@step(idempotent=True)
async def look(x: int) -> int:
    """May be done again."""
    return x


@step(idempotent=True, retry=Retry(3, delay=1.0))
async def flaky(x: int) -> int:
    """Fails as often as the argument says, and then does not."""
    return x


def happened(request, attempt):
    """What the world gives to a step: for `flaky` by attempt, for the others by argument."""
    name, x = request["step"].rpartition(":")[2], request["args"][0]
    bad = attempt <= x % 2 if name == "flaky" else x % OF == BAD
    return Broken(Fault(RUNTIME, 500, "Failing")) if bad else Done(x + 1)


class Durable:
    """The moves of a run."""

    failures = (StepFailed, ChildFailed)
    charge, look, flaky = staticmethod(charge), staticmethod(look), staticmethod(flaky)

    async def sleep(self, seconds):
        await sleep(seconds)

    async def gather(self, *work):
        return await gather(*work)

    async def child(self, seed):
        return await improvised_child(seed)

    async def event(self, seconds):
        try:
            await wait_event("go", int, timeout=seconds)
        except TimedOut:
            return

    async def within(self, seconds):
        try:
            await within(seconds, forever())
        except TimedOut:
            return


async def forever():
    """Wait for longer than anybody does."""
    await sleep(1_000)


class Plain:
    """The same without an engine."""

    failures = (Failing,)

    async def charge(self, x):
        if x % OF == BAD:
            raise Failing
        return x + 1

    look = charge

    async def flaky(self, x):
        return x + 1

    async def sleep(self, seconds):
        """Nothing follows from it."""

    event = within = sleep

    async def gather(self, *work):
        return [await each for each in work]

    async def child(self, seed):
        return await improvise(Dice(seed), Plain(), 1)


async def improvise(dice, moves, depth):
    """Make up what to do, and do it; the result is all that was given on the way."""
    found = []
    for _ in range(dice.between(1, 3)):
        move, x = dice.one_of(MOVES), dice.below(20)
        if depth == 0 and move in {"gather", "careful", "child"}:
            move = "look"
        match move:
            case "charge" | "look" | "flaky":
                found.append(await guarded(moves, getattr(moves, move)(x)))
            case "sleep" | "event" | "within":
                await getattr(moves, move)(x % 9 + 0.5)
            case "gather":
                found.append(await moves.gather(*[moves.flaky(x + number) for number in range(2)]))
                parts = [improvise(Dice(x + number), moves, 0) for number in range(2)]
                found.append(await moves.gather(*parts))
            case "careful":
                found.append(await guarded(moves, moves.charge(x)))
                found.append(await improvise(Dice(x), moves, depth - 1))
            case "child":
                found.append(await guarded(moves, moves.child(x)))
    return found


async def guarded(moves, work):
    """What some work gives, or that it failed."""
    try:
        return await work
    except moves.failures:
        return "failed"


@workflow
async def improvised(seed: int) -> list[object]:
    """A run."""
    return await improvise(Dice(seed), Durable(), DEPTH)


@workflow
async def improvised_child(seed: int) -> list[object]:
    """A run that another one starts."""
    return await improvise(Dice(seed), Durable(), 1)


def plainly(seed, depth=DEPTH):
    """What plain Python comes to."""
    return asyncio.run(improvise(Dice(seed), Plain(), depth))
