"""Negative controls: the same rounds on engines with a planted fault. Each must be found out."""

import pytest

from system.rig.shop import Differs, Shop
from system.rig.storm import Ordering
from system.rig.world import Errand, World, counting
from system.test_place_order import KINDS

pytestmark = pytest.mark.slow

MONEY = "/do/1/place/try/1/charge/try/0/takeMoney"


@pytest.fixture
def shop(forge, tmp_path):
    # A shop for each plant: a planted engine may leave a run open, whose charge would take the fault
    # that was ordered for somebody else's.
    made = Shop.made(tmp_path, forge)
    made.calm("up", "--yes")
    yield made
    forge.sweep()


def found_out(campaign, deaths, plant):
    """Return what the rounds of a planted engine complain about."""
    complaints = []
    for death in deaths:
        try:
            campaign.round(death, plant=plant)
        except Differs as complaint:
            complaints.append(str(complaint))
    return complaints


def around(deaths, *names):
    """Return the deaths at places of these names."""
    return [death for death in deaths if death.name.startswith(names)]


def test_a_result_that_is_recorded_before_the_effect_is_found_out(shop, tally):
    ordering = Ordering(shop, "result-first", tally)
    deaths = around(ordering.learn(), f"before openapi {MONEY}", f"after Succeeded {MONEY}")
    assert len(deaths) == 2
    complaints = found_out(ordering, deaths, "result first")
    assert any("charges of" in each and "0 is not 1" in each for each in complaints), complaints


def test_an_attempt_that_a_crash_burns_is_found_out(shop, tally):
    ordering = Ordering(shop, "burnt", tally)
    deaths = around(ordering.learn(), f"before openapi {MONEY}", f"after openapi {MONEY}")
    complaints = found_out(ordering, deaths, "crash burns attempt")
    assert len(complaints) == len(deaths) == 2
    assert all("attempts of" in each for each in complaints), complaints


def test_attempts_that_are_counted_instead_of_recorded_are_found_out(shop, tally):
    ordering = Ordering(shop, "counted", tally)
    deaths = around(ordering.learn(), f"after openapi {MONEY}")
    (complaint,) = found_out(ordering, deaths, "attempts counted")
    assert "E4001" in complaint, complaint


def test_a_key_that_changes_with_the_attempt_is_found_out(shop, tally):
    ordering = Ordering(shop, "key-per-attempt", tally, **KINDS["dies-after-commit"])
    deaths = around(ordering.learn(), "engaged")
    (complaint,) = found_out(ordering, deaths, "key per attempt")
    assert "charges of" in complaint, complaint
    assert "2 is not 1" in complaint, complaint


def test_a_key_that_changes_with_the_engine_is_found_out(shop, tally):
    ordering = Ordering(shop, "key-per-engine", tally)
    deaths = around(ordering.learn(), f"after openapi {MONEY}")
    (complaint,) = found_out(ordering, deaths, "key per engine")
    assert "2 is not 1" in complaint, complaint


def test_an_engine_that_acts_before_the_intent_is_durable_is_found_out(lone_forge, tmp_path, tally):
    with counting() as server:
        world = World.of(tmp_path, lone_forge, server)
        posting = Errand(world, "notify", tally, lambda run: server.posts[run])
        deaths = around(posting.learn(), "after http /do/1/post")
        (complaint,) = found_out(posting, deaths, "intent late")
        assert "was done 2 times, unasked" in complaint, complaint


def test_an_engine_that_does_not_ask_the_server_is_found_out(lone_forge, tmp_path, tally):
    with counting() as server:
        world = World.of(tmp_path, lone_forge, server)
        paying = Errand(world, "pay", tally, lambda run: server.posts[run])
        deaths = around(paying.learn(), "after http /do/1/post")
        (complaint,) = found_out(paying, deaths, "asks nobody")
        assert "was done 2 times, unasked" in complaint, complaint


def test_the_planted_engines_are_right_as_long_as_nothing_crashes(shop, tally):
    ordering = Ordering(shop, "calm", tally)
    ordering.learn()
    for plant in (
        "result first",
        "crash burns attempt",
        "attempts counted",
        "key per engine",
        "intent late",
        "asks nobody",
    ):
        ordering.round(plant=plant)
