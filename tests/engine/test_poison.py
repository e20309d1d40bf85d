"""One run that nobody can read, or stop, does not keep the others from going on."""

import asyncio

import pytest

from dirigent.core.machine import Tools
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.jq import LANGUAGE
from dirigent.lang.schema import SCHEMAS
from dirigent.model.problem import Refusal, refuse
from dirigent.model.run.effect import Done
from dirigent.model.run.journal import CancelRequested, Created, Succeeded
from dirigent.model.run.start import Start
from dirigent.testing import FakeVault, MemoryStore, ScriptedOracle, VirtualClock
from engine.workflows import document

ONE = "do: [{call: {run: {shell: {command: call}}}}]"


class Unstoppable:
    """Never comes to an end by itself, and refuses to be stopped."""

    async def perform(self, order):
        await asyncio.Event().wait()

    async def abandon(self, order):
        raise refuse("E3001", "nobody manages that any more")


class Quick:
    async def perform(self, order):
        return Done("done")

    async def abandon(self, order):
        pass


def engine_of(store, performer):
    clock = VirtualClock(0.0)
    effects = Effects({"shell": performer}, ScriptedOracle(), FakeVault(), clock)
    return Engine(store, store, effects, Tools(LANGUAGE, SCHEMAS), clock)


def test_a_run_whose_journal_fits_no_program_is_left_out_and_the_others_go_on():
    async def test():
        store, program = MemoryStore(), document(ONE)
        digest = await store.keep(program)
        strange = Succeeded(0.0, "/do/7/nowhere", 1, None)
        await store.append("strange", 0, [Created(0.0, digest, None), strange])
        await store.append("sound", 0, [Created(0.0, digest, None)])
        engine = engine_of(store, Quick())
        await engine.open()
        ended = await asyncio.wait_for(engine.wait("sound"), 10)
        assert ended.phase == "completed"
        assert [refusal.problems[0].code for refusal in engine.left_out.values()] == ["E4001"]
        assert list(engine.left_out) == ["strange"]
        # Whoever wants that run is told why it does not move, however they ask.
        with pytest.raises(Refusal, match="E4001"):
            await engine.wait("strange")
        with pytest.raises(Refusal, match="E4001"):
            await engine.tell("strange", CancelRequested(0.0))
        assert len(await store.read("strange")) == 2
        await engine.close()

    asyncio.run(test())


def test_an_effect_that_refuses_to_be_stopped_does_not_strand_its_run():
    async def test():
        store = MemoryStore()
        engine = engine_of(store, Unstoppable())
        await engine.open()
        run = await engine.start(Start("run", document(ONE)))
        await asyncio.sleep(0)
        await engine.tell(run, CancelRequested(0.0))
        assert (await asyncio.wait_for(engine.wait(run), 10)).phase == "cancelled"
        await engine.close()

    asyncio.run(test())
