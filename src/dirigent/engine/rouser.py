"""Runs come back into memory: those that stood when the engine opened, and those whose time has come.

Law: they come together, with one question to the store for all of them; one that cannot be read or folded
(of a newer release, or damaged) is left out and does not keep the others from going on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import field

from dirigent.core.decide import timers
from dirigent.core.machine import Run
from dirigent.engine.crew import Crew
from dirigent.engine.live import Arrival, Live
from dirigent.engine.memory import Memory
from dirigent.engine.timers import FIRST, Timers
from dirigent.model import limits
from dirigent.model.ids import EffectId, RunId
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Fact, TimerFired
from dirigent.ports import AWAKE, Clock, Waking


@dataclass(slots=True, eq=False)
class Rouser:
    """`turn` takes a run further, each of `meet` learns of one that is taken up.

    `standing` are the effects that had no recorded end at the opening.
    """

    memory: Memory
    clock: Clock
    crew: Crew
    turn: Callable[[Live], None]
    meet: Sequence[Callable[[Run], None]]
    timers: Timers = field(init=False)
    standing: set[EffectId] = field(default_factory=set)
    left_out: dict[RunId, Refusal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Have the timers wake runs through this."""
        self.timers = Timers(self.clock, self.memory.journal, self.wake)

    async def open(self) -> int:
        """Take up every run that has something to do, and return how many there were."""
        self.crew.act(self.timers.serve())
        taken = 0
        after: Waking = (-1.0, RunId(""))
        while after < FIRST:
            page = await self.memory.journal.wakings(after, limits.RUNS_TAKEN_UP_TOGETHER)
            awake = [run for at, run in page if at == AWAKE]
            await self._take_up(awake)
            taken += len(awake)
            after = page[-1] if page else FIRST
        return taken

    async def wake(self, runs: Sequence[RunId]) -> None:
        """Take runs whose time has come further, all at once."""
        lives = await self._loaded(runs)
        # Those who come due while this is recorded are read and recorded together, too.
        await self._turned(lives, [arrival for live in lives for arrival in self._ring(live)])

    async def _take_up(self, runs: Sequence[RunId]) -> None:
        """Go on with runs that an engine before this one left awake."""
        lives = await self._loaded(runs)
        for live in lives:
            live.stale = not live.recovered
            for learn in self.meet:
                learn(live.run)
            self.standing.update(ask.effect for ask in live.run.asks.values() if ask.effect is not None)
        await self._turned(lives, [_arrived(live) for live in lives])

    async def _turned(self, lives: Sequence[Live], arrivals: Sequence[asyncio.Future[bool]]) -> None:
        """Turn runs, and return when what arrived at them is durable."""
        for live in lives:
            self.turn(live)
        await asyncio.gather(*arrivals, return_exceptions=True)
        self.crew.check()

    async def _loaded(self, runs: Sequence[RunId]) -> list[Live]:
        """Return those of the runs that can be loaded; the others are left out."""
        lives = []
        for run, live in zip(runs, await self.memory.load_all(runs), strict=True):
            if isinstance(live, Live):
                lives.append(live)
            else:
                self.lose(run, live)
        return lives

    def lose(self, run: RunId, why: Refusal) -> None:
        """Leave a run out that cannot be loaded, and tell whoever waits for it."""
        self.left_out[run] = why
        self.crew.lost(run, why)

    def _ring(self, live: Live) -> list[asyncio.Future[bool]]:
        """Let every timer of a run fire whose time has come, and set the alarm for the next one."""
        now, fired = self.clock.now(), []
        for until, (position, attempt, purpose) in timers(live.run):
            if until > now:
                self.timers.alarm(live.run.id, until)
                break
            fired.append(_arrived(live, TimerFired(now, position, attempt, purpose)))
        return fired


def _arrived(live: Live, *facts: Fact) -> asyncio.Future[bool]:
    """Let facts arrive at a run; the answer says whether it took them, once they are durable."""
    taken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    live.arrived.append(Arrival(facts, taken))
    return taken
