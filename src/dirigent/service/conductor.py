"""Whoever drives the runs of a store: the engine of this process, or that of another one.

A store has one engine. A process that finds it taken asks the other through its door (`service.door`)
and reads the store beside it; when the other dies, the next one that asks takes its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from dirigent.engine.engine import Engine, Start
from dirigent.engine.memory import unknown
from dirigent.model.ids import RunId
from dirigent.model.plan import Plan
from dirigent.model.program import Program
from dirigent.model.run.journal import Created, Ended, Fact
from dirigent.ports import Journal, Shelf

Heard: TypeAlias = Callable[[RunId, Program, Sequence[Fact]], None]
"""Called with facts of a run, in order, after they became durable."""


class HolderGone(Exception):
    """The engine that drove the run has ended; the run goes on when somebody takes its place."""


class Conductor(Protocol):
    """Starts and steers runs, and tells what happens to them."""

    async def start(self, start: Start) -> RunId:
        """Create a run; durable when this returns."""
        ...

    async def tell(self, run: RunId, fact: Fact) -> None:
        """Put a person's word into a run."""
        ...

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan."""
        ...

    async def follow(self, run: RunId, heard: Heard) -> Ended:
        """Return how a run ended. `heard` gets its history first, then what comes."""
        ...


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

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan."""
        await self.shelf.keep_plan(plan)

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
            program = await _program(self.engine.journal, run, history)
            tell(program, 0, history)
            for first, facts in early:
                tell(program, first, facts)
            waiting = False
            return await self.engine.wait(run)
        finally:
            self.engine.observers.remove(listen)


async def _program(journal: Journal, run: RunId, history: Sequence[Fact]) -> Program:
    if not history or not isinstance(history[0], Created):
        raise unknown(run)
    return await journal.definition(history[0].definition)


async def watch(journal: Journal, run: RunId, heard: Heard, alive: Callable[[], bool]) -> Ended:
    """Follow a run by reading the store beside the engine that drives it.

    Raises `HolderGone` when that engine has ended and the run has not.
    """
    program: Program | None = None
    told = 0
    while True:
        holder_lives = alive()
        facts = await journal.read(run)
        if program is None:
            program = await _program(journal, run, facts)
        if len(facts) > told:
            heard(run, program, facts[told:])
            told = len(facts)
        if facts and isinstance(facts[-1], Ended):
            return facts[-1]
        if not holder_lives:
            raise HolderGone
        await asyncio.sleep(WATCH_SECONDS)


WATCH_SECONDS = 0.1
