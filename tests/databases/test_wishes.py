"""Any process starts, steers and watches any run: what it cannot do itself its owner does, once."""

import asyncio

import pytest

from databases.inside import CLOCK, QUICK, WAITING, member, program
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import CancelRequested, Created, Resumed, Suspended
from dirigent.model.run.start import Start
from dirigent.stores.postgres import inbox
from dirigent.stores.postgres.session.hints import GAP_SECONDS
from stores.samples import code_of, in_loop

pytestmark = pytest.mark.slow


async def refused(waiting):
    with pytest.raises(Refusal) as caught:
        await waiting
    return code_of(caught)


@in_loop
async def test_a_client_starts_a_run_and_follows_it_to_its_end(server, tmp_path):
    url, quick = server.fresh(), program(tmp_path, QUICK)
    async with member(url), member(url, engine=False) as client:
        told = []
        assert await client.conductor.start(Start("a", quick, {"n": 1})) == "a"
        end = await client.conductor.follow("a", lambda _, __, facts: told.extend(facts))
        assert end.phase == "completed"
        assert told == await client.conductor.journal.read("a")
        assert isinstance(told[0], Created)


@in_loop
async def test_an_id_is_started_once_whoever_asks_and_never_with_another_input(server, tmp_path):
    url, waiting = server.fresh(), program(tmp_path, WAITING)
    async with member(url) as one, member(url) as two, member(url, engine=False) as client:
        members = (one, two, client)
        starts = [each.conductor.start(Start("a", waiting, {"n": 1})) for each in members for _ in range(5)]
        assert set(await asyncio.gather(*starts)) == {"a"}
        assert len([f for f in await client.conductor.journal.read("a") if isinstance(f, Created)]) == 1
        for each in members:
            assert await refused(each.conductor.start(Start("a", waiting, {"n": 2}))) == "E4002"
        assert [run.id for run in await client.conductor.shelf.runs()] == ["a"]


@in_loop
async def test_a_word_from_any_process_reaches_the_run_wherever_it_is(server, tmp_path):
    url, waiting = server.fresh(), program(tmp_path, WAITING)
    async with member(url) as one, member(url) as two, member(url, engine=False) as client:
        runs = [f"run-{n}" for n in range(8)]  # in shards of both engines
        for run in runs:
            await client.conductor.start(Start(run, waiting, {"n": 1}))
        for number, run in enumerate(runs):
            who = (one, two, client)[number % 3].conductor
            await who.tell(run, Suspended(CLOCK.now(), "lunch"))
            await who.tell(run, Resumed(CLOCK.now()))
            await who.tell(run, CancelRequested(CLOCK.now(), "enough"))
            assert (await who.wait(run)).phase == "cancelled"
            assert await refused(who.tell(run, CancelRequested(CLOCK.now()))) == "E4003"
        assert await refused(client.conductor.tell("nobody", CancelRequested(0.0))) == "E4004"
        assert await refused(client.conductor.wait("nobody")) == "E4004"


@in_loop
async def test_a_wish_is_answered_in_the_commit_that_grants_it_and_the_same_key_grants_nothing_twice(
    server, tmp_path
):
    url, waiting = server.fresh(), program(tmp_path, WAITING)
    async with member(url), member(url, engine=False) as client:
        await client.conductor.start(Start("a", waiting, {"n": 1}))
        wishing = client.conductor.wishing
        shard = await wishing.place("a")
        for _ in range(3):
            await wishing.tell("key", shard, "a", Suspended(5.0, "lunch"))
        facts = await client.conductor.journal.read("a")
        assert facts.count(Suspended(5.0, "lunch")) == 1
        for kind, last in (("start", "= 0"), ("tell", "> 0")):
            commits = server.sql(
                f"select xmin from dirigent.inbox where kind = '{kind}'"
                f" union all select xmin from dirigent.journal where position {last}",
                url,
            )
            assert len(set(commits.split())) == 1, "the answer and the fact are of two commits"


@in_loop
async def test_what_was_wished_while_no_engine_worked_is_done_when_one_comes(server, tmp_path, monkeypatch):
    url, quick = server.fresh(), program(tmp_path, QUICK)
    monkeypatch.setattr(inbox, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(inbox, "SWEEP_SECONDS", 0.01)
    async with member(url, engine=False) as client:
        with pytest.raises(Refusal) as caught:
            await client.conductor.start(Start("a", quick, {"n": 1}))
        assert code_of(caught) == "E5050"
        assert "dirigent serve" in caught.value.problems[0].help[0]
        async with member(url):
            monkeypatch.undo()
            assert await client.conductor.start(Start("a", quick, {"n": 1})) == "a"
            assert (await client.conductor.wait("a")).phase == "completed"


@in_loop
async def test_without_any_hint_the_sweep_finds_everything(server, tmp_path):
    url, quick = server.fresh(), program(tmp_path, QUICK)
    async with member(url) as engine, member(url, engine=False) as client:
        for each in (engine, client):
            await each.database.links[2].once("unlisten *")
        await client.conductor.start(Start("a", quick, {"n": 1}))
        assert (await client.conductor.wait("a")).phase == "completed"


@in_loop
async def test_hints_are_told_together_and_never_more_than_a_hundred_a_second(server):
    async with (
        member(server.fresh(), engine=False) as teller,
        member(teller_url(teller), engine=False) as other,
    ):
        ear = other.database.hints.ear("a", "b", "c")
        await other.database.hints.listen()
        for _ in range(100):
            for word in "abc":
                teller.database.hints.say(word)
        assert await ear.wait(5.0) == {"a", "b", "c"}
        assert 1 / GAP_SECONDS <= 100


def teller_url(teller):
    return teller.database.url.text


@in_loop
async def test_a_shard_that_moves_takes_its_runs_along(server, tmp_path):
    url, waiting = server.fresh(), program(tmp_path, WAITING)
    async with member(url) as one:
        runs = [f"run-{n}" for n in range(6)]
        for run in runs:
            await one.conductor.start(Start(run, waiting, {"n": 1}))
        async with member(url) as two:
            while two.fleet.engine(0) is None and one.fleet.engine(0) is not None:
                await one.fleet.news.wait()
            for run in runs:
                await two.conductor.tell(run, CancelRequested(CLOCK.now()))
                assert (await one.conductor.wait(run)).phase == "cancelled"
