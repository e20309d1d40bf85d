"""An object becomes one of another type where its provider takes it: as it stands, and as secret."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dirigent.model.ids import Address
from dirigent.model.problem import Refusal
from dirigent.model.resource import ResourceRow
from dirigent.model.values import SecretRef, SecretText, Unknown
from dirigent.ports.importing import Receiving
from dirigent.ports.resources import ProviderFailed
from providers.tofu.test_adapter import TYPE, operation, row
from stores.samples import in_loop

pytestmark = pytest.mark.slow
ITEM = "fixture_item"
SECRET = SecretText((SecretRef("token"),))
WRITTEN = {"name": "a", "size": 1, "key": SECRET}


async def made(provider, config):
    """Return the row of an object that was made, as it is stored: secrets sealed."""
    kept = await provider.kept(TYPE, config)
    return row(kept, await provider.apply(operation("create", config)))


def become(former, reading):
    return replace(
        former,
        type=ITEM,
        config=reading.config,
        attributes=reading.attributes,
        private=reading.private,
    )


def asked(world):
    place = world.folder.with_name(f"{world.folder.name}.asked")
    return place.read_text().splitlines() if place.exists() else []


@pytest.mark.parametrize("version", [5, 6])
@in_loop
async def test_what_was_taken_over_is_read_and_planned_as_no_change(world, version):
    async with world("moves, identified", version=version) as provider:
        assert isinstance(provider, Receiving)
        former = await made(provider, WRITTEN)
        now = become(former, await provider.receive(former, ITEM))
        assert now.attributes == former.attributes
        assert (now.private["version"], now.private["identity"]) == (3, {"name": "a", "place": "here"})
        assert now.private["private"] != former.private["private"]
        reading = await provider.read(now)
        assert (reading.attributes, reading.config) == (now.attributes, {})
        proposal = await provider.propose(ITEM, now, WRITTEN)
        assert (proposal.attributes, proposal.replace) == (now.attributes, ())
        assert asked(world)[-2:] == [
            f"move example.com/x/fixture {TYPE} 2",
            'with kept {"name": "a", "place": "here"}',
        ]
        # It may be asked again: nothing was touched.
        assert await provider.receive(former, ITEM) == await provider.receive(former, ITEM)
        assert "a.json" in world.objects()


@in_loop
async def test_nothing_of_a_secret_is_seen_on_either_side_nor_what_the_new_type_does_not_call_one(world):
    async with world("moves") as provider:
        former = await made(provider, WRITTEN)
        found = await provider.receive(former, ITEM)
        assert "hunter2" not in repr(found)
        assert str(found.attributes["key"]) == "(sensitive)"
        assert found.config == {"name": "a", "size": 1, "key": found.attributes["key"]}
        # What was sensitive there stands here in a `note` that everybody may see.
        hidden = former.attributes["key"]
        page = replace(former, type="other_page", attributes={"title": "b", "text": hidden}, config={})
        found = await provider.receive(page, ITEM)
        assert "hunter2" not in repr(found)
        assert found.attributes["note"] == hidden
        # The provider itself was told it, as it always is.
        strange = replace(page, type="other_sheet", attributes={"key": hidden})
        with pytest.raises(Refusal) as refusal:
            await provider.receive(strange, ITEM)
        (problem,) = refusal.value.problems
        assert problem.code == "E2032"
        assert "not from there" in problem.message
        assert "hunter2" not in str(problem)
        assert "(secret token)" in problem.message


@in_loop
async def test_another_providers_object_is_taken_with_its_origin_and_without_its_schema(world):
    private = {"source": "registry.example.com/other/pages", "version": 7, "private": None}
    page = ResourceRow(
        *(Address("p"), "p", "other_page", {"title": "b"}, {"title": "b", "text": "hello"}),
        private=private,
        provider="other",
    )
    async with world("moves") as provider:
        found = await provider.receive(page, ITEM)
        assert found.attributes["name"] == "b"
        assert found.config == {"name": "b"}
        assert found.private["source"] == "example.com/x/fixture"
        assert "move registry.example.com/other/pages other_page 7" in asked(world)


@pytest.mark.parametrize("mode", ["", "moves, cannot"])
@in_loop
async def test_who_does_not_say_that_he_can_is_not_asked(world, mode):
    async with world(mode) as provider:
        former = await made(provider, {"name": "a"})
        with pytest.raises(Refusal) as refusal:
            await provider.receive(former, ITEM if mode else TYPE)
        (problem,) = refusal.value.problems
        assert (problem.code, "`fixture`" in problem.message) == ("E2017", True)
        assert any("dirigent forget 'a'" in line for line in problem.help)
        assert asked(world) == []


@pytest.mark.parametrize("mode", ["moves, mute", "moves, unknown"])
@in_loop
async def test_an_answer_that_is_none_is_the_fault_of_the_provider(world, mode):
    async with world(mode) as provider:
        former = await made(provider, {"name": "a"})
        with pytest.raises(ProviderFailed, match="E3017"):
            await provider.receive(former, ITEM)


@in_loop
async def test_who_cannot_be_configured_yet_is_not_asked(world):
    async with world("moves", region=Unknown()) as provider:
        former = ResourceRow(Address("a"), "a", TYPE, {}, {"name": "a"}, provider="fixture")
        with pytest.raises(Refusal) as refusal:
            await provider.receive(former, ITEM)
        assert [each.code for each in refusal.value.problems] == ["E2033"]
