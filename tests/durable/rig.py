"""The real engine under workflows of code, in a world of virtual time."""

import asyncio
from contextlib import nullcontext
from dataclasses import dataclass, field

from core.simulation import TOOLS, answer
from dirigent.app.authors import Authors
from dirigent.core.machine import Tools
from dirigent.engine.children import WorkflowPerformer
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.model.ids import RunId
from dirigent.model.run.start import Start
from dirigent.tasks.python import PythonPerformer
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

# A life that takes longer than this in real time hangs.
SECONDS = 60
RUN = RunId("run-1")


@dataclass
class World:
    """What is there when no engine is."""

    disk: MemoryDisk = field(default_factory=MemoryDisk)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(0.0, patience=200))
    fuse: Fuse = field(default_factory=Fuse)
    authors: Authors = field(default_factory=Authors)
    doubt: str = "repeat"

    def engine(self):
        store = FusedStore(MemoryStore(self.disk), self.fuse)
        performers = {"python": Held(PythonPerformer(self.authors.step), self)}
        effects = Effects(performers, ScriptedOracle(answer), FakeVault(), self.clock)
        tools = Tools(TOOLS.language, TOOLS.schemas, self.authors)
        engine = Engine(store, store, effects, tools, self.clock)

        async def inherited():
            return {"doubt": self.doubt}

        performers["workflow"] = WorkflowPerformer(
            engine, lambda _space, name, _version: self.authors.program(name), inherited
        )
        return engine

    def run(self, workflow, *args, said=(), seconds=SECONDS, **kwargs):
        """Run a workflow to its end, through as many lives as it takes."""
        given = workflow.given(*args, **kwargs)
        while True:
            try:
                return asyncio.run(asyncio.wait_for(self.life(workflow.program, given, said), seconds))
            except Crash:
                self.fuse.revive()

    async def life(self, program, given, said=()):
        engine = self.engine()
        await engine.open()
        try:
            await engine.start(Start(RUN, program, given, {"doubt": self.doubt}))
            talk = [asyncio.ensure_future(self.say(engine, at, fact)) for at, fact in said]
            end = asyncio.ensure_future(engine.wait(RUN))
            await asyncio.wait([end, *talk], return_when=asyncio.FIRST_COMPLETED)
            for each in talk:
                each.cancel()
            return await end
        finally:
            await engine.close()

    async def say(self, engine, at, fact):
        await self.clock.sleep_until(at)
        word = fact(at)
        if word not in await engine.journal.read(RUN):
            await engine.tell(RUN, word)
        await asyncio.Event().wait()

    @property
    def journal(self):
        return asyncio.run(MemoryStore(self.disk).read(RUN))


@dataclass
class Held:
    """Keeps the clock while a step runs in a thread, and burns the fuse before and after it."""

    performer: object
    world: World

    async def perform(self, order):
        self.world.fuse.burn(f"before {order.position}")
        threaded = self.world.authors.step(order.request["step"]).plain
        with self.world.clock.hold() if threaded else nullcontext():
            outcome = await self.performer.perform(order)
        self.world.fuse.burn(f"after {order.position}")
        return outcome

    def answer(self, order):
        return self.performer.answer(order)

    async def abandon(self, order):
        await self.performer.abandon(order)
