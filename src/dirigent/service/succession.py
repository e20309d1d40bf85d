"""Who conducts when the engine of another process ends: whoever still wants something of it.

A command that found the store taken asks the holder. When the holder is gone, the command becomes
the engine itself, or the client of whoever was faster, and goes on with what it was about.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeAlias, TypeVar

from dirigent.model.events.listening import Event
from dirigent.model.ids import Digest, RunId
from dirigent.model.plan import Plan
from dirigent.model.problem import Problem, refuse
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Ended, Fact
from dirigent.model.run.start import Start
from dirigent.ports import Conductor, Heard, Journal
from dirigent.service.conductor import HolderGone

T = TypeVar("T")

Succeed: TypeAlias = Callable[[], Awaitable[Conductor | None]]
"""Becomes the engine and returns its conductor; None while another process has the store."""

PAUSE_SECONDS: Final = 0.05
# A process that has the store but opens no door for so long is stuck: a person must look.
PATIENCE_SECONDS: Final = 30.0


@dataclass(slots=True)
class Succession:
    """The conductor of a command that came second. `journal` reads the same store."""

    current: Conductor
    succeed: Succeed
    journal: Journal
    patience_seconds: float = PATIENCE_SECONDS

    async def start(self, start: Start) -> RunId:
        """Create a run; asked again of the next engine, the same id starts nothing twice."""
        return await self._lasting(lambda: self.current.start(start))

    async def tell(self, run: RunId, fact: Fact) -> None:
        """Put a person's word into a run, once: a holder that died may have recorded it before."""
        asked = False

        async def once() -> None:
            nonlocal asked
            if asked and fact in await self.journal.read(run):
                return
            asked = True
            await self.current.tell(run, fact)

        await self._lasting(once)

    async def take_events(self, events: Sequence[Event]) -> list[bool]:
        """Take events in; one that was taken before is known then, and taken once only."""
        return await self._lasting(lambda: self.current.take_events(events))

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan."""
        await self._lasting(lambda: self.current.keep_plan(plan))

    async def keep(self, program: Program) -> Digest:
        """Store a definition."""
        return await self._lasting(lambda: self.current.keep(program))

    async def left_out(self) -> dict[RunId, Problem]:
        """Return the open runs that the engine could not take up, and why."""

        async def ask() -> dict[RunId, Problem]:
            return await self.current.left_out()  # Whoever is the conductor by then.

        return await self._lasting(ask)

    async def wait(self, run: RunId) -> Ended:
        """Return how a run ended, whoever drives it."""
        return await self._lasting(lambda: self.current.wait(run), following=True)

    async def follow(self, run: RunId, heard: Heard) -> Ended:
        """Return how a run ended, whoever drives it. `heard` gets every fact once, in order."""
        told = 0

        async def onwards() -> Ended:
            seen = 0

            def unheard(which: RunId, program: Program, facts: Sequence[Fact]) -> None:
                # Each engine tells the history from its beginning.
                nonlocal seen, told
                fresh = facts[max(0, told - seen) :]
                seen += len(facts)
                told = max(told, seen)
                if fresh:
                    heard(which, program, fresh)

            return await self.current.follow(run, unheard)

        return await self._lasting(onwards, following=True)

    async def _lasting(self, ask: Callable[[], Awaitable[T]], *, following: bool = False) -> T:
        """Ask until somebody answers, for no longer than a new engine may need to open its door."""
        loop = asyncio.get_running_loop()
        silent_since = loop.time()
        while True:
            begun = loop.time()
            try:
                return await ask()
            except HolderGone as gone:
                if following and loop.time() - begun > PAUSE_SECONDS:
                    silent_since = loop.time()  # This one was there for a while; its heir has its own time.
                heir = await self.succeed()
                if heir is not None:
                    self.current = heir
                elif loop.time() - silent_since > self.patience_seconds:
                    raise refuse(
                        "E7011",
                        "the engine that holds this store does not answer",
                        "`engine.lock` in the state directory names it; end that process, and try again",
                    ) from gone
                else:
                    await asyncio.sleep(PAUSE_SECONDS)
