"""What is opened for a while: never stored, renewed in time, closed at the end, opened anew after a crash."""

from __future__ import annotations

import asyncio
import time

import pytest

from dirigent.model import limits
from dirigent.model.problem import Refusal
from dirigent.model.resource import OPEN
from dirigent.model.values import SecretRef, SecretText, Unknown
from dirigent.ports.resources import ProviderFailed
from dirigent.providers.tofu.provider.fleeting import lasting
from providers.tofu.test_adapter import TYPE, operation, row
from stores.samples import in_loop

pytestmark = pytest.mark.slow
LOGIN = f"{OPEN}fixture_login"
SECRET = SecretText((SecretRef("token"),))


def asked(world):
    place = world.folder.with_name(f"{world.folder.name}.asked")
    return place.read_text().splitlines() if place.exists() else []


def there(world, words):
    while words not in asked(world):
        time.sleep(0.01)


async def login(provider, **config):
    return (await provider.look_up(LOGIN, {"user": "ann", **config}, later=False)).attributes


def using(provider, name):
    """Return the same provider under a configuration with an ephemeral value."""
    return provider.of.configured({"token": name})


@in_loop
async def test_a_plan_has_names_only_and_opens_nothing(world):
    async with world() as provider:
        found = await login(provider, key=SECRET)
        assert {str(each) for each in found.values()} == {"(ephemeral)"}
        assert found == await login(provider, key=SECRET)
        assert found != await login(provider, key="other")
        assert "hunter2" not in repr(found)
        assert "ann" not in repr(found)
        later = await provider.look_up(LOGIN, {"user": Unknown()}, later=False)
        assert (later.attributes["password"], later.deferred) == (Unknown(), True)
        behind = await provider.look_up(LOGIN, {"user": "ann"}, later=True)
        assert behind.attributes["password"] == Unknown()
    assert asked(world) == []


@pytest.mark.parametrize("version", [5, 6])
@in_loop
async def test_a_provider_is_configured_by_what_was_opened_and_that_is_closed_at_the_end(world, version):
    async with world(version=version) as provider:
        name = (await login(provider, key=SECRET))["password"]
        below = using(provider, name)
        for size in (1, 2):
            proposal = await below.propose(TYPE, None, {"name": "a", "size": size})
        left = await below.apply(operation("create", {"name": "a", "size": 2}, binding=proposal.binding))
        assert "opened-for" not in repr((proposal, left))
    assert asked(world) == ["open ann hunter2", "configured opened-for-ann-1", "close ann:1"]


@in_loop
async def test_after_a_crash_it_is_opened_anew_by_its_name_alone(world):
    async with world() as provider:
        name = (await login(provider))["password"]
    async with world() as provider:
        await using(provider, name).propose(TYPE, None, {"name": "a"})
    assert asked(world)[0] == "open ann None"
    assert asked(world)[-1] == "close ann:1"


@in_loop
async def test_it_is_closed_after_a_failure_and_a_close_that_fails_fails_nothing(world):
    async with world("does not close") as provider:
        name = (await login(provider))["password"]
        with pytest.raises(Refusal, match="bad luck"):
            await using(provider, name).propose(TYPE, None, {"name": "a", "size": 13})
    assert asked(world)[-1] == "close ann:1"


@in_loop
async def test_what_does_not_open_is_told_without_what_it_was_to_be_opened_with(world):
    async with world("does not open") as provider:
        name = (await login(provider, key=SECRET))["password"]
        with pytest.raises(Refusal, match="the door is shut") as refusal:
            await using(provider, name).propose(TYPE, None, {"name": "a"})
        assert "hunter2" not in str(refusal.value.problems)
        with pytest.raises(Refusal, match="not as root") as refusal:
            await login(provider, user="root")
        assert refusal.value.problems[0].label == "user"
        with pytest.raises(Refusal, match="has nothing to open"):
            await provider.look_up(f"{OPEN}fixture_log", {}, later=False)


@in_loop
async def test_it_is_renewed_before_its_time_is_over(world):
    async with world() as provider:
        name = (await login(provider, renew_after=3600))["password"]
        await using(provider, name).propose(TYPE, None, {"name": "a"})
        world.now += 3600
        await using(provider, name).propose(TYPE, None, {"name": "a"})
    assert [each for each in asked(world) if "configured" not in each] == [
        "open ann None",
        "renew ann:1",
        "close ann:1+",
    ]


