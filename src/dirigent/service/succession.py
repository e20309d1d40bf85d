"""A conductor that outlives the engine behind it: when that one ends, the next takes its place.

The next may be this process itself. Runs lose nothing by it, for they live in their journals.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from dirigent.model.ids import RunId
from dirigent.model.plan import Plan
from dirigent.model.program import Program
from dirigent.model.run.journal import Ended, Fact
from dirigent.model.run.start import Start
from dirigent.ports import Conductor, Heard
from dirigent.service.conductor import HolderGone

T = TypeVar("T")
Renew: TypeAlias = Callable[[], Awaitable[Conductor]]
"""Becomes the engine of the store, or finds the process that is."""


@dataclass(slots=True, eq=False)
class Succession:
    """Fits `ports.Conductor`. `conductor` is who drives now."""

    conductor: Conductor
    renew: Renew

    async def start(self, start: Start) -> RunId:
        """Create a run; asked of two engines, it is still one run."""
        return await self._asked(lambda conductor: conductor.start(start))

    async def tell(self, run: RunId, fact: Fact) -> None:
        """Put a person's word into a run."""
        await self._asked(lambda conductor: conductor.tell(run, fact))

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan."""
        await self._asked(lambda conductor: conductor.keep_plan(plan))

    async def follow(self, run: RunId, heard: Heard) -> Ended:
        """Return how a run ended. What was heard of it under one engine is not told again under the next."""
        told = 0

        def follower() -> Heard:
            passed = 0

            def hear(run: RunId, program: Program, facts: Sequence[Fact]) -> None:
                nonlocal told, passed
                fresh = facts[max(told - passed, 0) :]
                passed += len(facts)
                told = max(told, passed)
                if fresh:
                    heard(run, program, fresh)

            return hear

        return await self._asked(lambda conductor: conductor.follow(run, follower()))

    async def _asked(self, request: Callable[[Conductor], Awaitable[T]]) -> T:
        while True:
            try:
                return await request(self.conductor)
            except HolderGone:
                self.conductor = await self.renew()
