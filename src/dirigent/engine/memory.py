"""Which runs are in memory. Every other open run is in the journal alone, and comes back when needed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from dirigent.core.machine import Tools
from dirigent.core.nodes import code
from dirigent.core.replay import replay
from dirigent.core.status import unknown
from dirigent.engine.live import Live
from dirigent.model.ids import Digest, RunId
from dirigent.model.program import Program
from dirigent.model.run.journal import Created
from dirigent.ports import Journal

# A run whose next timer is nearer than this stays in memory: replaying it would cost more.
PARK_SECONDS = 5.0


@dataclass(slots=True, eq=False)
class Memory:
    """The runs that an engine holds, and the definitions that it has read."""

    journal: Journal
    tools: Tools
    _live: dict[RunId, Live] = field(default_factory=dict)
    _loading: dict[RunId, asyncio.Task[None]] = field(default_factory=dict)
    _programs: dict[Digest, Program] = field(default_factory=dict)

    def add(self, run: RunId, digest: Digest, program: Program) -> Live:
        """Return a run that begins now. Raises `Refusal` (E4031) for code that is not here."""
        code.check(self.tools, program)
        self._programs[digest] = program
        live = self._live[run] = Live(replay(program, run, (), self.tools), recovered=True)
        return live

    async def load(self, run: RunId) -> Live:
        """Return a run, replaying its journal if it had left. Raises `Refusal` (E4004, E4001, E5004).

        It is in memory when this returns, and may leave at the caller's next turn of the event loop.
        """
        while (live := self._live.get(run)) is None:
            loading = self._loading.get(run)
            if loading is None:
                loading = self._loading[run] = asyncio.ensure_future(self._replay(run))
                loading.add_done_callback(lambda _: self._loading.pop(run, None))
            await asyncio.shield(loading)
        return live

    async def _replay(self, run: RunId) -> None:
        facts = await self.journal.read(run)
        if not facts or not isinstance(facts[0], Created):
            raise unknown(run)
        digest = facts[0].definition
        program = self._programs.get(digest)
        if program is None:
            program = self._programs[digest] = await self.journal.definition(digest)
        self._live[run] = Live(replay(program, run, facts, self.tools))

    def park(self, live: Live, now: float) -> None:
        """Let a run that only waits leave memory, unless its next timer is near."""
        timers = (ask.until for ask in live.run.asks.values() if ask.until)
        if live.idle and min(timers, default=now + PARK_SECONDS) >= now + PARK_SECONDS:
            self._live.pop(live.run.id, None)

    def holds(self, run: RunId) -> bool:
        """Return whether a run is in memory: then it has not ended, and whoever waits for it will be told."""
        return run in self._live

    def __len__(self) -> int:
        """Return how many runs are in memory."""
        return len(self._live)
