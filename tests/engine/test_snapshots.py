"""Long journals are not folded from their beginning: a snapshot and the facts after it do."""

import asyncio
import itertools
import operator

import pytest

from dirigent.engine import memory
from dirigent.engine.snapshots import plain as snapshot
from dirigent.model import limits
from dirigent.model.run.effect import Done
from dirigent.model.run.journal import Intended
from dirigent.model.run.start import Start
from dirigent.testing import MemoryStore, Rule
from engine.harness import calm_life, die_everywhere, living, rounds
from engine.workflows import OPEN, SCENARIOS, an_apply, outside_of, scenario

LOOP = (
    "do: [{all: {for: {in: '${ [range(12)] }'}, do: [{call: {run: {shell: {command: call}}}}]}}, "
    "{nap: {wait: {seconds: 100}}}, {last: {set: {got: '${ . }'}}}]"
)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(limits, "SNAPSHOT_FACTS", 4)
    monkeypatch.setattr(limits, "SNAPSHOT_OBJECTS", 1_000)


async def asleep(engine, outside):
    with outside.clock.hold():
        await engine.start(Start("run-1", outside.case.program))
        while len(engine._memory):
            await rounds(1)


def test_a_run_is_recalled_by_its_snapshot_and_what_came_after():
    outside = outside_of(LOOP, Rule(answers=(Done("ok"),)))
    living(lambda engine: asleep(engine, outside), outside)
    (past,) = asyncio.run(MemoryStore(outside.disk).recall(["run-1"]))
    assert past.position > 15
    assert len(past.facts) < 8
    assert living(lambda engine: engine.wait("run-1"), outside).output == {"got": "ok"}
    assert (
        len(
            [
                fact
                for fact in asyncio.run(MemoryStore(outside.disk).read("run-1"))
                if isinstance(fact, Intended)
            ]
        )
        == 12
    )


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x94\x63\xa1d\x90\x90", b"\x94\x01\xa1d\x90\x90"])
def test_a_snapshot_that_is_not_understood_is_ignored_and_the_journal_read(content):
    outside = outside_of(LOOP, Rule(answers=(Done("ok"),)))
    living(lambda engine: asleep(engine, outside), outside)
    position, _ = outside.disk.snapshots["run-1"]
    outside.disk.snapshots["run-1"] = (position, content)
    assert living(lambda engine: engine.wait("run-1"), outside).output == {"got": "ok"}


WIDE = (
    "do: [{all: {fork: {branches: ["
    + ", ".join(f"{{b{number}: {{run: {{shell: {{command: call}}}}}}}}" for number in range(8))
    + "]}}}, {nap: {wait: {seconds: 100}}}]"
)


@pytest.mark.parametrize(("asks", "expected"), [(50, True), (1, False)])
def test_a_run_that_wants_much_at_once_is_written_down_less_often(asks, expected, monkeypatch):
    monkeypatch.setattr(limits, "SNAPSHOT_ASKS", asks)
    outside = outside_of(WIDE, Rule(answers=(Done("ok"),)))
    written = []
    monkeypatch.setattr(
        memory,
        "capture",
        lambda run, numbers: written.append(len(run.asks)) or snapshot.capture(run, numbers),
    )
    living(lambda engine: asleep(engine, outside), outside)
    assert any(wanted > 4 for wanted in written) is expected
    assert written


LONG = """
do: [{all: {for: {in: '${ [range(100)] }'}, do: [{call: {run: {shell: {command: call}},
    export: {as: '${ (. as $got | ($context // []) + [$got]) }'}}}]}}, {nap: {wait: {seconds: 100}}}]
"""


@pytest.mark.parametrize("objects", [1, 1_000])
def test_a_run_that_grows_is_written_down_at_growing_distances(objects, monkeypatch):
    monkeypatch.setattr(limits, "SNAPSHOT_OBJECTS", objects)
    outside = outside_of(LONG, Rule(answers=(Done({"got": ["ok"]}),)))
    written = []

    def captured(run, numbers):
        plain = snapshot.capture(run, numbers)
        written.append((run.facts, snapshot.weight_of(plain)))
        return plain

    monkeypatch.setattr(memory, "capture", captured)
    living(lambda engine: asleep(engine, outside), outside)
    distances = [then - first for (first, _), (then, _) in itertools.pairwise(written)]
    held = [weight for _, weight in written]
    assert len(written) > 2, written
    assert all(map(operator.ge, distances, held)) is (objects == 1), written


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - OPEN))
def test_with_snapshots_a_crash_anywhere_changes_nothing_either(name, monkeypatch):
    die_everywhere(scenario(name, monkeypatch))


@pytest.mark.slow
def test_nor_does_it_in_an_apply():
    die_everywhere(an_apply(), second=(1, 3))


@pytest.mark.slow
def test_a_snapshot_that_forgets_where_a_loop_is_is_caught(monkeypatch):
    made = snapshot._Writing._written

    def forgetful(self, value):
        form = made(self, value)
        if form[0] == "LoopState":
            form[snapshot._FIELDS["LoopState"].index("index") + 1] = 0
        return form

    monkeypatch.setattr(snapshot._Writing, "_written", forgetful)
    case = outside_of(LOOP, Rule(answers=(Done("ok"),))).case
    assert calm_life(case).ended.output == {"got": "ok"}
    with pytest.raises((AssertionError, TimeoutError)):
        die_everywhere(case)
