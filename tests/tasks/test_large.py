"""Results too large for a fact become files before the fact that names them; requests get the content."""

import asyncio
import json
from dataclasses import replace

import pytest

from core.simulation import TOOLS
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.model import limits
from dirigent.model.problem import Refusal
from dirigent.model.run import payload
from dirigent.model.run.effect import Broken, Done, Order
from dirigent.model.run.start import Start
from dirigent.stores.folder.payloads import Payloads
from dirigent.tasks.large import LargeValues
from dirigent.testing import (
    Crash,
    FakeVault,
    Fuse,
    FusedStore,
    MemoryDisk,
    MemoryStore,
    Rule,
    ScriptedOracle,
    ScriptedPerformer,
    VirtualClock,
    World,
)
from engine.workflows import document

LARGE = "x" * (limits.PAYLOAD_BYTES + 10)
ORDER = Order("r1", "/do/0/make", 1, "e" * 32, "shell", {})
TWO = "do: [{make: {run: {shell: {command: make}}}}, {use: {run: {shell: {command: use, stdin: '${ . }'}}}}]"


def performed(tmp_path, output, request=None, vault=None):
    seen = []

    def answer(order):
        seen.append(order.request)
        return Done(output)

    store = Payloads(str(tmp_path / "payloads"))
    large = LargeValues(ScriptedPerformer(Rule(answers=(answer,))), store, vault or FakeVault())
    outcome = asyncio.run(large.perform(replace(ORDER, request=request)))
    return outcome, store, seen


def test_a_small_result_is_left_alone_and_makes_no_folder(tmp_path):
    outcome, store, _ = performed(tmp_path, {"a": "x" * limits.PAYLOAD_INLINE_BYTES})
    assert outcome == Done({"a": "x" * limits.PAYLOAD_INLINE_BYTES})
    assert not store.any


def test_a_large_text_is_put_away_and_the_rest_stays(tmp_path):
    outcome, store, _ = performed(tmp_path, {"stdout": LARGE, "code": 0})
    digest, form = payload.parts_of(outcome.output["stdout"])
    assert (form, outcome.output["code"]) == ("text", 0)
    assert outcome.output["stdout"][payload.NAME]["bytes"] == len(LARGE)
    assert store.get(digest).decode() == LARGE


class OnTheSpot:
    """A prompt performer that gives one output."""

    def __init__(self, output):
        self.output = output

    def answer(self, order):
        return Done(self.output) if order.request != "later" else None


def answered(tmp_path, output, request=None):
    inner, store = OnTheSpot(output), Payloads(str(tmp_path / "payloads"))
    large = LargeValues(ScriptedPerformer(), store, FakeVault(), inner)
    return large.answer(replace(ORDER, request=request)), store


def test_what_is_done_on_the_spot_stays_so(tmp_path):
    assert answered(tmp_path, {"a": 1})[0] == Done({"a": 1})
    assert answered(tmp_path, {"a": 1}, "later")[0] is None
    assert LargeValues(ScriptedPerformer(), Payloads(str(tmp_path)), FakeVault()).answer(ORDER) is None


def test_a_large_result_on_the_spot_is_put_away_too(tmp_path):
    outcome, store = answered(tmp_path, LARGE)
    digest, _ = payload.parts_of(outcome.output)
    assert store.get(digest).decode() == LARGE
    forged, _ = answered(tmp_path, payload.reference(digest, 1, payload.TEXT))
    assert isinstance(forged, Broken)


def test_a_request_that_names_a_large_value_is_not_for_the_spot(tmp_path):
    _, store = answered(tmp_path, LARGE)
    named = payload.reference(store.put(b"x"), 1, payload.TEXT)
    assert answered(tmp_path, {"a": 1}, {"in": named})[0] is None


def test_many_small_texts_are_put_away_as_one(tmp_path):
    many = ["y" * 1000] * 6000
    outcome, store, _ = performed(tmp_path, many)
    digest, form = payload.parts_of(outcome.output)
    assert form == "json"
    assert json.loads(store.get(digest)) == many


