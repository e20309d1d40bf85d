"""Runs leave a database through the fence of their shard, and nobody is surprised by it."""

import asyncio
import time
from dataclasses import replace

import pytest

from contracts.facts import begin, done
from databases.inside import QUICK, member, program
from dirigent.app.databases.keeping import keeping
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Created, Ended
from dirigent.model.run.retention import Pruned, Retention
from dirigent.model.run.start import Start
from dirigent.settings import DatabaseUrl
from dirigent.stores import codec, retention
from dirigent.stores.postgres import Database, PostgresStore
from dirigent.stores.postgres.keeping.archive import BesideWork, PostgresArchive
from dirigent.stores.postgres.session.statements import SQL
from stores.samples import AT, PROGRAM, code_of, in_loop

pytestmark = pytest.mark.slow

ALL = Retention(runs=0)


async def opened(url, owner="test", shards=(0,)):
    database = await Database.opened(DatabaseUrl(url), owner)
    fences = await database.leases.seize(shards)
    return database, [PostgresStore(database, fence) for fence in fences]


async def refused(waiting):
    with pytest.raises(Refusal) as caught:
        await waiting
    return code_of(caught)


async def ended(store, run, at=AT):
    await begin(store, run)
    await store.append(run, 1, [done(), Ended(at, "completed")])


@in_loop
async def test_a_past_owner_removes_nothing(server):
    url = server.fresh()
    old, (store,) = await opened(url, "old")
    await ended(store, "r")
    new, (fresh,) = await opened(url, "new")
    assert await refused(store.prune(["r"])) == "E5002"
    assert len(await fresh.read("r")) == 3
    assert await BesideWork(store.archive).prune(["r"]) == Pruned()
    assert await fresh.prune(["r"]) == Pruned(1, 3)
    await old.close()
    await new.close()


@in_loop
async def test_without_the_token_a_past_owner_would(server, monkeypatch):
    url = server.fresh()
    old, (store,) = await opened(url, "old")
    await ended(store, "r")
    new, (fresh,) = await opened(url, "new")
    check = "s.id = $1 and s.token = $2 for share"
    assert check in SQL["prune"]
    planted = SQL["prune"].replace(check, "s.id = $1 and $2::bigint is not null for share")
    monkeypatch.setitem(SQL, "prune", planted)
    assert await store.prune(["r"]) == Pruned(1, 3)
    assert await fresh.read("r") == []
    await old.close()
    await new.close()


@in_loop
async def test_each_owner_removes_those_of_its_own_shards_among_the_oldest_of_all(server):
    database, stores = await opened(server.fresh(), shards=(0, 1))
    for number in range(6):
        await ended(stores[number % 2], f"r{number}", AT + number)
    everywhere = Retention(runs=2)
    assert [await store.prunable(everywhere, AT, 9) for store in stores] == [["r0", "r2"], ["r1", "r3"]]
    both = PostgresArchive(database, lambda: [store.fence for store in stores])
    assert await both.prunable(everywhere, AT, 3) == ["r0", "r1", "r2"]
    assert (await retention.prune(both, everywhere, AT)).runs == 4
    assert {run.id for run in await PostgresStore(database).runs()} == {"r4", "r5"}
    await database.close()


@in_loop
async def test_a_run_that_went_on_and_ended_again_is_as_old_as_its_last_end(server):
    database, (store,) = await opened(server.fresh())
    await ended(store, "r", AT)
    old = Retention(completed=10.0)
    assert await store.prunable(old, AT + 20, 9) == ["r"]
    # As an engine of an earlier release leaves it, which knows of no such column.
    server.sql(f"update dirigent.runs set ended_at = {AT - 999}", database.url.text)
    assert await store.prunable(old, AT + 5, 9) == []
    assert await store.prunable(old, AT + 20, 9) == ["r"]
    await database.close()


@in_loop
async def test_what_cannot_be_read_is_kept_and_keeps_nobody_from_going(server):
    database, (store,) = await opened(server.fresh())
    await ended(store, "good")
    await ended(store, "bad")
    server.sql("update dirigent.runs set standing = 'rubbish' where id = 'bad'", database.url.text)
    assert await store.prunable(Retention(completed=0.0), AT + 9, 9) == ["good"]
    assert server.sql("select ended_at from dirigent.runs where id = 'bad'", database.url.text) == "Infinity"
    await database.close()


