"""Sessions break in the middle of statements: each append is stored once; failures have words, no secrets."""

import asyncio
import os

import asyncpg
import pytest

from contracts.facts import begin, done
from dirigent.app.databases import driver as rooms
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import ResourceChanged
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres import Database, PostgresStore
from dirigent.stores.postgres.session import failures
from dirigent.stores.postgres.session.failures import Again, Lost
from stores.samples import AT, code_of, in_loop, row

# So many statements are cut before their answer came.
CUTS = 5

URL = DatabaseUrl("postgresql://shop:s3cret@db.example:5432/shop?password=s3cret&sslmode=require")


def test_a_password_is_never_shown():
    assert str(URL) == "postgresql://shop@db.example:5432/shop?sslmode=require"
    assert "s3cret" not in repr(URL)
    several = DatabaseUrl.parse("postgres://a:s3cret@one:1,two:2/x")
    assert str(several) == "postgres://a@one:1,two:2/x"
    assert str(DatabaseUrl.parse("postgresql:///shop?host=/run/pg")) == "postgresql:///shop?host=%2Frun%2Fpg"


@pytest.mark.parametrize("text", ["mysql://a/b", "postgresql//a/b", "https://db", "postgresql://[::1/x"])
def test_what_is_no_url_of_a_database_is_refused_without_showing_it(text):
    with pytest.raises(Refusal) as caught:
        DatabaseUrl.parse(text.replace("//", "//u:s3cret@"))
    assert code_of(caught) == "E5049"
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (asyncpg.AdminShutdownError("x"), Lost),
        (asyncpg.ConnectionDoesNotExistError("x"), Lost),
        (asyncpg.ReadOnlySQLTransactionError("x"), Lost),
        (asyncpg.TooManyConnectionsError("x"), Lost),
        (asyncpg.InterfaceError("x"), Lost),
        (ConnectionResetError("x"), Lost),
        (TimeoutError(), Lost),
        (asyncpg.DeadlockDetectedError("x"), Again),
        (asyncpg.SerializationError("x"), Again),
        (asyncpg.DiskFullError("x"), "E5048"),
        (asyncpg.InvalidPasswordError("x"), "E5042"),
        (asyncpg.InvalidCatalogNameError("x"), "E5042"),
        (asyncpg.CharacterNotInRepertoireError("x"), "E5045"),
        (asyncpg.UndefinedTableError("x"), "E5047"),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, Exception) else "",
)
def test_each_failure_of_the_driver_has_one_meaning(error, meaning):
    found = failures.of(error, URL)
    if isinstance(meaning, str):
        assert found.problems[0].code == meaning
        assert found.problems[0].help
        assert "s3cret" not in str(found)
    else:
        assert isinstance(found, meaning)


def test_without_the_driver_the_remedy_is_said(monkeypatch):
    monkeypatch.setattr(rooms, "find_spec", lambda _: None)
    with pytest.raises(Refusal) as caught:
        rooms.room("dirigent.app.databases.cluster")
    assert code_of(caught) == "E5040"
    assert "dirigent[postgresql]" in caught.value.problems[0].help[0]


@in_loop
async def test_a_server_that_is_not_there_is_a_refusal_without_the_password():
    with pytest.raises(Refusal) as caught:
        await Database.opened(DatabaseUrl("postgresql://a:s3cret@127.0.0.1:1/x"), "test", patience_seconds=0)
    assert code_of(caught) == "E5041"
    assert "s3cret" not in str(caught.value)


@pytest.mark.slow
@in_loop
async def test_a_database_that_is_not_there_is_a_refusal_at_once(server):
    with pytest.raises(Refusal) as caught:
        await Database.opened(DatabaseUrl(server.url("nowhere")), "test")
    assert code_of(caught) == "E5042"


async def writing(url, patience=30.0):
    database = await Database.opened(DatabaseUrl(url), f"test-{os.getpid()}", patience_seconds=patience)
    (fence,) = await database.leases.seize([0])
    return database, fence, PostgresStore(database, fence)


@pytest.mark.slow
@in_loop
async def test_a_text_that_cannot_be_stored_is_refused_alone(server):
    database, _, store = await writing(server.fresh())
    for run in ("a", "b", "c"):
        await begin(store, run)
    answers = await asyncio.gather(
        store.append("a", 1, [done()]),
        store.append("b", 1, [ResourceChanged(AT, "no\0body", row())]),
        store.append("c", 1, [done()]),
        return_exceptions=True,
    )
    assert [answer and answer.problems[0].code for answer in answers] == [None, "E5045", None]
    assert [len(await store.read(run)) for run in ("a", "b", "c")] == [2, 1, 2]
    await database.close()


@pytest.mark.slow
@in_loop
async def test_sessions_that_are_cut_again_and_again_neither_lose_nor_repeat_an_append(server):
    url = server.fresh()
    database, fence, store = await writing(url)
    runs = [f"r{n}" for n in range(20)]
    for run in runs:
        await begin(store, run)
    cutting = asyncio.ensure_future(cut(url, fence))
    length = 1
    while not cutting.done():
        await asyncio.gather(*(store.append(run, length, [done(length)]) for run in runs))
        length += 1
    await cutting
    for run in runs:
        assert [fact.attempt for fact in (await store.read(run))[1:]] == list(range(1, length))
    await database.close()


async def cut(url, fence):
    """End the writing sessions of a store while they write, until its owner has recovered so many times."""
    session = await asyncpg.connect(url)
    token, until = fence.token, fence.token + CUTS
    while fence.token < until:
        await session.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where state = 'active'"
            " and pid <> pg_backend_pid() and query like 'with own%' and datname = current_database()"
        )
        await asyncio.sleep(0.005 if fence.token == token else 0.05)
        token = fence.token
    await session.close()


@pytest.mark.slow
@in_loop
async def test_who_lost_the_shard_while_the_session_was_cut_writes_nothing(server):
    url = server.fresh()
    database, _, store = await writing(url)
    await begin(store)
    other = await Database.opened(DatabaseUrl(url), "other")
    (theirs,) = await other.leases.seize([0])
    database.links[1]._drop()
    with pytest.raises(Refusal) as caught:
        await store.append("r", 1, [done()])
    assert code_of(caught) == "E5002"
    await PostgresStore(other, theirs).append("r", 1, [done()])
    assert len(await store.read("r")) == 2
    await database.close()
    await other.close()


@pytest.mark.slow
@in_loop
async def test_a_lease_that_is_not_renewed_lapses_before_anybody_may_take_it(server):
    url = server.fresh()
    database = await Database.opened(DatabaseUrl(url), "first")
    other = await Database.opened(DatabaseUrl(url), "second")
    (fence,) = await database.leases.take(1)
    store = PostgresStore(database, fence)
    await begin(store)
    assert await other.leases.take(16) != []
    fence.until = 0.0  # as if 60 % of the lease had passed
    with pytest.raises(Refusal) as caught:
        await store.append("r", 1, [done()])
    assert code_of(caught) == "E5002"
    census = await database.leases.renew([fence])
    assert census.engines == 1
    assert fence.lost is not None
    await database.close()
    await other.close()
