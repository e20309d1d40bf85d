"""Performers that follow a script, in a world that counts what truly happened to it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from fnmatch import fnmatchcase
from typing import TypeAlias

from dirigent.model.ids import EffectId
from dirigent.model.record import dataclass
from dirigent.model.run.effect import Done, Doubt, Order, Outcome
from dirigent.testing.clock import VirtualClock
from dirigent.testing.crash import Fuse

Answer: TypeAlias = Outcome | Callable[[Order], Outcome]


@dataclass(slots=True)
class World:
    """What is outside: it survives every crash of the engine.

    `effects` counts how often each effect happened; `answers` holds what each attempt gave, and `begun`
    when it was first asked for.
    """

    effects: Counter[EffectId] = field(default_factory=Counter)
    answers: dict[tuple[EffectId, int], Outcome] = field(default_factory=dict)
    begun: dict[tuple[EffectId, int], float] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)
    abandoned: list[Order] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to orders whose function and position match (`*` and `?` as in file names).

    `answers` are used by attempt, from 1 on; the last one serves all later attempts. `doubt` says
    what a doubtful order meets: `keyed` (the world knows the effect id: nothing happens twice),
    `repeat` (it is done again), `unknown` (nobody can say). `seconds` is how long it takes from the
    first time it is asked for, or a function of the order that says so: the world does not begin anew
    when an engine does.
    """

    function: str = "*"
    position: str = "*"
    answers: Sequence[Answer] = ()
    doubt: str = "keyed"
    seconds: float | Callable[[Order], float] = 0.0

    def matches(self, order: Order) -> bool:
        """Return whether the rule is for this order."""
        return fnmatchcase(order.function, self.function) and fnmatchcase(order.position, self.position)

    def took(self, order: Order) -> float:
        """Return how many seconds the order takes."""
        return self.seconds(order) if callable(self.seconds) else self.seconds

    def outcome(self, order: Order) -> Outcome:
        """Return what this attempt gives: its request, where the script says nothing."""
        if not self.answers:
            return Done(order.request)
        answer = self.answers[min(order.attempt, len(self.answers)) - 1]
        return answer(order) if callable(answer) else answer


class ScriptedPerformer:
    """Fits `ports.Performer`. The first rule that matches decides; without one the request is echoed."""

    def __init__(
        self,
        *rules: Rule,
        world: World | None = None,
        fuse: Fuse | None = None,
        clock: VirtualClock | None = None,
    ) -> None:
        """Take the script, and what it acts on; the fuse burns before and after each effect."""
        self.world = world or World()
        self._rules = rules
        self._fuse = fuse or Fuse()
        self._clock = clock

    async def perform(self, order: Order) -> Outcome:
        """Do what the script says and count it."""
        rule = next((rule for rule in self._rules if rule.matches(order)), Rule())
        this = (order.id, order.attempt)
        self.world.orders.append(order)
        if order.doubtful:
            if rule.doubt == "unknown":
                return Doubt("nobody can say", {"effect": order.id})
            if rule.doubt == "keyed" and this in self.world.answers:
                return self.world.answers[this]
        self._fuse.burn(f"before {order.function} {order.position}")
        seconds = rule.took(order)
        if seconds and self._clock:
            begun = self.world.begun.setdefault(this, self._clock.now())
            await self._clock.sleep_until(begun + seconds)
        outcome = rule.outcome(order)
        if not isinstance(outcome, Doubt):
            self.world.effects[order.id] += 1
            self.world.answers[this] = outcome
        self._fuse.burn(f"after {order.function} {order.position}")
        await asyncio.sleep(0)
        return outcome

    async def abandon(self, order: Order) -> None:
        """Note that the effect was stopped."""
        self.world.abandoned.append(replace(order))
        await asyncio.sleep(0)
