"""The contract of an archive: what has ended goes when its time is over, whole, and nothing else."""

from dataclasses import replace

import pytest

from contracts.conftest import Postgres, Sqlite
from contracts.facts import begin, done
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Created, Ended, ResourceChanged
from dirigent.model.run.retention import Pruned, Retention
from stores.samples import AT, PLAN, PROGRAM, code_of, in_loop, row

DAY = 86_400.0


LARGE = "x" * (limits.PAYLOAD_INLINE_BYTES + 1)


async def ended(store, run, at=AT, phase="completed", **more):
    await begin(store, run, **more)
    await store.append(
        run, 1, [done(), Ended(at, phase, None, Fault("urn:t", 500) if phase == "faulted" else None)]
    )


async def some_runs(store):
    for number in range(4):
        await ended(store, f"done-{number}", AT + number * DAY)
    await ended(store, "bad", AT, "faulted")
    await ended(store, "stopped", AT, "cancelled")
    await begin(store, "open")


@in_loop
async def test_each_way_to_end_has_an_age_of_its_own(store):
    await some_runs(store)
    now = AT + 3 * DAY + 1

    async def found(**policy):
        return set(await store.prunable(Retention(**policy), now, 99))

    assert await found(completed=2 * DAY) == {"done-0", "done-1"}
    assert await found(completed=0.0) == {"done-0", "done-1", "done-2", "done-3"}
    assert await found(failed=DAY) == {"bad"}
    assert await found(cancelled=3 * DAY) == {"stopped"}
    assert await found(completed=9 * DAY, failed=9 * DAY) == set()
    assert await found() == set()


@in_loop
async def test_of_too_many_the_oldest_go_and_no_more_than_asked_for(store):
    await some_runs(store)
    assert await store.prunable(Retention(runs=6), AT, 99) == []
    left = await store.prunable(Retention(runs=2), AT, 99)
    assert set(left) == {"done-0", "bad", "stopped", "done-1"}
    assert left[-1] == "done-1"
    assert len(await store.prunable(Retention(runs=0), AT, 3)) == 3
    assert len(await store.prunable(Retention(completed=0.0), AT + 9 * DAY, 2)) == 2


@in_loop
async def test_a_run_goes_whole_and_the_others_stay_as_they_were(store):
    await some_runs(store)
    await store.append("open", 1, [done(n, n) for n in range(700)])
    await ended(store, "last", AT)
    before = {run.id: await store.read(run.id) for run in await store.runs(limit=99)}
    gone = ["done-1", "bad", "last"]
    assert await store.prune(gone) == Pruned(3, 9)
    assert {run.id for run in await store.runs(limit=99)} == before.keys() - set(gone)
    for run, facts in before.items():
        assert await store.read(run) == ([] if run in gone else facts)
    assert await store.run("bad") is None
    await store.append("open", 701, [done()])
    await begin(store, "bad")
    assert len(await store.read("bad")) == 1


@in_loop
async def test_what_is_open_or_unknown_is_never_removed(store):
    await begin(store, "open")
    assert await store.prune(["open", "nobody"]) == Pruned()
    assert len(await store.read("open")) == 1


@in_loop
async def test_a_child_is_kept_while_its_parent_is_open(store):
    await begin(store, "parent")
    await ended(store, "child", parent="parent")
    everything = Retention(completed=0.0, runs=0)
    assert await store.prunable(everything, AT + DAY, 9) == []
    await store.append("parent", 1, [Ended(AT, "completed")])
    assert set(await store.prunable(everything, AT + DAY, 9)) == {"parent", "child"}


@in_loop
async def test_large_payloads_go_with_the_last_fact_that_names_them(store):
    for run in ("a", "b"):
        await begin(store, run)
        await store.append(run, 1, [done(1, LARGE), done(1, LARGE + run), Ended(AT, "completed")])
    removed = await store.prune(["a"])
    assert removed.blobs in {0, 1}  # In memory there are none.
    assert [fact.output for fact in (await store.read("b"))[1:3]] == [LARGE, LARGE + "b"]
    again = await store.prune(["b"])
    assert again.blobs in {0, 2}


@in_loop
async def test_the_history_of_resources_and_definitions_stay(store):
    digest = await begin(store, "r")
    await store.append("r", 1, [ResourceChanged(AT, "db", row("db")), Ended(AT, "completed")])
    await store.prune(["r"])
    assert await store.rows() == [row("db")]
    assert [run for _, run, _ in await store.history("db")] == ["r"]
    assert await store.definition(digest) == PROGRAM


@pytest.mark.slow
@in_loop
async def test_after_pruning_a_reopened_store_goes_on_where_it_was(place):
    store = place.open()
    for number in range(30):
        await ended(store, f"r{number}", AT + number)
    while runs := await store.prunable(Retention(runs=0), AT, 7):
        await store.prune(runs)
    await store.close()
    store = place.open()
    assert await store.runs() == []
    await some_runs(store)
    assert len(await store.runs()) == 7


@in_loop
async def test_a_run_from_elsewhere_comes_whole_and_changes_nothing_else(store):
    digest = await store.keep(PROGRAM)
    journal = [
        Created(AT, digest, {"order": 7}),
        ResourceChanged(AT, "db", row("db")),
        done(1, LARGE),
        Ended(AT, "completed"),
    ]
    await store.take_in("moved", journal)
    assert await store.read("moved") == journal
    assert (await store.run("moved")).phase == "completed"
    assert await store.rows() == []
    assert await store.history("db") == []
    with pytest.raises(Refusal) as caught:
        await store.take_in("moved", journal)
    assert code_of(caught) == "E5001"
    await store.take_in("open", journal[:1])
    await store.append("open", 1, [done(), Ended(AT, "completed")])


@pytest.fixture(params=[Sqlite, pytest.param(Postgres, marks=pytest.mark.slow)], ids=["sqlite", "postgres"])
def lasting(request, tmp_path):
    """A store whose time is that of the world; a store in memory knows none."""
    place = request.param(tmp_path if request.param is Sqlite else request.getfixturevalue("server"))
    yield place.open()
    place.close()


@in_loop
async def test_a_plan_goes_when_it_is_old_and_its_program_is_not_stored_any_more(lasting):
    applied, other = replace(PLAN, id="a" * 12), replace(PLAN, id="b" * 12)
    for plan in (applied, other):
        await lasting.keep_plan(plan)
    digest = await lasting.keep(replace(PROGRAM, kind="apply", version=applied.id))
    await lasting.append("apply", 0, [Created(AT, digest, None), Ended(AT, "completed")])
    await lasting.forget_plans(3_600.0)
    assert await lasting.plan(other.id) == other
    await lasting.forget_plans(-60.0)
    assert await lasting.plan(other.id) is None
    assert await lasting.plan(applied.id) == applied
    await lasting.keep_plan(other)
    assert await lasting.plan(other.id) == other


@in_loop
async def test_a_plan_that_is_kept_again_is_young_again(lasting):
    await lasting.keep_plan(PLAN)
    await lasting.keep_plan(PLAN)
    await lasting.forget_plans(3_600.0)
    assert await lasting.plan(PLAN.id) == PLAN
