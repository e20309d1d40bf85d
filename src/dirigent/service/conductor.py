"""Whoever drives the runs of a store: the engine of this process, or that of another one.

A store has one engine. A process that finds it taken asks the other through its door (`service.door`)
and reads the store beside it; when the other dies, the next one that asks takes its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from dirigent.core.status import unknown
from dirigent.model.ids import RunId
from dirigent.model.program import Program
from dirigent.model.run.journal import Created, Ended, Fact
from dirigent.ports import Heard, Journal


class HolderGone(Exception):
    """The engine that drove the run has ended; the run goes on when somebody takes its place."""


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
        facts = await journal.read(run, told)
        if program is None:
            program = await _program(journal, run, facts)
        if facts:
            heard(run, program, facts)
            told += len(facts)
            if isinstance(facts[-1], Ended):
                return facts[-1]
        if not holder_lives:
            raise HolderGone
        await asyncio.sleep(WATCH_SECONDS)


WATCH_SECONDS = 0.1