def test_a_request_gets_the_content_of_what_it_names(tmp_path):
    first, store, _ = performed(tmp_path, LARGE)
    many = payload.reference(store.put(b"[1, 2]"), 6, "json")
    _, _, seen = performed(tmp_path, "ok", {"stdin": first.output, "all": [many]})
    assert seen == [{"stdin": LARGE, "all": [[1, 2]]}]


def test_a_secret_does_not_get_into_a_file(tmp_path):
    outcome, store, _ = performed(tmp_path, "hunter2 " + LARGE, vault=FakeVault({"word": "hunter2"}))
    assert b"hunter2" not in store.get(payload.parts_of(outcome.output)[0])


def test_a_name_that_comes_from_outside_is_refused(tmp_path):
    forged = payload.reference("1" * 64, 5, "text")
    outcome, _, _ = performed(tmp_path, {"answer": [forged]})
    assert isinstance(outcome, Broken)
    assert outcome.fault.title == "Reserved Name"


@pytest.mark.parametrize(("harm", "code"), [("unlink", "E5070"), ("truncate", "E5071")])
def test_content_that_is_gone_or_damaged_is_a_refusal_that_names_run_and_place(tmp_path, harm, code):
    first, store, _ = performed(tmp_path, LARGE)
    path = store.path(payload.parts_of(first.output)[0])
    if harm == "unlink":
        path.unlink()
    else:
        path.write_bytes(b"")
    with pytest.raises(Refusal, match=rf"{code}.*of run `r1` at `/do/0/make`"):
        performed(tmp_path, "ok", {"stdin": first.output})


class Late(LargeValues):
    """A planted fault: the fact comes before the file."""

    async def perform(self, order):
        outcome = await self.performer.perform(order)
        if isinstance(outcome, Done) and outcome.output == LARGE:
            return Done(payload.reference("f" * 64, len(LARGE), "text"))
        return outcome


class Life:
    """A run whose first step gives a large value, lived through deaths."""

    def __init__(self, folder, kind, *deaths):
        self.store, self.kind = Payloads(str(folder)), kind
        self.fuse, self.disk, self.world = Fuse(*deaths), MemoryDisk(), World()
        self.clock = VirtualClock(0.0)

    def live(self):
        while True:
            try:
                return asyncio.run(asyncio.wait_for(self.life(), 60))
            except Crash:
                self.check()
                self.fuse.revive()

    async def life(self):
        store = FusedStore(MemoryStore(self.disk), self.fuse)
        rules = (Rule(position="*make", answers=(Done(LARGE),)), Rule(answers=(Done("ok"),)))
        inner = ScriptedPerformer(*rules, world=self.world, fuse=self.fuse, clock=self.clock)
        performer = self.kind(inner, self.store, FakeVault())
        effects = Effects({"shell": performer}, ScriptedOracle(), FakeVault(), self.clock)
        engine = Engine(store, store, effects, TOOLS, self.clock)
        await engine.open()
        try:
            await engine.start(Start("r1", document(TWO), None, {"doubt": "repeat"}))
            return await engine.wait("r1")
        finally:
            await engine.close()

    def check(self):
        """No fact is without its file."""
        facts = asyncio.run(MemoryStore(self.disk).read("r1"))
        for digest in payload.referenced(facts):
            assert self.store.get(digest).decode() == LARGE


def calm_places(tmp_path):
    life = Life(tmp_path / "calm", LargeValues)
    assert life.live().output == "ok"
    life.check()
    return range(1, len(life.fuse.places) + 1)


def test_wherever_the_engine_dies_no_fact_is_without_its_file(tmp_path):
    for place in calm_places(tmp_path):
        life = Life(tmp_path / str(place), LargeValues, place)
        assert life.live().output == "ok"
        life.check()
        assert life.store.sweep(payload.referenced([]), young_seconds=0) == len(LARGE)


def test_a_fact_before_its_file_is_caught(tmp_path):
    def everywhere():
        for place in calm_places(tmp_path):
            Life(tmp_path / f"late{place}", Late, place).live()

    with pytest.raises((Refusal, AssertionError)):
        everywhere()
