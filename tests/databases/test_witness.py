"""A run that ends every engine which turns it is left alone after two of them; the others go on."""

import asyncio
import signal
from pathlib import Path

import pytest

from databases.inside import QUICK, WAITING, member, program
from databases.rig import SECONDS
from dirigent.app.databases.watching import watched
from dirigent.model.run.start import Start
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres import Database
from dirigent.stores.postgres.keeping.witness import Note, noted, tell_death
from dirigent.stores.postgres.tenancy import PostgresTenancy
from stores.samples import in_loop

pytestmark = pytest.mark.slow

PLANTED = str(Path(__file__).parent / "planted.py")


async def told(client, count):
    """Return whether the database knows of so many deaths: under load it may take longer than a lease."""
    rows = await client.database.links[0].fetch("select count from dirigent.deaths where run = 'poison'")
    return [row[0] for row in rows] == [count]


async def dying(engines, client, fault, most):
    """Start a run that ends whoever turns it, and engines in its way; return how they ended."""
    text = WAITING.replace("hours: 1", "milliseconds: 1")
    died = [engines(PLANTED, fault).start()]
    await client.conductor.start(Start("poison", program(engines.folder, text), {"n": 1}))
    while len(died) < most:
        died[-1].process.wait(SECONDS)
        while fault == "poison" and not await told(client, len(died)):
            assert died[-1].process.returncode == -signal.SIGKILL
            await asyncio.sleep(0.01)
        died.append(engines(PLANTED, fault).start())
    return died


@in_loop
async def test_a_run_that_kills_two_engines_is_left_alone_by_the_third(engines):
    async with member(engines.url, engine=False) as client:
        *died, living = await dying(engines, client, "poison", 3)
        assert [each.process.returncode for each in died] == [-signal.SIGKILL] * 2
        await client.conductor.start(Start("other", program(engines.folder, QUICK), {"n": 1}))
        assert (await client.conductor.follow("other", lambda *_: None)).phase == "completed"
        while (await client.conductor.shelf.run("poison")).phase != "suspended":
            assert living.process.poll() is None


@in_loop
async def test_without_the_witness_the_third_dies_of_it_too(engines):
    async with member(engines.url, engine=False) as client:
        died = await dying(engines, client, "unwitnessed", 3)
        assert died[-1].process.wait(SECONDS) == -signal.SIGKILL


@in_loop
async def test_an_engine_that_ends_in_order_tells_what_broke_off_before_anybody_else_has_it(server):
    url = DatabaseUrl(server.fresh())
    database = await Database.opened(url, "schema")
    watch = watched(url, "engine")
    watch.note.begin("r", 7)
    await watch.tell()
    assert watch.note.stands() is None
    await watch.close()
    assert watch.process.returncode == 0
    assert server.sql("select run, place, count from dirigent.deaths", url.text) == "r|7|1"
    await database.close()


async def taken(url):
    """Return what a new engine learns of deaths, by run; it leaves again."""
    database = await Database.opened(DatabaseUrl(url), "looks")
    tenancy = PostgresTenancy.of(database)
    held = await tenancy.take(16)
    found = {run: death for tenure in held for run, death in tenure.deaths.items()}
    return database, tenancy, held, found


@in_loop
async def test_deaths_count_at_one_place_and_each_engine_once(server, tmp_path):
    url = server.fresh()
    async with member(url) as engine:
        await engine.conductor.start(Start("r", program(tmp_path, WAITING), {"n": 1}))
    where = DatabaseUrl(url)
    seen = []
    for engine_name, place in (("a", 3), ("a", 3), ("b", 3), ("c", 4), ("d", 4)):
        await tell_death(where, engine_name, "r", place)
        database, tenancy, held, found = await taken(url)
        seen.append(found["r"])
        await tenancy.release(held)
        await database.close()
    assert seen == [(3, 1), (3, 1), (3, 2), (4, 1), (4, 2)]
    database, tenancy, held, _ = await taken(url)
    next(tenure for tenure in held if "r" in tenure.deaths).forgive("r")
    while server.sql("select count(*) from dirigent.deaths", url) != "0":
        await database.engines()
    await database.close()


def test_a_note_says_what_is_being_turned_and_nothing_else():
    note = Note()
    assert note.stands() is None
    note.begin("order-7", 12)
    assert note.stands() == ("order-7", 12)
    note.end()
    assert note.stands() is None
    note.begin("x" * 600, 1)
    assert note.stands() is None
    note.close()
    assert noted(b"rubbish\n") is None
    assert noted(b"12 \n") is None
