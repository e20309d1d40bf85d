"""A store is copied from a file to a database and back: whole, verified, and never over another."""

import asyncio
import time

import pytest

from contracts.facts import done
from databases.rig import python
from dirigent.app.databases.copying import copy
from dirigent.model.events.cursor import Cursor
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Created, Ended, Held, ResourceChanged, TimerSet
from dirigent.settings import DatabaseUrl
from dirigent.stores import moving
from dirigent.stores.folder.payloads import Payloads
from dirigent.stores.lock import EngineLock
from dirigent.stores.postgres import Database, PostgresStore
from dirigent.stores.sqlite import SqliteStore
from dirigent.stores.sqlite.moving import SqliteSource, SqliteTarget
from stores.samples import AT, FACTS, PAY, PLAN, PROGRAM, code_of, in_loop, row

ADDRESSES = ("api", "db")


async def filled(folder, runs=30):
    """Make a store with a bit of everything, and return its path."""
    path = str(folder / "dirigent.db")
    store = SqliteStore.open_for_writing(path)
    digest = await store.keep(PROGRAM)
    await store.keep_plan(PLAN)
    for n in range(runs):
        run = f"run-{n}"
        await store.append(run, 0, [Created(AT + n, digest, {"n": n}), *FACTS[1:-1]], AT + 9)
        length = len(FACTS) - 1
        size = 40_000 if n % 7 == 0 else n
        await store.append(run, length, [done(1, "x" * size), ResourceChanged(AT + n, "api", row(by=run))])
        if n % 3 == 0:
            await store.append(run, length + 2, [Ended(AT, "completed", n)])
        elif n % 3 == 1:
            await store.append(run, length + 2, [Held(AT, PAY, 9, "?"), TimerSet(AT, PAY, 9, "wait", AT)], AT)
    told = [{"specversion": "1.0", "id": f"{n}", "source": "/x", "type": "t"} for n in range(5)]
    await store.log.take_events([(AT, event) for event in told])
    await store.log.forget(AT + 1, 4)  # So that places and counts are not the same.
    await store.log.take_events([(AT, {**event, "source": "/y"}) for event in told])
    places = [(0, 0), *(each.place for each in await store.log.events(0.0, (0, 0), 99))]
    for n in (0, 2, 5):
        await store.log.keep_cursor(Cursor(f"sink-{n}", places[n], (f"{n}.*",)))
    await store.close()
    return path


async def view(store):
    """Return everything that can be asked of a store."""
    runs = await store.runs(limit=1000)
    return (
        sorted(runs, key=lambda run: run.id),
        [await store.read(run.id) for run in runs],
        [await store.definition(run.definition) for run in runs],
        await store.wakings((-1.0, ""), 1000),
        await store.rows(),
        [await store.history(address) for address in ADDRESSES],
        await store.plan(PLAN.id),
        [(each.sink, each.types, await waiting(store, each)) for each in await store.log.cursors()],
    )


async def waiting(store, cursor):
    """Return the events that wait for a sink."""
    found = await store.log.events(0.0, cursor.place, 99)
    return [(each.event["source"], each.event["id"]) for each in found]


