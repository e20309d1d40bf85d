"""What a provider lists: within limits, and a creation in doubt that is looked for in it."""

from __future__ import annotations

import json

import pytest

from dirigent.model import limits
from dirigent.model.problem import Refusal
from dirigent.ports.resources import ProviderDoubt, ProviderFailed
from dirigent.providers.tofu.lifecycle.listing import Listed, Listing, listed
from dirigent.providers.tofu.lifecycle.session import Refused
from dirigent.providers.tofu.process.connection import CallBroken
from dirigent.providers.tofu.provider.searching import asked, judged
from dirigent.providers.tofu.schema.shape import Attribute, Block
from dirigent.providers.tofu.values.paths import Misfit
from dirigent.providers.tofu.values.types import STRING
from providers.tofu.test_adapter import TYPE, operation, row
from stores.samples import in_loop

ALL = {"prefix": None}
A = Listed({"name": "a", "place": "here"}, "thing a")
B = Listed({"name": "a", "place": "there"}, "thing a")


def test_only_the_whole_identity_is_taken_for_the_object_and_only_a_whole_list_says_that_there_is_none():
    whole, part = Listing((A, B)), Listing((A, B), whole=False)
    assert judged(whole, {"name": "a", "place": "there"}, named=True).identity == B.identity
    assert judged(part, {"name": "a", "place": "there"}, named=True).identity == B.identity
    assert judged(whole, {"name": "b"}, named=True).absent
    for found in (
        judged(part, {"name": "b"}, named=True),
        judged(whole, {"name": "a"}, named=True),
        judged(Listing((A,)), {"name": "a"}, named=False),
        judged(whole, {"name": "b"}, named=False),
        judged(whole, {}, named=False),
        judged(Listing(), {}, named=False),
    ):
        assert (found.identity, found.absent) == (None, False)
        assert found.why
    assert judged(whole, {"name": "a"}, named=True).alike == (A, B)
    assert judged(whole, {}, named=False).alike == ()


def test_what_a_list_must_know_is_taken_from_the_configuration():
    block = Block(
        {"zone": Attribute("zone", STRING, required=True), "more": Attribute("more", STRING, optional=True)}
    )
    assert asked(block, {"zone": "z", "more": "not this", "other": 1}) == ({"zone": "z", "more": None}, "")
    assert asked(block, {"more": "x"})[1] == "`zone`"


@pytest.mark.slow
@in_loop
async def test_a_list_tells_identities_and_whole_objects_where_they_are_wanted(world):
    async with world("lists, identified") as provider:
        for name in ("a", "b", "bb"):
            await provider.apply(operation("create", {"name": name, "size": 1}))
        talk = await provider.of.conversation({})
        found = await talk.ask(lambda session: listed(session, TYPE, ALL))
        assert (found.whole, [each.name for each in found.objects]) == (
            True,
            ["thing a", "thing b", "thing bb"],
        )
        assert (found.objects[0].identity, found.objects[0].state) == ({"name": "a", "place": "here"}, None)
        some = await talk.ask(lambda session: listed(session, TYPE, {"prefix": "b"}, objects=True, most=1))
        assert (some.whole, len(some.objects), some.objects[0].state["id"]) == (False, 1, "id-b")
        with pytest.raises(Refused, match="no such prefix"):
            await talk.ask(lambda session: listed(session, TYPE, {"prefix": "?"}))


@pytest.mark.slow
@in_loop
async def test_what_is_listed_for_ever_has_an_end(world):
    async with world("lists for ever, identified") as provider:
        talk = await provider.of.conversation({})
        found = await talk.ask(lambda session: listed(session, TYPE, ALL, most=20))
        assert (found.whole, len(found.objects)) == (False, 20)
        # The process is as good as before: the stream was ended, and answers stop coming.
        assert not (await talk.ask(lambda session: listed(session, TYPE, ALL, most=1))).whole
    async with world("lists nothing for ever") as provider:
        talk = await provider.of.conversation({})
        assert await talk.ask(lambda session: listed(session, TYPE, ALL, most=20)) == Listing((), whole=False)