@in_loop
async def test_it_is_renewed_by_itself_while_nobody_asks(world, monkeypatch):
    monkeypatch.setattr(lasting, "_LEAST_SECONDS", 0.0)
    async with world() as provider:
        name = (await login(provider, renew_after=0))["password"]
        await using(provider, name).propose(TYPE, None, {"name": "a"})
        await asyncio.to_thread(there, world, "renew ann:1")


@in_loop
async def test_what_is_not_renewed_is_closed_and_opened_anew(world, monkeypatch):
    # What is opened anew is due at once by the clock of the tests: no timer may be faster than they are.
    monkeypatch.setattr(lasting, "_LEAST_SECONDS", 3600.0)
    async with world("does not renew") as provider:
        name = (await login(provider, renew_after=3600))["password"]
        await using(provider, name).propose(TYPE, None, {"name": "a"})
        world.now += 3600
        await using(provider, name).propose(TYPE, None, {"name": "a"})
    assert [each for each in asked(world) if "configured" not in each] == [
        "open ann None",
        "renew ann:1",
        "close ann:1",
        "open ann None",
        "close ann:2",
    ]


@in_loop
async def test_it_is_closed_when_nobody_has_used_it_for_a_while(world, monkeypatch):
    monkeypatch.setattr(limits, "OPENED_IDLE_SECONDS", 0.0)
    async with world() as provider:
        name = (await login(provider))["password"]
        await using(provider, name).propose(TYPE, None, {"name": "a"})
        await asyncio.to_thread(there, world, "close ann:1")


@in_loop
async def test_what_is_opened_with_what_is_opened_keeps_that_open(world):
    async with world() as provider:
        first = (await login(provider))["password"]
        second = (await login(using(provider, first), user="bob", key=first))["password"]
        await using(provider, second).propose(TYPE, None, {"name": "a"})
    assert asked(world) == [
        "open ann None",
        "configured opened-for-ann-1",
        "open bob opened-for-ann-1",
        "configured opened-for-bob-2",
        "close bob:2",
        "close ann:1",
    ]


@pytest.mark.parametrize("version", [5, 6])
@in_loop
async def test_a_write_only_attribute_is_sent_and_stands_nowhere(world, version):
    async with world(version=version) as provider:
        names = await login(provider)
        config = {"name": "a", "once": SecretText(("<", *names["password"].parts, ">")), "size": 1}
        proposal = await provider.propose(TYPE, None, config)
        assert proposal.attributes["once"] is None
        made = row(config, await provider.apply(operation("create", config, binding=proposal.binding)))
        assert made.attributes["once"] is None
        assert await provider.kept(TYPE, config) == {"name": "a", "once": None, "size": 1}
        plain = await provider.propose(TYPE, None, {"name": "b", "once": "in clear"})
        assert str(plain.config["once"]) == "(sensitive)"
    assert "once <opened-for-ann-1>" in asked(world)


@in_loop
async def test_a_provider_that_keeps_what_is_write_only_is_found_out(world):
    config = {"name": "a", "once": "do-not-keep"}
    async with world("keeps once") as provider:
        with pytest.raises(ProviderFailed, match="is write-only") as failed:
            await provider.propose(TYPE, None, config)
        assert "do-not-keep" not in str(failed.value)
    async with world("lets once stand") as provider:
        with pytest.raises(ProviderFailed) as failed:
            await provider.apply(operation("create", config))
        assert failed.value.attributes["once"] is None
        assert "do-not-keep" not in repr(failed.value.attributes)


@in_loop
async def test_an_ephemeral_value_is_refused_where_it_would_be_kept(world):
    async with world() as provider:
        names = await login(provider)
        for config, at in (
            ({"name": names["password"]}, "name"),
            ({"name": "a", "tags": {"x": names["password"]}}, "tags.x"),
            ({"name": "a", "port": [{"number": names["ports"]}]}, "port[0].number"),
        ):
            with pytest.raises(Refusal) as refusal:
                await provider.propose(TYPE, None, config)
            assert [(each.code, each.label) for each in refusal.value.problems] == [("E3045", at)]
            with pytest.raises(Refusal):
                await provider.apply(operation("create", config))
    assert asked(world) == []
