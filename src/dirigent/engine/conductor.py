"""The engine of this process as a conductor: it starts and steers runs, and tells what happens to them."""

from __future__ import annotations

from collections.abc import Sequence

from dirigent.core.status import unknown
from dirigent.engine.engine import Engine
from dirigent.model.events.listening import Event
from dirigent.model.ids import Digest, RunId
from dirigent.model.plan import Plan
from dirigent.model.problem import Problem
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Ended, Fact
from dirigent.model.run.start import Start
from dirigent.ports import Heard, Shelf


@dataclass(frozen=True, slots=True)
class LocalConductor:
    """The engine of this process."""

    engine: Engine
    shelf: Shelf

    async def start(self, start: Start) -> RunId:
        """Create a run."""
        return await self.engine.start(start)

    async def tell(self, run: RunId, fact: Fact) -> None:
        """Put a person's word into a run."""
        await self.engine.tell(run, fact)

    async def take_events(self, events: Sequence[Event]) -> list[bool]:
        """Take events in from outside."""
        return await self.engine.events.take(events)

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan."""
        await self.shelf.keep_plan(plan)

    async def keep(self, program: Program) -> Digest:
        """Store a definition."""
        return await self.engine.journal.keep(program)

    async def left_out(self) -> dict[RunId, Problem]:
        """Return the open runs that the engine could not take up, and why."""
        return {run: why.problems[0] for run, why in self.engine.left_out.items()}

    async def wait(self, run: RunId) -> Ended:
        """Return how a run ended."""
        return await self.engine.wait(run)

    async def follow(self, run: RunId, heard: Heard) -> Ended:
        """Listen to the engine: every fact is told once, in order, the history first."""
        early: list[tuple[int, Sequence[Fact]]] = []
        waiting = True
        told = 0

        def tell(program: Program, first: int, facts: Sequence[Fact]) -> None:
            nonlocal told
            if first + len(facts) > told:
                heard(run, program, facts[told - first :])
                told = first + len(facts)

        def listen(which: RunId, program: Program, first: int, facts: Sequence[Fact]) -> None:
            if which == run and waiting:
                early.append((first, facts))
            elif which == run:
                tell(program, first, facts)

        self.engine.observers.append(listen)
        try:
            history = await self.engine.journal.read(run)
            found = await self.shelf.run(run)
            if found is None:
                raise unknown(run)
            program = await self.engine.journal.definition(found.definition)
            tell(program, 0, history)
            for first, facts in early:
                tell(program, first, facts)
            waiting = False
            ended = await self.engine.wait(run)
            # The end may be known from the store before the engine tells of it: whoever follows hears all.
            tell(program, 0, await self.engine.journal.read(run))
            return ended
        finally:
            self.engine.observers.remove(listen)