@in_loop
async def test_definitions_go_unless_a_run_or_a_wish_names_them_or_they_are_young(server):
    url = server.fresh()
    database, (store,) = await opened(url)
    used = await begin(store, "r")
    wished = await store.keep(replace(PROGRAM, name="wished"))
    unused = await store.keep(replace(PROGRAM, name="unused"))
    await database.links[0].fetch(
        SQL["wish"], "k", 0, "w", "start", codec.encode_fact(Created(AT, wished, None))
    )
    await store.archive.drop_unused()
    assert (await store.definition(unused)).name == "unused"
    await store.archive.drop_unused(-60.0)
    again = await Database.opened(DatabaseUrl(url), "another")
    for digest in (used, wished):
        assert await PostgresStore(again).definition(digest)
    assert await refused(PostgresStore(again).definition(unused)) == "E5004"
    await again.close()
    await database.close()


@in_loop
async def test_who_starts_a_pruned_run_again_is_not_told_of_the_old_one(server, tmp_path):
    url = server.fresh()
    quick = program(tmp_path, QUICK)
    async with member(url) as engine, member(url, engine=False) as client:
        start = Start("again", quick, {"n": 1})
        await client.conductor.start(start)
        await client.conductor.follow("again", lambda *_: None)
        shard = await client.conductor.wishing.place("again")
        while (own := engine.fleet.engine(shard)) is None:
            assert engine.fleet.crew.failure is None
            await asyncio.sleep(0.01)
        assert (await own.journal.prune(["again"])).runs == 1
        assert await client.conductor.shelf.run("again") is None
        await client.conductor.start(start)
        assert (await client.conductor.follow("again", lambda *_: None)).phase == "completed"


@in_loop
async def test_house_is_kept_alone_and_everybody_else_goes_on_afterwards(server, tmp_path):
    url = server.fresh()
    quick = program(tmp_path, QUICK)
    async with member(url) as engine:
        for number in range(8):
            await engine.conductor.start(Start(f"r{number}", quick, {"n": 1}))
            await engine.conductor.wait(f"r{number}")
    async with keeping(DatabaseUrl(url)) as keeper:
        assert await keeper.size() > 0
        assert (await retention.prune(keeper.archive, Retention(runs=3), time.time())).runs == 5
        taken = [Created(AT, await keeper.journal.keep(PROGRAM), None), Ended(AT, "completed")]
        await keeper.archive.take_in("moved", taken)
        await keeper.clear()
    await keeper.compact()
    async with member(url) as engine:
        assert (await engine.conductor.shelf.run("moved")).phase == "completed"
        await engine.conductor.start(Start("last", quick, {"n": 1}))
        assert (await engine.conductor.wait("last")).phase == "completed"
    assert server.sql("select count(*) from dirigent.journal j left join dirigent.runs r on r.number = j.run"
                      " where r.id is null", url) == "0"  # fmt: skip


@in_loop
async def test_house_is_not_kept_while_an_engine_works(server, monkeypatch):
    monkeypatch.setattr("dirigent.app.databases.keeping.SEAT_SECONDS", 0.2)
    url = server.fresh()
    await (await Database.opened(DatabaseUrl(url), "schema")).close()
    living = "insert into dirigent.engines (id, title, until) values ('e', 'e', now() + interval '1 hour')"
    server.sql(living, url)
    with pytest.raises(Refusal) as caught:
        async with keeping(DatabaseUrl(url)):
            pass
    assert code_of(caught) == "E5080"


@in_loop
async def test_a_retention_goes_on_beside_the_work(server):
    database, (store,) = await opened(server.fresh())
    clock = _Clock()
    async with retention.kept(BesideWork(store.archive), Retention(completed=0.0), clock):
        for number in range(3):
            await ended(store, f"r{number}")
            await clock.looked()
            while await store.run(f"r{number}") is not None:
                await clock.looked()
    await database.close()


class _Clock:
    """A clock on which every sleep ends when the test has looked."""

    def __init__(self):
        self.ticks, self._gate = 0, asyncio.Event()

    def now(self):
        return AT + 1e6

    async def sleep_until(self, _at):
        self._gate.clear()
        await self._gate.wait()

    async def looked(self):
        self._gate.set()
        await asyncio.sleep(0.01)
