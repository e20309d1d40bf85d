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

Build: TypeAlias = Callable[[Tenure], Engine]
"""Builds the engine of a shard."""


@dataclass(slots=True, eq=False)
class Holding:
    """A shard of ours. `driven` is set once every open run of it has been taken up."""

    tenure: Tenure
    engine: Engine
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
    _crew: Crew = field(default_factory=Crew)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _gate: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(WISHES_AT_ONCE))
    _closing: bool = False

    # -- life -------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Take what shards are free, and go on doing so."""
        await self._sweep()
        self._crew.act(self._serve())
        self._crew.act(self._look())

    async def settled(self) -> None:
        """Return when every shard that is held is driven."""
        for holding in list(self._holdings.values()):
            await holding.driven.wait()

    async def close(self) -> None:
        """Begin nothing more, give every shard back, and say that we live no more."""
        self._closing = True
        await asyncio.gather(*(self._give_back(holding) for holding in list(self._holdings.values())))
        await self._crew.close()
        await self.tenancy.leave()

    def check(self) -> None:
        """Raise what this fleet failed of, if it did."""
        self._crew.check()

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
        while not self._closing:
            soonest = self.census.soonest_seconds if self.census else None
            pause = SWEEP_SECONDS if soonest is None else max(0.02, min(SWEEP_SECONDS, soonest + 0.02))
            await self.tenancy.hinted(pause)
            if not self._closing:
                await self._sweep()

    async def _sweep(self) -> None:
        """Renew, take and share out; then see who wishes for something."""
        held = [holding.tenure for holding in self._holdings.values()]
        census = await self.tenancy.renew(held)
        await self._drop_lost()
        if census is None:
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
        engine = self.build(tenure)
        engine.observers.append(self._heard)
        engine.observers.extend(self.observers)
        holding = self._holdings[tenure.shard] = Holding(tenure, engine)
        self._crew.act(self._drive(holding))

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
            self._crew.act(self._give_back(holding))

    async def _give_back(self, holding: Holding) -> None:
        holding.leaving = True
        await holding.engine.settle(PARTING_SECONDS)
        await holding.engine.close()
        await self.tenancy.release([holding.tenure])
        self._forget(holding)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self._drop_lost()

    async def _drop_lost(self) -> None:
        """Stop the engine of every shard that is ours no more, where it is, as a crash would."""
        for holding in list(self._holdings.values()):
            failure = holding.engine.failure
            if failure is not None and not _is_loss(failure):
                raise failure
            if failure is None and holding.tenure.lost() is None:
                continue
            self._forget(holding)
            await holding.engine.close()
            await self.tenancy.release([holding.tenure])

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
                self._crew.act(self._grant(holding, wish))

    async def _grant(self, holding: Holding, wish: Wish) -> None:
        """Do what another process wishes, and answer: in the commit of the fact, or by itself."""
        async with self._gate:
            try:
                refusal = await _done(holding, wish)
                if refusal is None or not _is_loss(refusal):
                    await holding.tenure.answer(wish, refusal)
                    self.tenancy.hint("answers")
            finally:
                holding.wishes.discard(wish.id)

    def _heard(self, run: RunId, program: Program, first: int, facts: Sequence[Fact]) -> None:
        if isinstance(facts[-1], Ended | Held):
            self._stir()
            self.tenancy.hint("runs")

    def _stir(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _is_loss(failure: BaseException) -> bool:
    return isinstance(failure, Refusal) and failure.problems[0].code in LOST


async def _done(holding: Holding, wish: Wish) -> Refusal | None:
    """Do what is wished, and return why not."""
    holding.tenure.expect(wish)
    try:
        if isinstance(wish.wanted, Start):
            await holding.engine.start(wish.wanted)
        else:
            await holding.engine.tell(wish.run, wish.wanted)
    except Refusal as refusal:
        return refusal
    return None
