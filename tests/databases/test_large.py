"""Large values in a database: there for every engine, checked, and gone when nothing names them any more."""

import hashlib
import os
import subprocess
import sys

import pytest

from contracts.facts import begin
from dirigent.app.databases import chores
from dirigent.model import limits
from dirigent.model.problem import Refusal
from dirigent.model.run import payload
from dirigent.model.run.journal import Created, Ended, Succeeded
from dirigent.settings import DatabaseUrl
from dirigent.stores.folder.payloads import Payloads
from dirigent.stores.postgres import Database, PostgresStore
from dirigent.stores.postgres.keeping.payloads import PostgresPayloads, sweep
from stores.samples import AT, PAY, in_loop

pytestmark = pytest.mark.slow

OLD = "update dirigent.payloads set put_at = now() - interval '1 day'"
BIG = os.urandom(limits.LARGE_CHUNK_BYTES) + b"and the rest"


@pytest.fixture
def url(server):
    return server.fresh()


@pytest.fixture
def make(server, url):
    """A function that opens the large values of one database; they are closed at the end."""
    opened = []

    async def make_schema():
        await (await Database.opened(DatabaseUrl(url), "schema")).close()

    in_loop(make_schema)()

    def make():
        opened.append(PostgresPayloads(DatabaseUrl(url)))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture(params=["folder", "database"])
def payloads(request, tmp_path):
    if request.param == "folder":
        return Payloads(str(tmp_path / "payloads"))
    return request.getfixturevalue("make")()


@pytest.mark.parametrize("content", [b"small", BIG, BIG[: limits.LARGE_CHUNK_BYTES]], ids=len)
def test_what_was_put_is_what_is_got_under_the_digest_of_its_content(payloads, content):
    digest = payloads.put(content)
    assert digest == hashlib.sha256(content).hexdigest()
    assert payloads.put(content) == digest
    assert payloads.get(digest) == content


def test_what_is_not_there_is_missing(payloads):
    payloads.put(b"another")
    with pytest.raises(Refusal, match=r"E5070.*of run"):
        payloads.get("0" * 64, " of run `r`")


def test_what_one_process_puts_another_gets(make):
    digest = make().put(BIG)
    assert make().get(digest) == BIG


@pytest.mark.parametrize(
    "harm", ["update dirigent.chunks set content = 'x'", "delete from dirigent.chunks where number = 1"]
)
def test_changed_bytes_are_found(server, url, make, harm):
    payloads = make()
    digest = payloads.put(BIG)
    server.sql(harm, url)
    with pytest.raises(Refusal, match="E5071"):
        payloads.get(digest)


def test_nothing_large_is_put_while_an_engine_lives_that_would_not_know_it(server, url, make):
    payloads = make()
    living = "insert into dirigent.engines (id, title, until) values ('old', 'of the release before', "
    server.sql(f"{living} now() + interval '1 hour')", url)
    assert payloads.put(b"large") is None
    assert payloads.stored() == []
    server.sql("update dirigent.engines set until = now()", url)
    assert payloads.put(b"large") is not None


def test_a_put_that_breaks_off_leaves_nothing_and_is_begun_anew(server, url, make):
    payloads = make()
    # The second chunk of any value is refused once: the transaction ends, and the next one begins anew.
    server.sql(
        "create sequence dirigent.tries; create function dirigent.fail()"
        " returns trigger language plpgsql as $$ begin"
        " if new.number = 1 and nextval('dirigent.tries') = 1"
        " then raise exception 'planted' using errcode = '40001'; end if; return new; end $$;"
        " create trigger fails before insert on dirigent.chunks"
        " for each row execute function dirigent.fail()",
        url,
    )
    digest = payloads.put(BIG)
    assert payloads.get(digest) == BIG
    assert server.sql("select last_value from dirigent.tries", url) == "2"


def named_by(digest):
    return {"deep": [{"inside": payload.reference(digest, 5, payload.TEXT)}]}


async def opened(url):
    database = await Database.opened(DatabaseUrl(url), "test")
    (fence,) = await database.leases.seize([0])
    return database, PostgresStore(database, fence)


@in_loop
async def test_what_a_run_names_stays_and_goes_with_the_run(server, url, make):
    payloads = make()
    database, store = await opened(url)
    first, second = payloads.put(b"first"), payloads.put(b"second")
    payloads.put(b"nobody's")
    server.sql(OLD, url)
    definition = await begin(store, "a")
    await store.append("a", 1, [Succeeded(AT, PAY, 1, named_by(first)), Ended(AT, "completed")])
    await store.append("b", 0, [Created(AT, definition, named_by(second))])
    assert await sweep(DatabaseUrl(url)) == len(b"nobody's")
    assert sorted(payloads.stored()) == sorted([first, second])
    await store.prune(["a"])
    assert await sweep(DatabaseUrl(url)) == len(b"first")
    assert payloads.get(second) == b"second"
    await database.close()


@in_loop
async def test_what_is_young_or_wanted_again_stays(server, url, make):
    payloads = make()
    payloads.put(b"old")
    again = payloads.put(b"again")
    server.sql(OLD, url)
    young = payloads.put(b"young")
    payloads.put(b"again")
    assert await sweep(DatabaseUrl(url)) == len(b"old")
    assert sorted(payloads.stored()) == sorted([again, young])
    assert await sweep(DatabaseUrl(url), -60.0) == len(b"youngagain")


@in_loop
async def test_a_wish_and_an_event_name_large_values_too(server, url, make):
    payloads = make()
    wished, told = payloads.put(b"wished"), payloads.put(b"told")
    server.sql(OLD, url)
    for table, columns, values, digest in (
        ("inbox", "key, shard, run, kind, content", "'k', 0, 'r', 'start'", wished),
        ("events", "at, key, type, run, content", "0, 'k', 't', 'r'", told),
    ):
        content = f'{{"$payload": {{"sha256": "{digest}"}}}}'
        server.sql(f"insert into dirigent.{table} ({columns}) values ({values}, '{content}'::bytea)", url)
    assert await sweep(DatabaseUrl(url)) == 0
    server.sql("delete from dirigent.events", url)
    assert await sweep(DatabaseUrl(url)) == len(b"told")


@in_loop
async def test_chores_are_done_once_an_hour_by_whoever_comes_first(url):
    first, second = [await Database.opened(DatabaseUrl(url), name) for name in ("first", "second")]
    names = [name for name, _ in chores.CHORES]
    assert await chores.once(first) == names
    assert await chores.once(second) == []
    assert await chores.once(second, -60.0) == names
    await first.close()
    await second.close()


WORKFLOW = """
document: {dsl: '1.0.1', namespace: large, name: large, version: '1.0.0'}
do:
- made: {run: {shell: {command: 'head -c 9000000 /dev/zero | tr "\\\\0" x'}}}
- length: {run: {shell: {command: 'wc -c', stdin: '${ . }'}}}
"""


def test_a_large_result_goes_from_one_engine_to_another(url, tmp_path):
    def command(folder, *words):
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "large.yaml").write_text(WORKFLOW)
        done = subprocess.run(
            [sys.executable, "-m", "dirigent", *words, "--store", url],
            capture_output=True, text=True, cwd=tmp_path / folder, timeout=99, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    assert "9000000" in command("one", "run", "large.yaml", "--id", "r")
    (tmp_path / "one" / "only.yaml").write_text(WORKFLOW.split("- length", maxsplit=1)[0])
    command("one", "run", "only.yaml", "--id", "only")
    command("two", "show", "only", "--output", "out.txt")
    assert (tmp_path / "two" / "out.txt").read_text() == "x" * 9_000_000
