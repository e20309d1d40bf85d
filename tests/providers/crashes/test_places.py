"""An apply by a provider, killed around each append and each call: engine, provider, or both."""

from dataclasses import replace

import pytest

from providers.crashes.workshop import HELD, PARALLEL, Workshop, check_intents, strike
from system.rig.shop import Differs

pytestmark = pytest.mark.slow


def test_an_engine_killed_at_places_of_an_apply_makes_everything_once(raising):
    places = list(raising.engine_places())
    assert len(places) > 20
    for death in places[4 :: len(places) // 3]:
        raising.engine_round(death)
    assert raising.kills > 1


def test_a_provider_killed_around_its_calls_makes_everything_once(raising):
    places = raising.provider_places()
    assert {"ApplyResourceChange 3 after", "PlanResourceChange 1 before"} <= set(places)
    for place in ("ApplyResourceChange 1 before", "ApplyResourceChange 2 after"):
        raising.provider_round(place)


@pytest.mark.parametrize("victim", ["provider", "both"])
def test_an_apply_killed_in_the_middle_is_brought_to_its_end(tmp_path, victim):
    shop = Workshop.made(tmp_path, count=12)
    assert strike(shop, "up", 3, victim)
    shop.until_done()
    shop.check(f"death of {victim}")
    strike(shop, "down", 12 + 3, victim)
    shop.until_done("down")
    shop.check_gone(f"death of {victim} in down")


def test_an_intent_too_many_is_found_out(raising):
    """Of nine files that need nothing two are meant to be made at a time, whatever the plan allows."""
    shop = replace(raising.shop(), count=9)
    shop.write("first")
    shop.until_done()
    shop.check("nothing")
    facts = shop.journal(shop.runs()[0].id)
    with pytest.raises(Differs, match="meant"):
        check_intents(facts, "nothing", most=PARALLEL - 1)


def test_a_ledger_with_a_creation_too_many_is_found_out(raising):
    shop = raising.shop()
    shop.until_done()
    shop.check("nothing")
    place = shop.folder / "world" / "made" / "f1"
    place.write_text(place.read_text() * 2)
    with pytest.raises(Differs, match="creations"):
        shop.check("a second creation")


def test_without_an_identity_a_creation_in_doubt_is_held_and_never_repeated(raising):
    shop = raising.fresh(identity=False)
    with pytest.raises(Differs, match="held"):
        raising.until_done_after(shop, maker="ApplyResourceChange 2 after")
    assert [path for deed, path in shop.ledger() if deed == "create"].count("f1") <= 1


def test_a_person_names_what_a_creation_in_doubt_has_made(raising):
    shop = replace(raising.fresh(identity=False), count=1)
    shop.write("first", identity=False)
    assert shop.live("up", "--yes", maker="ApplyResourceChange 1 after").code == HELD
    run = shop.runs()[0].id
    asked = shop.live("show", run).out
    assert "is there a `maker_file` for `f0`?" in asked
    assert f"dirigent resume {run} --as ID" in asked
    denied = shop.live("resume", run, "--done")
    assert (denied.code, "E2037" in denied.err) == (8, True), denied.err
    wrong = shop.live("resume", run, "--as", "f9")
    assert (wrong.code, "E4013" in wrong.err) == (HELD, True), wrong.err
    assert "E2038" in shop.live("show", run).out
    done = shop.live("resume", run, "--as", "f0=f0")
    assert done.code == 0, done.err
    shop.check("a word of a person")
    assert shop.live("plan", "--check").code == 0
