"""The shards of this process: taken, driven, shared with engines that come, given back at the end.

Three tasks: one leases, renews and shares out, each second and at each hint; one looks every tenth of a
second for shards that are lost, by the clock of this machine alone; and for each shard one drives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Final, TypeAlias

from dirigent.engine.crew import Crew
from dirigent.engine.engine import Engine, Observer
from dirigent.engine.fleet.holding import Holding, is_loss
from dirigent.engine.fleet.wishes import Wishes
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Emitted, Ended, Fact, Held
from dirigent.ports.fleet import Census, Tenancy, Tenure

SWEEP_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 0.1
# A lease is looked at so soon after its end.
AFTER_SECONDS: Final = 0.02

Build: TypeAlias = Callable[[Tenure, Crew], Engine]
"""Builds the engine of a shard, which fails when its crew does."""


@dataclass(slots=True, eq=False)
class News:
    """Wakes everybody who waits for something to happen."""

    _event: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self) -> None:
        """Something has happened."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self) -> None:
        """Return when something happens."""
        await self._event.wait()


@dataclass(slots=True, eq=False)
class Fleet:
    """Drives the runs of every shard that this process owns. `open` comes first, `close` last.

    `news` come when a run of ours has ended or waits for a person, and when a shard comes or goes.
    """

    tenancy: Tenancy
    build: Build
    observers: list[Observer] = field(default_factory=list)
    crew: Crew = field(default_factory=Crew)
    news: News = field(default_factory=News)
    _holdings: dict[int, Holding] = field(default_factory=dict)
    _wishes: Wishes = field(init=False)
    _closing: bool = False

    def __post_init__(self) -> None:
        """Have wishes to our shards granted."""
        self._wishes = Wishes(self.tenancy, self._holdings, self.crew)

    # -- life -------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Take what shards are free, drive them, and go on doing so."""
        pause = await self._sweep()
        self.crew.act(self._serve(pause))
        self.crew.act(self._look())
        for holding in list(self._holdings.values()):
            await holding.driven.wait()

    async def close(self) -> None:
        """Begin nothing more, give every shard back, and say that we live no more."""
        self._closing = True
        held = list(self._holdings.values())
        # Leases are renewed until the last effect has ended.
        await asyncio.gather(*(holding.end() for holding in held))
        await self.crew.close(())
        await self.tenancy.release([holding.tenure for holding in held], leaving=True)
        self._holdings.clear()

    def engine(self, shard: int) -> Engine | None:
        """Return who drives a shard, None when that is not this process (any more, or yet)."""
        holding = self._holdings.get(shard)
        return holding.engine if holding is not None and holding.ours else None

    def engines(self) -> list[Engine]:
        """Return every engine that drives a shard for this process."""
        return [holding.engine for holding in self._holdings.values() if holding.engine is not None]

    # -- leases -------------------------------------------------------------------------------------

    async def _serve(self, pause: float) -> None:
        clock = asyncio.get_running_loop()
        due = clock.time() + pause
        while True:
            heard = await self.tenancy.hinted(max(0.0, due - clock.time()))
            if "shards" in heard or clock.time() >= due:
                due = clock.time() + await self._sweep()
            elif "inbox" in heard:
                await self._wishes.hear()
            for engine in self.engines():
                engine.events.stir()

    async def _sweep(self) -> float:
        """Renew, take and share out, see who wishes for something; return when to do so again."""
        census = await self.tenancy.renew([holding.tenure for holding in self._holdings.values()])
        await self._drop_lost()
        if census is None or self._closing:
            return SWEEP_SECONDS
        share = -(-census.shards // max(1, census.engines))
        missing = min(share - len(self._holdings), census.free)
        if missing > 0:
            for tenure in await self.tenancy.take(missing):
                self._take_up(tenure)
        elif len(self._holdings) > share:
            self._part(len(self._holdings) - share)
        await self._wishes.hear()
        return _pause(census)

    def _take_up(self, tenure: Tenure) -> None:
        crew = Crew()
        engine = self.build(tenure, crew)
        engine.observers.append(self._heard)
        engine.observers.extend(self.observers)
        holding = self._holdings[tenure.shard] = Holding(tenure, engine, crew)
        self.crew.act(self._drive(holding))

    async def _drive(self, holding: Holding) -> None:
        try:
            await holding.engine.open()
        except Refusal as refusal:
            if not is_loss(refusal) and holding.tenure.lost() is None:
                raise
            return
        finally:
            holding.driven.set()
            self.news.tell()
        await self._wishes.hear()

    def _part(self, count: int) -> None:
        """Give shards back in order, so that engines that came have their share."""
        staying = [holding for holding in self._holdings.values() if not holding.leaving]
        leaving = len(self._holdings) - len(staying)
        for holding in staying[: max(0, count - leaving)]:
            holding.leaving = True
            self.crew.act(self._give_back(holding))

    async def _give_back(self, holding: Holding) -> None:
        await holding.end()
        self._forget(holding)
        await self.tenancy.release([holding.tenure])

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._drop_lost()

    async def _drop_lost(self) -> None:
        """Stop the engine of every shard that is ours no more, where it is, as a crash would."""
        for holding in list(self._holdings.values()):
            failure = holding.broken()
            if failure is not None:
                raise failure
            if holding.crew.failure is not None or holding.tenure.lost() is not None:
                self._forget(holding)
                await holding.engine.close()

    def _forget(self, holding: Holding) -> None:
        if self._holdings.get(holding.tenure.shard) is holding:
            del self._holdings[holding.tenure.shard]
        holding.driven.set()
        self.news.tell()

    def _heard(self, _run: RunId, _program: Program, _first: int, facts: Sequence[Fact]) -> None:
        if isinstance(facts[-1], Ended | Held):
            self.news.tell()
            self.tenancy.hint("runs")
        if any(isinstance(fact, Emitted) for fact in facts):
            self.tenancy.hint("events")
            for engine in self.engines():
                engine.events.stir()


def _pause(census: Census) -> float:
    """Return when to look again: with the next renewal, or before, when the lease of another ends."""
    soonest = census.soonest_seconds
    return SWEEP_SECONDS if soonest is None else min(SWEEP_SECONDS, max(0.0, soonest) + AFTER_SECONDS)