@pytest.mark.slow
@in_loop
@pytest.mark.parametrize(
    ("mode", "broken"),
    [
        ("lists garbage, identified", Misfit),
        ("lists badly", Refused),
        ("lists, dies", CallBroken),
    ],
)
async def test_a_list_that_breaks_is_no_list(world, mode, broken):
    (world.folder / "a.json").write_text('{"name": "a"}')
    async with world(mode) as provider:
        talk = await provider.of.conversation({})
        with pytest.raises(broken):
            await talk.ask(lambda session: listed(session, TYPE, ALL))
    async with world(mode) as provider:
        # Nobody knows anything by it, so the creation is held and not made again.
        with pytest.raises(ProviderDoubt, match="could not be listed"):
            await provider.apply(operation("create", {"name": "a"}, doubtful=True))
    assert world.objects() == ["a.json"]


@pytest.mark.slow
@in_loop
async def test_a_list_that_takes_too_long_is_given_up(world, monkeypatch):
    monkeypatch.setattr(limits, "PROVIDER_LISTED_SECONDS", 0.5)
    async with world("hang in ValidateListResourceConfig, lists") as provider:
        talk = await provider.of.conversation({})
        with pytest.raises(CallBroken, match="in time"):
            await talk.act(lambda session: listed(session, TYPE, ALL))


@pytest.mark.slow
@in_loop
async def test_a_creation_in_doubt_is_found_in_the_list_or_known_not_to_be_there(world):
    config = {"name": "a", "size": 1}
    async with world("die after, lists, identified") as provider:
        left = await provider.apply(operation("create", config))
        assert left[0]["id"] == "id-a"
    async with world("lists, identified") as provider:
        grown = operation("create", {"name": "a", "size": 2}, doubtful=True)
        assert (await provider.apply(grown))[0]["size"] == 2
        assert world.objects() == ["a.json"]
        fresh = operation("create", {"name": "b"}, doubtful=True)
        assert (await provider.apply(fresh))[0]["id"] == "id-b"
    async with world("lists") as provider:
        # It lists, but tells no identities: nothing can be told to be the object.
        with pytest.raises(ProviderDoubt, match="none can be told to be it") as doubt:
            await provider.apply(operation("create", config, doubtful=True))
        assert doubt.value.evidence["object"] == config
    assert world.objects() == ["a.json", "b.json"]


@pytest.mark.slow
@in_loop
async def test_a_secret_of_what_is_in_doubt_is_not_shown(world):
    async with world() as provider:
        with pytest.raises(ProviderDoubt) as doubt:
            await provider.apply(operation("create", {"name": "a", "key": "hidden-key"}, doubtful=True))
        assert doubt.value.evidence["object"]["name"] == "a"
        assert "hidden-key" not in repr(doubt.value.evidence) + str(doubt.value)
    async with world("die before") as provider:
        with pytest.raises(ProviderFailed):
            await provider.apply(operation("create", {"name": "a"}, identity="{name}"))


@pytest.mark.slow
@in_loop
async def test_an_inventory_says_what_is_managed_and_how_the_rest_could_be_declared(world):
    async with world("lists, identified") as provider:
        config = {"name": "a", "size": 1}
        made = row(config, await provider.apply(operation("create", config)))
        other = {"name": "b", "key": "hidden-key", "port": [{"number": 80}]}
        await provider.apply(operation("create", other))
        found = await provider.inventory(TYPE, {}, [made], 10)
        assert [(each.name, each.address) for each in found.found] == [("thing a", "a"), ("thing b", "")]
        assert json.loads(found.found[1].id) == {"name": "b", "place": "here"}
        assert found.found[1].config == {"name": "b", "port": [{"number": 80}]}
        assert "hidden-key" not in repr(found)
        taken = await provider.adopt(TYPE, found.found[1].id, {"name": "b"})
        assert taken.attributes["id"] == "id-b"
        assert not (await provider.inventory(TYPE, {}, [], 1)).whole
        with pytest.raises(Refusal, match="E3012"):
            await provider.inventory(TYPE, {"suffix": "x"}, [], 1)
    async with world() as provider:
        with pytest.raises(Refusal, match="E3047"):
            await provider.inventory(TYPE, {}, [], 1)
