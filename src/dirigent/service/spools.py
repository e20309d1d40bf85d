"""The spools of commands: kept while a command may still be asked about, deleted when its end is recorded.

What a finished command wrote stands in the journal; without this, the state directory would grow
for ever. A command that was started and not awaited keeps its spool until it has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Sequence

from dirigent.model.ids import EffectId, RunId, effect_id
from dirigent.model.program import Code, Program
from dirigent.model.run.journal import Abandoned, Fact, Failed, Skipped, Succeeded, Vouched
from dirigent.ports import Shelf
from dirigent.shim import attach


class Spools:
    """The folder of spools of one store."""

    def __init__(self, folder: str) -> None:
        """Keep house in `folder`, which need not exist."""
        self._folder = folder

    def hear(self, run: RunId, program: Program, _: int, facts: Sequence[Fact]) -> None:
        """Delete the spools of attempts whose end is durable now. An observer of the engine."""
        if isinstance(program.root.node, Code):
            return  # It starts no commands.
        for name in _over(run, facts):
            attach.discard(self._folder, name)

    def left(self) -> list[str]:
        """Return what earlier engines left, to be asked before this one acts."""
        return attach.orders(self._folder)

    async def sweep(self, left: Sequence[str], standing: Collection[EffectId], shelf: Shelf) -> None:
        """Delete what was left, but for the spools of effects whose end is not recorded yet.

        Those that a person must judge are no effect of a run that the engine has taken up: they stay for
        as long as their run is open.
        """
        for name in left:
            if name.partition("-")[0] not in standing and not await self._held(name, shelf):
                await asyncio.to_thread(attach.discard, self._folder, name)

    async def _held(self, name: str, shelf: Shelf) -> bool:
        run = attach.held_for(self._folder, name)
        found = await shelf.run(RunId(run)) if run is not None else None
        return found is not None and found.open


def _over(run: RunId, facts: Sequence[Fact]) -> Iterator[str]:
    for fact in facts:
        match fact:
            case (
                Succeeded(position=position, attempt=attempt)
                | Failed(position=position, attempt=attempt)
                | Abandoned(position=position, attempt=attempt)
                | Vouched(position=position, attempt=attempt)
                | Skipped(position=position, attempt=attempt)
            ):
                yield f"{effect_id(run, position)}-{attempt}"
            case _:
                pass
