"""The life of objects of our own provider, when it behaves and when it does not."""

import pytest

from dirigent.model import limits
from dirigent.model.values import Unknown
from dirigent.providers.tofu.lifecycle.cycle import Unreliable, carry_out, intend, intend_end, look
from dirigent.providers.tofu.lifecycle.session import Refused, Standing
from dirigent.providers.tofu.process.connection import CallBroken
from dirigent.providers.tofu.process.launch import NotStarted, launched
from dirigent.providers.tofu.values.paths import Misfit
from dirigent.providers.tofu.values.types import NoType
from dirigent.providers.tofu.wire import calls
from providers.tofu.shapes import given_of
from stores.samples import in_loop

pytestmark = pytest.mark.slow
NAME = "fixture_thing"


async def made(session, **given):
    intention = await intend(session, NAME, None, given_of(session, NAME, given))
    return await carry_out(session, intention, intention.change.planned)


@pytest.mark.parametrize("version", [5, 6])
@in_loop
async def test_an_object_is_created_read_changed_replaced_and_deleted(fixture, tmp_path, version):
    async with fixture(version=version) as session:
        config = given_of(session, NAME, {"name": "a", "size": 3, "port": {"number": 80}, "once": "secret"})
        intention = await intend(session, NAME, None, config)
        assert intention.change.planned["id"] == Unknown()
        assert intention.change.planned["once"] is None
        found = await carry_out(session, intention, intention.change.planned)
        assert found.standing.state["port"] == [{"number": 80, "url": "http://a:80"}]
        assert found.standing.private == b"kept"

        seen = await look(session, NAME, 2, found.standing)
        assert seen == found.standing
        again = await intend(session, NAME, seen, config)
        assert again.nothing

        larger = await intend(session, NAME, seen, given_of(session, NAME, {"name": "a", "size": 4}))
        assert (larger.replaces, larger.change.prior) == ((), seen.state)
        changed = await carry_out(session, larger)
        assert changed.standing.state["size"] == 4

        renamed = await intend(session, NAME, changed.standing, given_of(session, NAME, {"name": "b"}))
        assert renamed.replaces == (("name",),)
        assert (renamed.change.prior, renamed.change.planned["id"]) == (None, Unknown())

        ended = await carry_out(session, await intend_end(session, NAME, changed.standing))
        assert ended.standing is None
        assert await look(session, NAME, 2, changed.standing) is None
        assert list((tmp_path / "world").iterdir()) == []


@in_loop
async def test_an_older_state_is_upgraded_and_an_id_is_looked_up(fixture):
    async with fixture() as session:
        found = await made(session, name="a")
        state = dict(found.standing.state)
        state["remark"] = state.pop("note")
        assert await look(session, NAME, 1, Standing(state, b"kept")) == found.standing
        assert await session.find(NAME, "a") == [(NAME, Standing(found.standing.state))]
        assert await session.find(NAME, "nobody") == []


@in_loop
async def test_what_a_provider_finds_wrong_has_its_place(fixture):
    with pytest.raises(Refused, match="nothing on the moon"):
        async with fixture(region="moon"):
            pass
    async with fixture() as session:
        with pytest.raises(Refused) as refused:
            await made(session, name="a", size=13)
        assert [(each.label, str(each)) for each in refused.value.said] == [
            ("size", "bad luck: 13 is not a size")
        ]
        intention = await intend(session, NAME, None, given_of(session, NAME, {"name": "a", "size": 99}))
        assert [str(each) for each in intention.said] == ["that is large"]


@pytest.mark.parametrize(
    ("mode", "wrong", "words"),
    [
        ("wrong plan", Unreliable, "`size` is planned as neither"),
        ("garbage", Misfit, "has other members than its type"),
        ("die before", CallBroken, "it died during `ApplyResourceChange`\npanic: everything is on fire"),
        ("odd type", NoType, "heap"),
        ("ends at once", NotStarted, "it ended with exit code 1: no licence"),
        ("says rubbish", NotStarted, "`Welcome!` is not how a provider begins"),
        ("listens elsewhere", NotStarted, "cannot be connected to"),
    ],
)
@in_loop
async def test_a_provider_that_misbehaves_fails_with_its_reason(fixture, mode, wrong, words):
    with pytest.raises(wrong) as found:
        async with fixture(mode) as session:
            await made(session, name="a", size=1)
    assert words in str(found.value)


@in_loop
async def test_one_that_dies_after_its_work_has_done_it(fixture):
    with pytest.raises(CallBroken):
        async with fixture("die after") as session:
            await made(session, name="a")
    async with fixture() as session:
        ((_, standing),) = await session.find(NAME, "a")
        assert standing.state["id"] == "id-a"


@in_loop
async def test_what_comes_of_a_change_is_kept_also_when_it_is_wrong(fixture):
    async with fixture("wrong apply") as session:
        found = await made(session, name="a", size=1)
        assert found.standing.state["size"] == 78
        assert [(each.severe, each.label) for each in found.said] == [(True, "size")]
    async with fixture("half") as session:
        found = await made(session, name="b")
        assert found.standing.state["name"] == "b"
        assert [str(each) for each in found.said] == ["it broke half-way"]
    async with fixture("leaves unknown") as session:
        found = await made(session, name="c")
        assert found.standing.state["note"] is None
        assert [each.label for each in found.said] == ["note"]


@in_loop
async def test_what_was_approved_is_what_happens(fixture):
    async with fixture() as session:
        config = given_of(session, NAME, {"name": "a", "size": 2})
        intention = await intend(session, NAME, None, config)
        with pytest.raises(
            Unreliable, match="otherwise than it was approved: `size` is not what was planned"
        ):
            await carry_out(session, intention, {**intention.change.planned, "size": 1})
        assert await session.find(NAME, "a") == []


@in_loop
async def test_one_that_hangs_is_given_up(fixture, monkeypatch):
    async with fixture("hang in PlanResourceChange") as session:
        plan = session.connection.message("PlanResourceChange.Request")
        with pytest.raises(CallBroken, match="did not answer `PlanResourceChange` in time"):
            await session.connection.call(calls.PLAN, plan, 0.2)
    monkeypatch.setattr(limits, "PROVIDER_START_SECONDS", 0.2)
    with pytest.raises(NotStarted, match="did not say where it listens"):
        async with fixture("says nothing"):
            pass


@in_loop
async def test_the_folder_from_which_it_takes_paths_must_be_there(tmp_path):
    with pytest.raises(NotStarted, match=r"it cannot be started in `.*/gone`: No such file or directory"):
        async with launched("/bin/true", {}, str(tmp_path / "gone")):
            pass


@in_loop
async def test_one_that_talks_without_end_is_not_waited_for(fixture):
    async with fixture("talks") as session:
        assert (await made(session, name="a")).standing is not None


@in_loop
async def test_another_version_of_the_protocol_is_refused(fixture):
    with pytest.raises(NotStarted, match="version 7"):
        async with fixture(version=7):
            pass
