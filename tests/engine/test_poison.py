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
from dirigent.model.run.journal import CancelRequested, Created, Resumed, Succeeded
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
        ended = await asyncio.wait_for(engine.wait("sound"), 60)
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
        assert (await asyncio.wait_for(engine.wait(run), 60)).phase == "cancelled"
        await engine.close()

    asyncio.run(test())


class Kept:
    """A witness that outlives engines: what stands when one fails is a death."""

    def __init__(self):
        self.standing = None
        self.counted = {}

    def begin(self, run, place):
        self.standing = (run, place)

    def end(self):
        self.standing = None

    def deaths(self):
        if self.standing is not None:
            run, place = self.standing
            at, count = self.counted.get(run, (place, 0))
            self.counted[run] = (place, count + 1 if at == place else 1)
            self.standing = None
        return dict(self.counted)

    def forgive(self, run):
        self.counted.pop(run, None)


class Deadly:
    """A language in which one expression brings a defect out, as long as it is not mended."""

    def __init__(self):
        self.mended = False

    def compile(self, text):
        if "deadly" in text and not self.mended:
            raise ZeroDivisionError
        return LANGUAGE.compile(text)


POISON = 'do: [{set: {set: {x: "${ \\"deadly\\" }"}}}]'


def test_a_run_that_ends_two_engines_at_one_place_is_left_alone_and_the_others_go_on():
    async def test():
        store, witness, language = MemoryStore(), Kept(), Deadly()

        async def engine():
            made = engine_of(store, Quick())
            made.witness = witness
            made.tools = Tools(language, SCHEMAS)
            made.__post_init__()
            return made

        first = await engine()
        await first.open()
        with pytest.raises(ZeroDivisionError):
            await first.start(Start("poison", document(POISON)))
        await first.close()
        # The engine died before it could record anything; the caller comes again.
        language.mended = True
        digest = await store.keep(document(POISON))
        await store.append("poison", 0, [Created(0.0, digest, None)])
        language.mended = False
        await store.append("sound", 0, [Created(0.0, await store.keep(document(ONE)), None)])
        witness.standing = None
        for _ in range(2):
            dying = await engine()
            with pytest.raises(ZeroDivisionError):
                await dying.open()
            await dying.close()
        third = await engine()
        await third.open()
        assert (await asyncio.wait_for(third.wait("sound"), 60)).phase == "completed"
        assert third.left_out["poison"].problems[0].code == "E4070"
        with pytest.raises(Refusal, match="E4070"):
            await third.wait("poison")
        assert (await store.run("poison")).phase == "suspended"
        # A person lets it try again, when it is mended; what it was told for a while is over then.
        language.mended = True
        await third.tell("poison", Resumed(1.0))
        assert (await asyncio.wait_for(third.wait("poison"), 60)).phase == "completed"
        await third.close()

    asyncio.run(test())


def test_a_refusal_of_the_store_is_no_deed_of_the_run():
    async def test():
        store, witness = MemoryStore(), Kept()
        engine = engine_of(store, Quick())
        engine.witness = witness
        engine.__post_init__()
        await engine.open()

        def refused(*_):
            async def refusal():
                raise refuse("E5010", "the disk failed")

            return refusal()

        store.append = refused
        with pytest.raises(Refusal, match="E5010"):
            await engine.start(Start("run", document(ONE)))
        assert witness.deaths() == {}
        await engine.close()

    asyncio.run(test())


def test_an_engine_closes_while_the_journal_has_not_answered_how_a_run_begins():
    async def test():
        store = MemoryStore()
        engine = engine_of(store, Quick())
        await engine.open()
        silent = asyncio.get_running_loop().create_future()
        store.append = lambda *_: silent
        starting = asyncio.ensure_future(engine.start(Start("run", document(ONE))))
        for _ in range(5):
            await asyncio.sleep(0)
        # Had it waited for the append, it would turn round and round here and hear no clock either.
        await asyncio.wait_for(engine.close(), 60)
        await asyncio.gather(starting, return_exceptions=True)

    asyncio.run(test())
