"""An engine that the store has failed begins nothing more, and tells everybody who brings it something."""

import asyncio
from functools import partial

import pytest

from dirigent.model.problem import Refusal, refuse
from dirigent.model.run.effect import Done
from dirigent.model.run.journal import Created, Intended, TimerFired
from dirigent.model.run.start import Start
from dirigent.testing import Rule
from engine.harness import REAL_SECONDS, Parts, living, rounds
from engine.workflows import document, outside_of

CALL = "do: [{call: {run: {shell: {command: call}}}}]"
NAP = "do: [{nap: {wait: {seconds: 100}}}, {call: {run: {shell: {command: call}}}}]"
FULL = "E5011"


class Unanswered:
    """A store that takes an append of some kind of fact, but says that it did not.

    What is `late` is read for an opening engine only after that, and after some rounds of its loop.
    """

    def __init__(self, sound, kind, late=""):
        self.sound, self.kind, self.late = sound, kind, late
        self.refused = asyncio.Event()
        self.asked = 0

    def __getattr__(self, name):
        found = getattr(self.sound, name)
        return partial(self.read_late, found) if name == self.late else found

    async def append(self, run, expected, facts, *rest):
        await self.sound.append(run, expected, facts, *rest)
        if any(isinstance(fact, self.kind) for fact in facts):
            self.refused.set()
            raise refuse(FULL, "the disk is full")

    async def read_late(self, read, *given):
        self.asked += 1
        if given[0] == (-1.0, ""):  # All that are open: so asks who opens.
            await self.refused.wait()
            await rounds()
        return await read(*given)


@pytest.mark.parametrize("late", ["", "wakings"])
def test_an_engine_that_fails_while_it_opens_says_so_and_does_not_hang(late):
    outside = outside_of(NAP)

    async def leave_asleep(engine):
        await engine.start(Start("run-1", outside.case.program))

    living(leave_asleep, outside)
    asyncio.run(outside.clock.sleep_until(200.0))
    stores = []

    def store(sound):
        stores.append(Unanswered(sound, TimerFired, late))
        return stores[-1]

    outside.parts = Parts(store=store)

    async def opened():
        engine = outside.engine()
        try:
            # Its timer rings, and is stored without an answer, while the store is asked who is awake: it is.
            await asyncio.wait_for(engine.open(), REAL_SECONDS)
            await asyncio.wait_for(engine.wait("run-1"), REAL_SECONDS)
        finally:
            await engine.close()

    with pytest.raises(Refusal, match=FULL):
        asyncio.run(opened())
    assert stores[0].refused.is_set()
    outside.parts = Parts()

    async def end(engine):
        assert (await engine.wait("run-1")).phase == "completed"

    living(end, outside)


class Gate:
    """A store that answers an append of one run only when it is let."""

    def __init__(self, sound, run, kind):
        self.sound, self.run, self.kind = sound, run, kind
        self.there, self.let = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name):
        return getattr(self.sound, name)

    async def append(self, run, expected, facts, *rest):
        await self.sound.append(run, expected, facts, *rest)
        if run == self.run and any(isinstance(fact, self.kind) for fact in facts):
            self.there.set()
            await self.let.wait()


@pytest.mark.parametrize("kind", [Created, Intended])
def test_what_is_recorded_after_an_engine_has_failed_is_acknowledged_and_not_begun(kind):
    outside = outside_of(CALL, Rule(answers=(Done("ok"),)))
    other = document("do: [{nap: {wait: {seconds: 1}}}]")
    gates = []

    def store(sound):
        gates.append(Gate(Unanswered(sound, TimerFired), "run-1", kind))
        return gates[-1]

    outside.parts = Parts(store=store)

    async def test(engine):
        starting = asyncio.ensure_future(engine.start(Start("run-1", outside.case.program)))
        await gates[-1].there.wait()
        await engine.start(Start("run-2", other))
        with pytest.raises(Refusal, match=FULL):
            await engine.wait("run-2")
        gates[-1].let.set()
        assert await starting == "run-1"
        await rounds()
        assert not outside.happened, "a failed engine acted"
        with pytest.raises(Refusal, match=FULL):
            await engine.wait("run-1")

    living(test, outside)
    outside.parts = Parts()

    async def end(engine):
        assert (await engine.wait("run-1")).phase == "completed"

    living(end, outside)
    assert sum(outside.happened.values()) == 1
