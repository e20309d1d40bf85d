"""A world of boxes behind a provider, the real engine that applies plans to it, and deaths at will."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from core.simulation import TOOLS, answer
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.model.ids import RunId
from dirigent.model.plan import ApplyPolicy, OnFailure
from dirigent.model.run.journal import Held, Repeated, Skipped
from dirigent.model.run.start import Start
from dirigent.planning.compile import compile_plan
from dirigent.planning.safety.governing import governed
from dirigent.ports.resources import ProviderFailed
from dirigent.providers.apply import ResourcePerformer
from dirigent.testing import (
    Crash,
    FakeVault,
    Fuse,
    FusedStore,
    MemoryDisk,
    MemoryStore,
    ScriptedOracle,
    VirtualClock,
)
from planning.world import World

REAL_SECONDS = 60


@dataclass
class Boxes:
    """Boxes by their ids. A box whose configuration says `fail` cannot be made or changed until `mended`.

    `half` leaves something of it all the same. `blind` is the planted fault: it makes a second one in doubt.
    """

    fuse: Fuse = field(default_factory=Fuse)
    boxes: dict = field(default_factory=dict)
    made: int = 0
    mended: bool = False
    blind: bool = False
    asked: list = field(default_factory=list)

    types = frozenset({"box"})

    async def apply(self, operation):
        self.fuse.burn("before effect")
        self.asked.append((operation.action, operation.address))
        try:
            return self._apply(operation)
        finally:
            self.fuse.burn("after effect")

    def _apply(self, operation):
        order, config = operation.order, operation.config
        if operation.action == "delete":
            self.boxes.pop(operation.prior.attributes["id"], None)
            return {}, None
        broken = config.get("fail") and not self.mended
        if operation.action == "update":
            number = operation.prior.attributes["id"]
            if broken:
                raise ProviderFailed("the box cannot be changed")
            self.boxes[number] = (order.id, dict(config))
            return {"id": number, **config}, None
        if broken and config["fail"] != "half":
            raise ProviderFailed("the box cannot be made")
        known = [number for number, (made_by, _) in self.boxes.items() if made_by == order.id]
        if known and order.doubtful and not self.blind:
            number = known[0]
        else:
            self.made += 1
            number = self.made
            self.boxes[number] = (order.id, dict(config))
        if broken:
            raise ProviderFailed("the box was made, but not well", {"id": number})
        return {"id": number, **config}, None

    async def abandon(self, operation):
        """Nothing takes time here."""


@dataclass
class Site:
    """A disk, a world, and the engines that live there one after the other."""

    boxes: Boxes = field(default_factory=Boxes)
    disk: MemoryDisk = field(default_factory=MemoryDisk)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(0.0, patience=200))

    def rows(self):
        return asyncio.run(MemoryStore(self.disk).rows())

    def plan(self, declared, on_failure=OnFailure.KEEP, parallel=16):
        return governed(World(self.rows()).plan(declared), ApplyPolicy(on_failure, parallel))

    def engine(self):
        store = FusedStore(MemoryStore(self.disk), self.boxes.fuse)
        performer = ResourcePerformer({"box": self.boxes}, store.row, self.clock)
        effects = Effects({"resource": performer}, ScriptedOracle(answer), FakeVault(), self.clock)
        return Engine(store, store, effects, TOOLS, self.clock)

    def apply(self, made, run, answers=()):
        """Apply a plan, living as often as it takes; `answers` are what a person says when it is held."""
        said = list(answers)
        while True:
            try:
                return asyncio.run(asyncio.wait_for(self._life(made, RunId(run), said), REAL_SECONDS))
            except Crash:
                self.boxes.fuse.revive()

    async def _life(self, made, run, said):
        engine = self.engine()
        await engine.open()
        await engine.start(Start(run, compile_plan(made)))
        end = asyncio.ensure_future(engine.wait(run))
        while said and not end.done():
            held = held_of(await engine.journal.read(run))
            if held is None:
                await asyncio.sleep(0)
                continue
            word = said[0]
            if word == "repeat":
                self.boxes.mended = True
            kind = Repeated if word == "repeat" else Skipped
            await engine.tell(run, kind(self.clock.now(), held.position, held.attempt))
            said.pop(0)  # Whoever dies before he is told says it again, if it is still asked for.
        ended = await end
        await engine.close()
        return ended

    def facts(self, run):
        return asyncio.run(MemoryStore(self.disk).read(RunId(run)))

    def standing(self):
        """What stands, by address; every box is known to a row, and every row has its box."""
        rows = self.rows()
        assert sorted(row.attributes["id"] for row in rows) == sorted(self.boxes.boxes), "lost or forgotten"
        return {str(row.address): self.boxes.boxes[row.attributes["id"]][1] for row in rows}

    def again(self, *deaths):
        """The same site at this moment, in which the process dies at these places."""
        disk = replace(
            self.disk,
            **{name: _copied(getattr(self.disk, name)) for name in ("journals", "rows", "history")},
            **{
                name: dict(getattr(self.disk, name))
                for name in ("standings", "definitions", "titles", "plans")
            },
            snapshots={},
        )
        boxes = replace(self.boxes, fuse=Fuse(*deaths), boxes=dict(self.boxes.boxes), asked=[])
        return Site(boxes, disk, VirtualClock(self.clock.now(), patience=200))


def _copied(table):
    return {key: list(each) if isinstance(each, list) else each for key, each in table.items()}


def held_of(facts):
    """The last effect that waits for a person, None where none does."""
    waiting = {}
    for fact in facts:
        if isinstance(fact, Held):
            waiting[fact.position] = fact
        elif isinstance(fact, Repeated | Skipped):
            waiting.pop(fact.position, None)
    return next(iter(waiting.values()), None)
