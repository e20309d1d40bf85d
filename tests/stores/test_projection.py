"""The rows beside the journal are a function of its facts, and every store uses the same one."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.test_store import PHASES
from dirigent.model.fault import Fault
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import (
    Abandoned,
    CancelRequested,
    Created,
    Ended,
    Held,
    Repeated,
    ResourceChanged,
    Resumed,
    Skipped,
    Succeeded,
    Suspended,
    TimerFired,
    TimerSet,
    Vouched,
)
from dirigent.ports import NEVER
from dirigent.stores import projection
from dirigent.stores.projection import Title, project
from dirigent.stores.sqlite import SqliteStore
from dirigent.testing import MemoryStore
from stores.samples import AT, PAY, PROGRAM, row

TITLE = Title("place-order", "workflow")
CREATED = Created(AT, "f" * 40, None)


def phase_of(facts):
    return project("r", None, [CREATED, *facts], TITLE).standing.shown_phase()


def assert_phases():
    for facts, phase in PHASES:
        assert phase_of(facts) == phase


def test_the_phase_follows_the_facts():
    assert_phases()


@pytest.mark.parametrize("forgotten", [Held, Suspended, Resumed, CancelRequested, Ended])
def test_a_projection_that_passes_over_a_kind_of_fact_is_caught(monkeypatch, forgotten):
    monkeypatch.setattr(projection, "QUIET", projection.QUIET | {forgotten})
    with pytest.raises(AssertionError):
        assert_phases()


def test_a_projection_that_counts_holds_instead_of_naming_them_is_caught(monkeypatch):
    monkeypatch.setattr(projection, "_without", lambda held, position: held[1:])
    with pytest.raises(AssertionError):
        assert_phases()


def test_a_fact_that_changes_nothing_gives_the_very_same_standing():
    before = project("r", None, [CREATED], TITLE).standing
    after = project("r", before, [Succeeded(AT, PAY, 1, None), TimerSet(AT, PAY, 1, "wait", AT)], None)
    assert after.standing is before


def test_folding_at_once_and_step_by_step_agree():
    for facts, _ in PHASES:
        standing = None
        for fact in [CREATED, *facts]:
            standing = project("r", standing, [fact], TITLE).standing
        assert standing == project("r", None, [CREATED, *facts], TITLE).standing


def test_when_a_run_wakes_is_part_of_how_it_stands_until_it_ends():
    awake = project("r", None, [CREATED], TITLE).standing
    asleep = project("r", awake, [], None, AT).standing
    assert (awake.wake_at, awake.resting, asleep.wake_at, asleep.resting) == (0.0, False, AT, True)
    assert project("r", asleep, [], None, AT).standing is asleep
    ended = project("r", asleep, [Ended(AT, "completed")], None, AT).standing
    assert (ended.wake_at, ended.resting) == (None, True)


runs = st.sampled_from(["a", "b"])
positions = st.sampled_from(["/p", "/q"])
facts = st.one_of(
    st.builds(Held, st.just(AT), positions, st.just(1), st.just("?")),
    st.builds(Vouched, st.just(AT), positions, st.just(1), st.none()),
    st.builds(Repeated, st.just(AT), positions, st.just(1)),
    st.builds(Skipped, st.just(AT), positions, st.just(1)),
    st.builds(Abandoned, st.just(AT), positions, st.just(1)),
    st.builds(Succeeded, st.just(AT), positions, st.just(1), st.sampled_from([None, "x" * 40_000])),
    st.builds(TimerSet, st.just(AT), positions, st.integers(1, 2), st.just("wait"), st.just(AT)),
    st.builds(TimerFired, st.just(AT), positions, st.integers(1, 2), st.just("wait")),
    st.builds(ResourceChanged, st.just(AT), st.sampled_from(["api", "db"]), st.none() | st.just(row())),
    st.sampled_from([CancelRequested(AT), Suspended(AT), Resumed(AT), CREATED, CREATED, CREATED]),
    st.sampled_from([Ended(AT, "faulted", None, Fault("urn:t", 500))]),
)
appends = st.tuples(runs, st.integers(-1, 1), st.lists(facts, max_size=3), st.sampled_from([0.0, 5.0, NEVER]))
groups = st.lists(st.lists(appends | st.just("reopen"), min_size=1, max_size=3), max_size=8)


async def answers(store, group, lengths, digest):
    """Append a group at once; return the code that each append got."""
    waiting = []
    for run, off, some, wake_at in group:
        stored = [replace(fact, definition=digest) if isinstance(fact, Created) else fact for fact in some]
        waiting.append(store.append(run, lengths.get(run, 0) + off * (len(some) % 2), stored, wake_at))
    return [
        answer.problems[0].code if isinstance(answer, Refusal) else answer
        for answer in await asyncio.gather(*waiting, return_exceptions=True)
    ]


async def view(store):
    """Return everything that can be asked of a store."""
    return (
        await store.runs(),
        await store.runs(only_open=True),
        [await store.read(run) for run in "ab"],
        await store.rows(),
        [await store.history(address) for address in ("api", "db")],
        await store.wakings((-1.0, ""), 9),
        await store.recall(["b", "a"]),
        [await store.read(run, 2) for run in "ab"],
    )


@pytest.mark.slow
def test_whatever_is_done_both_stores_answer_and_show_the_same():
    @settings(derandomize=True, deadline=None, max_examples=80)
    @given(groups)
    def check(groups):
        asyncio.run(compare(groups))

    check()


async def compare(groups):
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "dirigent.db")
        sqlite, memory = SqliteStore.open_for_writing(path), MemoryStore()
        for group in groups:
            if "reopen" in group:
                sqlite.abandon()
                sqlite, memory = SqliteStore.open_for_writing(path), MemoryStore(memory.disk)
            digest = await sqlite.keep(PROGRAM)
            assert digest == await memory.keep(PROGRAM)
            lengths = {run.id: run.facts for run in await memory.runs()}
            real = [part for part in group if part != "reopen"]
            ours, theirs = [await answers(store, real, lengths, digest) for store in (sqlite, memory)]
            assert ours == theirs
            assert await view(sqlite) == await view(memory)
        sqlite.abandon()