@pytest.mark.slow
@in_loop
async def test_there_and_back_again_everything_is_the_same(server, tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    after.mkdir()
    path, url = await filled(before), server.fresh()
    told = await copy(str(before), url)
    assert (told.counts["runs"], told.counts["plans"], told.counts["rows"]) == (30, 1, 1)
    original = SqliteStore.open_for_reading(path)
    expected = await view(original)
    await original.close()
    database = await Database.opened(DatabaseUrl(url), "test")
    assert await view(PostgresStore(database)) == expected
    await database.close()
    assert (await copy(url, str(after))).digests == told.digests
    back = SqliteStore.open_for_writing(str(after / "dirigent.db"))
    assert await view(back) == expected
    await back.append("run-2", len(await back.read("run-2")), [Ended(AT, "completed")])
    await back.close()


@pytest.mark.slow
@in_loop
async def test_a_copied_store_goes_on(server, tmp_path):
    await filled(tmp_path, runs=3)
    url = server.fresh()
    await copy(str(tmp_path), url)
    database = await Database.opened(DatabaseUrl(url), "test")
    for fence in await database.leases.seize(range(16)):
        store = PostgresStore(database, fence)
        for run in await store.runs(only_open=True):
            await store.append(run.id, run.facts, [done(7), Ended(AT, "completed")])
    assert {run.phase for run in await PostgresStore(database).runs()} == {"completed"}
    await database.close()


@pytest.mark.slow
@in_loop
async def test_what_cannot_be_copied_is_refused_and_nothing_is_made(server, tmp_path):
    source, empty = tmp_path / "source", tmp_path / "empty"
    source.mkdir()
    empty.mkdir()
    await filled(source, runs=1)
    url = server.fresh()
    await copy(str(source), url)
    for words, code in (
        ((str(source), url), "E5051"),
        ((url, str(source)), "E5051"),
        ((str(empty), server.fresh()), "E5054"),
        ((server.fresh(), str(empty)), "E5054"),
        ((str(source), "postgresql://nobody@127.0.0.1:1/x"), "E5041"),
    ):
        with pytest.raises(Refusal) as caught:
            await copy(*words)
        assert code_of(caught) == code
    database = await Database.opened(DatabaseUrl(url), "engine")
    await database.leases.renew([])
    with pytest.raises(Refusal) as caught:
        await copy(url, str(empty))
    assert code_of(caught) == "E5052"
    await database.close()
    with EngineLock.try_take(str(source / "engine.lock")), pytest.raises(Refusal) as caught:
        await copy(str(source), server.fresh())
    assert code_of(caught) == "E5052"
    assert not (empty / "dirigent.db").exists()


@in_loop
async def test_large_values_go_along_to_a_folder(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    await filled(source, runs=1)
    digest = Payloads(str(source / "payloads")).put(b"large")
    assert (await copy(str(source), str(target))).counts["runs"] == 1
    assert Payloads(str(target / "payloads")).get(digest) == b"large"


@pytest.mark.slow
@in_loop
async def test_large_values_go_along_to_a_database_and_back(server, tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    await filled(source, runs=1)
    digest = Payloads(str(source / "payloads")).put(b"large")
    url, second = server.fresh(), server.fresh()
    await copy(str(source), url)
    await copy(url, second)
    await copy(second, str(target))
    assert Payloads(str(target / "payloads")).get(digest) == b"large"


@in_loop
async def test_a_copy_that_differs_is_not_kept(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    path = await filled(source, runs=4)

    class Forgetful(SqliteTarget):
        """Loses the last fact of each run."""

        async def put_runs(self, runs):
            await super().put_runs([moving.MovedRun(run.standing, run.facts[:-1]) for run in runs])

    made = Forgetful(str(target / "dirigent.db"))
    there = SqliteSource(path)
    with pytest.raises(Refusal) as caught:
        await moving.copied(there, made)
    assert code_of(caught) == "E5053"
    made.close()
    there.close()
    assert not (target / "dirigent.db").exists()
    again, there = SqliteTarget(str(target / "dirigent.db")), SqliteSource(path)
    assert (await moving.copied(there, again)).counts["runs"] == 4
    there.close()
    assert (target / "dirigent.db").exists()


@pytest.mark.slow
def test_a_copy_that_is_killed_is_begun_anew(server, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    asyncio.run(filled(source, runs=200))
    url = server.fresh()
    for target in (url, str(tmp_path / "target")):
        killed = python("-m", "dirigent", "store", "copy", str(source), target)
        time.sleep(0.6)  # somewhere in the middle; wherever it is, the next one must not mind
        killed.kill()
        killed.communicate(timeout=60)
        if killed.returncode == 0:
            continue
        done_ = python("-m", "dirigent", "store", "copy", str(source), target)
        said, _ = done_.communicate(timeout=60)
        assert done_.returncode == 0, said
        assert "200  runs" in said
        assert "the same" in said
