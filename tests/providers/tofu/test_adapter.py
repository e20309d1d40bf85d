"""Our own provider by the port of all providers: planned, changed, in doubt, stopped."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

import pytest

from dirigent.model.ids import Address, EffectId, Position, RunId
from dirigent.model.problem import Refusal
from dirigent.model.resource import ResourceRow
from dirigent.model.run.effect import Order
from dirigent.model.values import SecretRef, SecretText, Unknown
from dirigent.ports.resources import Operation, ProviderDoubt, ProviderFailed
from stores.samples import in_loop

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
TYPE = "fixture_thing"


def operation(action, config, prior=None, *, doubtful=False, **more):
    order = Order(*(RunId("up-1"), Position("/do/a"), 1, EffectId("e"), "resource", None), doubtful=doubtful)
    return Operation(order, action, "a", TYPE, config, prior, **more)


def there(place):
    while not place.exists():
        time.sleep(0.01)


def row(config, left):
    attributes, private = left
    return ResourceRow(Address("a"), "a", TYPE, config, attributes, private=private, provider="fixture")


@in_loop
async def test_an_object_is_planned_made_read_changed_and_deleted(world):
    secret = SecretText((SecretRef("token"),))
    config = {"name": "a", "size": 1, "key": secret}
    async with world() as provider:
        proposal = await provider.propose(TYPE, None, config)
        assert proposal.decided
        assert proposal.attributes["id"] == Unknown()
        assert str(proposal.attributes["key"]) == "(sensitive)"
        made = row(config, await provider.apply(operation("create", config, binding=proposal.binding)))
        assert "hunter2" not in repr(made) + repr(proposal)
        assert (made.attributes["id"], made.attributes["note"]) == ("id-a", "made")

        reading = await provider.read(made)
        assert (reading.attributes, reading.config) == (made.attributes, {})
        again = await provider.propose(TYPE, made, config)
        assert (again.attributes, again.replace) == (made.attributes, ())

        larger = {**config, "size": 2}
        wanted = await provider.propose(TYPE, made, larger)
        changed = row(larger, await provider.apply(operation("update", larger, made, binding=wanted.binding)))
        assert changed.attributes["size"] == 2
        assert (await provider.propose(TYPE, changed, {"name": "b"})).replace == ("name",)

        place = world.folder / "a.json"
        place.write_text(place.read_text().replace('"size": 2', '"size": 9'))
        assert (await provider.read(changed)).config == {"size": 9}
        await provider.apply(operation("delete", larger, changed))
        assert world.objects() == []
        assert (await provider.read(changed)).attributes is None


@in_loop
async def test_what_was_not_approved_is_not_done(world):
    async with world() as provider:
        proposal = await provider.propose(TYPE, None, {"name": "a", "size": 1})
        with pytest.raises(ProviderFailed, match="otherwise than it was approved"):
            await provider.apply(operation("create", {"name": "a", "size": 2}, binding=proposal.binding))
        made = row({}, await provider.apply(operation("create", {"name": "a"})))
        with pytest.raises(ProviderFailed, match="E3019"):
            await provider.apply(operation("update", {"name": "b"}, made))
        assert world.objects() == ["a.json"]


@in_loop
async def test_a_provider_that_died_is_looked_into(world):
    config = {"name": "a", "size": 1}
    async with world("die after") as provider:
        made = await provider.apply(operation("create", config, identity="{name}"))
        assert made[0]["id"] == "id-a"
        with pytest.raises(ProviderDoubt, match=r"lifecycle\.identity") as doubt:
            await provider.apply(operation("create", {"name": "b"}))
        assert doubt.value.evidence["address"] == "a"
        larger = {**config, "size": 2}
        changed = await provider.apply(operation("update", larger, row(config, made)))
        assert changed[0]["size"] == 2
    async with world("die before") as provider:
        with pytest.raises(ProviderFailed, match=r"; nothing was made$"):
            await provider.apply(operation("create", {"name": "c"}, identity="{name}"))
        with pytest.raises(ProviderFailed, match="on fire") as failed:
            await provider.apply(operation("update", {"name": "a", "size": 3}, row(larger, changed)))
        assert failed.value.attributes["size"] == 2
        with pytest.raises(ProviderFailed, match="stands still"):
            await provider.apply(operation("delete", larger, row(larger, changed)))
    assert world.objects() == ["a.json", "b.json"]


@in_loop
async def test_after_a_crash_of_the_engine_nothing_is_made_twice(world):
    config = {"name": "a", "size": 1}
    async with world() as provider:
        made = row(config, await provider.apply(operation("create", config)))
        again = operation("create", config, doubtful=True, identity="{name}")
        assert (await provider.apply(again))[0] == made.attributes
        larger = {**config, "size": 2}
        grown = operation("create", larger, doubtful=True, identity="{name}")
        assert (await provider.apply(grown))[0]["size"] == 2
        with pytest.raises(ProviderDoubt):
            await provider.apply(operation("create", config, doubtful=True))
        fresh = operation("create", {"name": "n"}, doubtful=True, identity="{name}")
        assert (await provider.apply(fresh))[0]["id"] == "id-n"
        done = operation("update", larger, made, doubtful=True)
        assert (await provider.apply(done))[0]["size"] == 2
        await provider.apply(operation("delete", config, made))
        await provider.apply(operation("delete", config, made, doubtful=True))
        assert world.objects() == ["n.json"]


@in_loop
async def test_a_provider_that_tells_identities_finds_what_it_made_by_itself(world):
    config = {"name": "a", "size": 1}
    async with world("die after, identified") as provider:
        proposal = await provider.propose(TYPE, None, config)
        left = await provider.apply(operation("create", config, binding=proposal.binding))
        assert left[0]["id"] == "id-a"
    async with world("identified") as provider:
        made = row(config, left)
        reading = await provider.read(made)
        assert reading.attributes == made.attributes
        assert reading.private["identity"] == {"name": "a", "place": "here"}
        # Made and read again, in the version of the schema in which the provider told it.
        assert (made.private["identity_version"], reading.private["identity_version"]) == (1, 1)
        again = await provider.propose(TYPE, made, config)
        assert again.attributes == made.attributes
        fresh = await provider.apply(operation("create", {"name": "c"}, doubtful=True))
        assert fresh[0]["id"] == "id-c"
        grown = operation("create", {"name": "a", "size": 2}, doubtful=True)
        assert (await provider.apply(grown))[0]["size"] == 2
    assert world.objects() == ["a.json", "c.json"]


@in_loop
async def test_a_creation_that_is_stopped_is_not_forgotten(world):
    async with world("slow") as provider:
        asked = operation("create", {"name": "a"})
        task = asyncio.ensure_future(provider.apply(asked))
        await asyncio.to_thread(there, world.folder / "begun")
        task.cancel()
        await asyncio.wait([task])
        (world.folder / "go").touch()
        attributes, _ = await provider.finish(asked)
        assert attributes["id"] == "id-a"
        lost = replace(asked, identity="{name}")
        assert (await provider.finish(lost))[0]["id"] == "id-a"
        with pytest.raises(ProviderDoubt):
            await provider.finish(asked)


@in_loop
async def test_a_deletion_that_is_stopped_leaves_nothing_only_when_nothing_stands(world):
    (world.folder / "go").touch()
    async with world("slow") as provider:
        made = row({"name": "a"}, await provider.apply(operation("create", {"name": "a"})))
        (world.folder / "go").unlink()
        (world.folder / "begun").unlink()
        asked = operation("delete", {"name": "a"}, made)
        task = asyncio.ensure_future(provider.apply(asked))
        await asyncio.to_thread(there, world.folder / "begun")
        task.cancel()
        await asyncio.wait([task])
        assert (await provider.finish(replace(asked, order=replace(asked.order, id=EffectId("f")))))[0][
            "id"
        ] == "id-a"
        (world.folder / "go").touch()
        assert await provider.finish(asked) == (None, None)


@in_loop
async def test_what_exists_is_taken_over_as_it_stands(world):
    async with world() as provider:
        secret = SecretText((SecretRef("token"),))
        made = await provider.apply(operation("create", {"name": "a", "size": 1, "key": secret}))
        found = await provider.adopt(TYPE, "a", {"name": "a", "size": 2, "key": secret})
        assert found.attributes == made[0]
        adopted = row({}, (found.attributes, found.private))
        assert (await provider.read(adopted)).attributes == made[0]
        assert (await provider.propose(TYPE, adopted, {"name": "a", "size": 2, "key": secret})).replace == ()
        assert (await provider.adopt(TYPE, "nobody", {})).attributes is None
    async with world(region=Unknown(("net",))) as provider:
        with pytest.raises(Refusal, match="before its provider"):
            await provider.adopt(TYPE, "a", {})


@in_loop
async def test_what_is_wrong_has_its_code_and_its_place(world):
    async with world() as provider:
        for config, code, label in [
            ({"name": "a", "size": 13}, "E3013", "size"),
            ({"size": "many", "name": "a"}, "E3012", "size"),
            ({}, "E3012", "name"),
        ]:
            with pytest.raises(Refusal) as refused:
                await provider.propose(TYPE, None, config)
            assert [(each.code, each.label) for each in refused.value.problems] == [(code, label)]
        with pytest.raises(Refusal) as refused:
            await provider.propose("fixture_nothing", None, {})
        assert refused.value.problems[0].code == "E3016"
        warned = await provider.propose(TYPE, None, {"name": "a", "size": 99})
        assert warned.warnings == ("that is large",)
    async with world(region="moon") as provider:
        with pytest.raises(Refusal, match="nothing on the moon") as refusal:
            await provider.propose(TYPE, None, {"name": "a"})
    async with world(climate="mild") as provider:
        with pytest.raises(Refusal) as refused:
            await provider.propose(TYPE, None, {"name": "a"})
        assert refused.value.problems[0].code == "E3011"
    async with world("says rubbish") as provider:
        with pytest.raises(Refusal) as refused:
            await provider.propose(TYPE, None, {"name": "a"})
        assert refused.value.problems[0].code == "E3010"
    async with world("wrong plan") as provider:
        with pytest.raises(ProviderFailed, match="E3014"):
            await provider.propose(TYPE, None, {"name": "a", "size": 1})
    problem = refusal.value.problems[0]
    assert (problem.code, problem.label) == ("E3011", "region")


@in_loop
async def test_who_cannot_be_configured_yet_knows_only_what_is_written(world):
    async with world(region=Unknown(("net",))) as provider:
        proposal = await provider.propose(TYPE, None, {"name": "a"})
        assert proposal.deferred
        assert proposal.attributes["name"] == "a"
        assert proposal.attributes["id"] == Unknown()
        assert proposal.binding is None


@in_loop
async def test_an_identity_that_is_not_told_again_keeps_its_version(world):
    config = {"name": "a"}
    async with world("identified") as provider:
        made = row(config, await provider.apply(operation("create", config)))
    later = replace(made, private={**made.private, "identity_version": 7})
    async with world() as provider:
        # This release tells no identities: what is known stays what it was.
        kept = (await provider.read(later)).private
    assert (kept["identity"], kept["identity_version"]) == ({"name": "a", "place": "here"}, 7)
