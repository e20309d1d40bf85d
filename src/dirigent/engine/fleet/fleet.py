"""The shards of this process: taken, driven, shared with engines that come, given back at the end.

Three tasks: one leases, renews and shares out, each second and at each hint; one looks every tenth of a
second for shards that are lost, by the clock of this machine alone; and for each shard one drives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from dirigent.engine.crew import Crew
from dirigent.engine.engine import Engine, Observer
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.program import Program
from dirigent.model.run.journal import Ended, Fact, Held
from dirigent.model.run.start import Start
from dirigent.ports import Census, Tenancy, Tenure, Wish

SWEEP_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 0.1
# For effects whose fate the next owner of a shard could not know, when it is given back in order.
PARTING_SECONDS: Final = 5.0
# The refusals of a shard that is not ours any more; any other failure of an engine is one of the process.
LOST: Final = frozenset({"E5002"})
WISHES_AT_ONCE: Final = 256

Build: TypeAlias = Callable[[Tenure, Crew], Engine]
"""Builds the engine of a shard, which fails when its crew does."""


@dataclass(slots=True, eq=False)
class Holding:
    """A shard of ours. `driven` is set once every open run of it has been taken up."""

    tenure: Tenure
    engine: Engine
    crew: Crew
    driven: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: bool = False
    wishes: set[int] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Fleet:
    """Drives the runs of every shard that this process owns. `open` comes first, `close` last."""

    tenancy: Tenancy
    build: Build
    observers: list[Observer] = field(default_factory=list)
    census: Census | None = None
    _holdings: dict[int, Holding] = field(default_factory=dict)
    crew: Crew = field(default_factory=Crew)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(WISHES_AT_ONCE))
    _closing: bool = False

    # -- life -------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Take what shards are free, and go on doing so."""
        await self._sweep()
        self.crew.act(self._serve())
        self.crew.act(self._look())

    async def settled(self) -> None:
        """Return when every shard that is held is driven."""
        for holding in list(self._holdings.values()):
            await holding.driven.wait()

    async def close(self) -> None:
        """Begin nothing more, give every shard back, and say that we live no more."""
        self._closing = True
        held = list(self._holdings.values())
        await asyncio.gather(*(_end(holding) for holding in held))
        await self.crew.close(())
        await self.tenancy.release([holding.tenure for holding in held], leaving=True)
        self._holdings.clear()

    # -- what can be asked of it --------------------------------------------------------------------

    def engine(self, shard: int) -> Engine | None:
        """Return who drives a shard, None when that is not this process (any more, or yet)."""
        holding = self._holdings.get(shard)
        if holding is None or holding.leaving or not holding.driven.is_set() or holding.tenure.lost():
            return None
        return holding.engine

    @property
    def shards(self) -> list[int]:
        """Return the shards that this process drives."""
        return [shard for shard in self._holdings if self.engine(shard) is not None]

    async def changed(self) -> None:
        """Return when a run of ours has ended or waits for a person, or a shard came or went."""
        await self._changed.wait()

    # -- leases -------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        clock = asyncio.get_running_loop()
        due = clock.time() + SWEEP_SECONDS
        while True:
            heard = await self.tenancy.hinted(max(0.0, due - clock.time()))
            if "shards" in heard or clock.time() >= due:
                await self._sweep()
                due = clock.time() + self._pause()
            elif "inbox" in heard:
                await self._hear_wishes()

    def _pause(self) -> float:
        """Return when to look again: with the next renewal, or before, when the lease of another ends."""
        soonest = self.census.soonest_seconds if self.census else None
        return SWEEP_SECONDS if soonest is None else min(SWEEP_SECONDS, max(0.0, soonest) + 0.02)

    async def _sweep(self) -> None:
        """Renew, take and share out; then see who wishes for something."""
        held = [holding.tenure for holding in self._holdings.values()]
        census = await self.tenancy.renew(held)
        await self._drop_lost()
        if census is None or self._closing:
            return
        self.census = census
        share = -(-census.shards // max(1, census.engines))
        missing = min(share - len(self._holdings), census.free)
        if missing > 0:
            for tenure in await self.tenancy.take(missing):
                self._take_up(tenure)
        elif len(self._holdings) > share:
            self._part(len(self._holdings) - share)
        await self._hear_wishes()

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
            if refusal.problems[0].code not in LOST:
                raise
            return
        finally:
            holding.driven.set()
            self._stir()
        await self._hear_wishes()

    def _part(self, count: int) -> None:
        """Give shards back in order, so that engines that came have their share."""
        staying = [holding for holding in self._holdings.values() if not holding.leaving]
        leaving = len(self._holdings) - len(staying)
        for holding in staying[: max(0, count - leaving)]:
            holding.leaving = True
            self.crew.act(self._give_back(holding))

    async def _give_back(self, holding: Holding) -> None:
        await _end(holding)
        self._forget(holding)
        await self.tenancy.release([holding.tenure])

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._drop_lost()

    async def _drop_lost(self) -> None:
        """Stop the engine of every shard that is ours no more, where it is, as a crash would."""
        for holding in list(self._holdings.values()):
            failure, lost = holding.crew.failure, holding.tenure.lost()
            if lost is None and failure is None:
                continue
            if lost is None and failure is not None and not _is_loss(failure):
                raise failure
            self._forget(holding)
            await holding.engine.close()

    def _forget(self, holding: Holding) -> None:
        if self._holdings.get(holding.tenure.shard) is holding:
            del self._holdings[holding.tenure.shard]
        holding.driven.set()
        self._stir()

    # -- wishes -------------------------------------------------------------------------------------

    async def _hear_wishes(self) -> None:
        driven = [
            holding for holding in self._holdings.values() if self.engine(holding.tenure.shard) is not None
        ]
        if not driven:
            return
        for wish in await self.tenancy.wishes([holding.tenure for holding in driven]):
            holding = self._holdings.get(wish.shard)
            if holding is not None and holding in driven and wish.id not in holding.wishes:
                holding.wishes.add(wish.id)
                self.crew.act(self._grant(holding, wish))

    async def _grant(self, holding: Holding, wish: Wish) -> None:
        """Do what another process wishes, and answer: in the commit of the fact, or by itself."""
        async with self._gate:
            try:
                answer = await _done(holding, wish)
                if not (isinstance(answer, Refusal) and _is_loss(answer)):
                    await holding.tenure.answer(wish, answer)
                    self.tenancy.hint("answers")
            finally:
                holding.wishes.discard(wish.id)

    def _heard(self, _run: RunId, _program: Program, _first: int, facts: Sequence[Fact]) -> None:
        if isinstance(facts[-1], Ended | Held):
            self._stir()
            self.tenancy.hint("runs")

    def _stir(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


async def _end(holding: Holding) -> None:
    """Begin nothing more in a shard, wait for what the next owner could only guess about, and stop."""
    holding.leaving = True
    await holding.engine.settle(PARTING_SECONDS)
    await holding.engine.close()


def _is_loss(failure: BaseException) -> bool:
    return isinstance(failure, Refusal) and failure.problems[0].code in LOST


async def _done(holding: Holding, wish: Wish) -> RunId | Refusal:
    """Do what is wished, and return the run that it came to, or why not."""
    holding.tenure.expect(wish)
    try:
        if isinstance(wish.wanted, Start):
            return await holding.engine.start(wish.wanted)
        await holding.engine.tell(wish.run, wish.wanted)
    except Refusal as refusal:
        return refusal
    return wish.run
