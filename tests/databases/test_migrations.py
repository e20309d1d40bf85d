"""The schema grows forwards only, once, and the release before goes on working."""

import asyncio

import pytest

from contracts.facts import begin, done
from dirigent.model.problem import Refusal
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres import Database, PostgresStore
from dirigent.stores.postgres.session import migrating
from dirigent.stores.postgres.session.migrating import Migration
from stores.samples import code_of, in_loop

pytestmark = pytest.mark.slow

OURS = migrating.known()
EXPAND = Migration(
    "alter table runs add column later text; create index runs_later on runs (later);"
    " create table beside (id integer primary key)",
    keeps=len(OURS),
)
CONTRACT = Migration(
    "alter table runs drop column later; alter table runs rename column phase to stage", len(OURS) + 1
)


async def opened(url, *more):
    return await Database.opened(DatabaseUrl(url), "test", migrations=(*OURS, *more))


async def refused(waiting):
    with pytest.raises(Refusal) as caught:
        await waiting
    return code_of(caught)


def test_every_migration_says_which_release_it_keeps_working():
    assert all(migration.keeps >= 1 for migration in OURS)


@in_loop
async def test_many_who_open_a_fresh_database_at_once_make_the_schema_once(server):
    url = server.fresh()
    databases = await asyncio.gather(*(opened(url) for _ in range(8)))
    for database in databases:
        await database.close()
    assert server.sql("select version from dirigent.release", url) == str(len(OURS))
    assert server.sql("select count(*) from dirigent.shards", url) == "16"


@in_loop
async def test_a_release_with_one_migration_less_goes_on_working(server):
    url = server.fresh()
    before = await opened(url)
    (fence,) = await before.leases.seize([0])
    store = PostgresStore(before, fence)
    await begin(store)
    after = await opened(url, EXPAND)
    await store.append("r", 1, [done(1)])  # an engine of the release before, in the middle of its work
    await before.close()
    again = await opened(url)  # and one that starts anew
    (fence,) = await again.leases.seize([0])
    await PostgresStore(again, fence).append("r", 2, [done(2)])
    assert len(await PostgresStore(after).read("r")) == 3
    assert (await PostgresStore(after).run("r")).facts == 3
    await again.close()
    await after.close()


@in_loop
async def test_a_release_that_a_migration_leaves_behind_is_refused_and_changes_nothing(server):
    url = server.fresh()
    await (await opened(url, EXPAND)).close()
    await (await opened(url, EXPAND, CONTRACT)).close()
    assert await refused(opened(url)) == "E5043"
    assert await refused(Database.as_it_is(DatabaseUrl(url), "test")) == "E5043"
    await (await opened(url, EXPAND, CONTRACT)).close()
    assert (
        server.sql("select version, keeps from dirigent.release", url) == f"{len(OURS) + 2}|{len(OURS) + 1}"
    )


@in_loop
async def test_a_migration_that_fails_leaves_the_schema_as_it_was(server):
    url = server.fresh()
    await (await opened(url)).close()
    broken = Migration("create table half (id integer); create table runs (id integer)", 1)
    assert await refused(opened(url, broken)) == "E5047"
    assert server.sql("select to_regclass('dirigent.half') is null", url) == "t"
    assert server.sql("select version from dirigent.release", url) == str(len(OURS))


@in_loop
async def test_the_schema_of_another_program_is_left_alone(server):
    url = server.fresh()
    server.sql("create schema dirigent; create table dirigent.runs (mine text)", url)
    assert await refused(opened(url)) == "E5043"
    assert await refused(Database.as_it_is(DatabaseUrl(url), "test")) == "E5043"


@in_loop
async def test_whoever_only_reads_makes_nothing(server, monkeypatch):
    url = server.fresh()
    assert await Database.as_it_is(DatabaseUrl(url), "test") is None
    assert server.sql("select count(*) from pg_namespace where nspname = 'dirigent'", url) == "0"
    await (await opened(url)).close()
    monkeypatch.setattr(migrating, "known", lambda: (*OURS, EXPAND))
    assert await refused(Database.as_it_is(DatabaseUrl(url), "test")) == "E5043"


@in_loop
async def test_a_database_in_another_encoding_is_refused(server):
    server.sql("create database latin encoding 'LATIN1' template template0 lc_collate 'C' lc_ctype 'C'")
    assert await refused(opened(server.url("latin"))) == "E5046"
