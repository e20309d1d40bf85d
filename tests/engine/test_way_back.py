"""What becomes of an apply when a step fails: kept, held, or taken back, through deaths everywhere."""

from dataclasses import replace

import pytest

from dirigent.model.plan import Action, OnFailure
from dirigent.model.resource import Lifecycle, Replace
from dirigent.model.run.journal import Failed, Held, Intended, Succeeded
from dirigent.planning.compile import compile_plan
from dirigent.planning.safety.undoing import losses
from engine.boxes import Boxes, Site
from planning.world import refer, resource, stack

BACK = OnFailure.COMPENSATE
FIRST = Lifecycle(replace=Replace.CREATE_FIRST)

NET = resource("net", size=1)
DB = resource("db", size=1, of=refer("$resources.net.id"))
OLD = resource("old", size=1)
SWAP = resource("swap", force=1)
FLIP = resource("flip", force=1, lifecycle=FIRST)
BASE = stack(NET, DB, OLD, SWAP, FLIP)

# One of each: updated, replaced both ways, deleted, created, created upon that; and what fails in the end.
WEB = resource("web", of=refer("$resources.db.id"), size=3)
BAD = resource("bad", needs=("web", "swap", "flip", "db"), fail=True)
NEXT = stack(
    NET,
    resource("db", size=2, of=refer("$resources.net.id")),
    resource("swap", force=2),
    resource("flip", force=2, lifecycle=FIRST),
    WEB,
    BAD,
)


@pytest.fixture
def site():
    site = Site()
    assert site.apply(site.plan(BASE), "up-1").phase == "completed"
    return site


def changed(site, declared=NEXT, on_failure=BACK, run="up-2", answers=()):
    return site.apply(site.plan(declared, on_failure), run, answers)


def test_what_was_done_is_taken_back_whatever_it_was(site):
    before = site.standing()
    end = changed(site)
    assert (end.phase, site.standing()) == ("faulted", before)
    assert "the box cannot be made" in end.fault.detail
    assert "what had been done was taken back" in end.fault.detail


def test_each_step_is_taken_back_once_before_what_it_needed(site):
    made = site.plan(NEXT, BACK)
    site.apply(made, "up-2")
    facts = site.facts("up-2")
    begun = {fact.position: n for n, fact in enumerate(facts) if isinstance(fact, Intended)}
    ended = {fact.position: n for n, fact in enumerate(facts) if isinstance(fact, Succeeded)}
    graph = compile_plan(made).root.node
    places = {task.name: task.pointer for task in graph.tasks}
    ahead = [name for name in places if places[name] in begun]
    assert len(begun) == 2 * len(ahead) == sum(isinstance(fact, Intended) for fact in facts)
    pairs = [(name, need) for name in ahead for need in graph.needs[name]]
    assert len(pairs) > 5
    for name, need in pairs:
        assert ended[f"{places[name]}/undo"] < begun[f"{places[need]}/undo"], f"{need} before {name}"


def test_after_the_way_back_a_plan_finds_again_what_there_is_to_do(site):
    before = {change.address: change.action for change in site.plan(NEXT).pending}
    changed(site)
    assert {change.address: change.action for change in site.plan(NEXT).pending} == before
    assert not site.plan(BASE).pending
    site.boxes.mended = True
    assert changed(site, run="up-3").phase == "completed"


def test_keep_leaves_what_was_done(site):
    end = changed(site, on_failure=OnFailure.KEEP)
    assert end.phase == "faulted"
    assert {"web", "db", "swap", "flip"} == site.standing().keys() - {"net"}
    assert site.standing()["db"]["size"] == 2


def test_nothing_new_starts_when_a_step_has_failed_and_what_is_under_way_ends(site):
    many = [resource(f"later{number}", needs=("slow",), size=1) for number in range(5)]
    declared = stack(*BASE.resources.values(), resource("bad", fail=True), resource("slow", size=1), *many)
    changed(site, declared)
    made = [address for action, address in site.boxes.asked if action == "create"]
    assert not [address for address in made if address.startswith("later")]


def test_a_step_that_failed_half_way_is_taken_back_too(site):
    before = site.standing()
    changed(site, stack(*BASE.resources.values(), resource("bad", fail="half")))
    assert site.standing() == before


def test_an_update_that_failed_gets_its_former_configuration_again(site):
    before = site.standing()
    declared = stack(NET, DB, SWAP, FLIP, resource("old", size=1, fail=True))
    assert changed(site, declared).phase == "faulted"
    assert site.standing() == before
    assert site.boxes.asked[-1] == ("update", "old")


def test_what_cannot_be_taken_back_stands_and_so_does_what_it_needs(site):
    pillar = resource("pillar", size=1)
    kept = resource("kept", needs=("pillar",), size=1, lifecycle=Lifecycle(protect=True))
    lone = resource("lone", size=1)
    bad = resource("bad", needs=("kept", "lone"), fail=True)
    declared = stack(*BASE.resources.values(), pillar, kept, lone, bad)
    made = site.plan(declared, BACK)
    assert [(loss.address, loss.whole) for loss in losses(made)] == [("kept", True)]
    end = site.apply(made, "up-2")
    assert {"pillar", "kept"} == site.standing().keys() - {"net", "db", "old", "swap", "flip"}
    assert "not taken back: `pillar`, `kept`" in end.fault.detail


def test_the_plan_says_beforehand_what_would_be_lost(site):
    found = {loss.address: loss for loss in losses(site.plan(NEXT, BACK))}
    assert found.keys() == {"old", "swap", "flip"}
    assert not any(loss.whole for loss in found.values())
    assert "what it held is lost" in found["old"].why


def test_a_row_without_a_configuration_cannot_be_made_again(site):
    made = site.plan(stack(NET, DB, SWAP, FLIP), BACK)
    bare = tuple(
        replace(change, prior=replace(change.prior, config={})) if change.action is Action.DELETE else change
        for change in made.changes
    )
    (loss,) = losses(replace(made, changes=bare))
    assert (loss.address, loss.whole) == ("old", True)


# --- held until it is mended


def test_a_step_that_fails_waits_and_what_does_not_need_it_goes_on(site):
    side = resource("side", size=1)
    after = resource("after", needs=("bad",), size=1)
    declared = stack(*NEXT.resources.values(), side, after)
    end = changed(site, declared, OnFailure.PAUSE, answers=["repeat"])
    assert end.phase == "completed"
    facts = site.facts("up-2")
    held = next(number for number, fact in enumerate(facts) if isinstance(fact, Held))
    assert facts[held].evidence["failed"]["detail"] == "the box cannot be made"
    assert not any(isinstance(fact, Failed) for fact in facts)
    assert {"bad", "side", "after"} <= site.standing().keys()


def test_a_creation_that_failed_half_way_is_made_again_and_not_twice(site):
    declared = stack(*BASE.resources.values(), resource("bad", fail="half"))
    assert changed(site, declared, OnFailure.PAUSE, answers=["repeat"]).phase == "completed"
    assert site.standing()["bad"] == {"fail": "half"}
    assert not next(row for row in site.rows() if row.address == "bad").tainted


def test_a_step_that_is_passed_over_is_found_again_by_the_next_plan(site):
    declared = stack(*BASE.resources.values(), resource("bad", fail=True))
    assert changed(site, declared, OnFailure.PAUSE, answers=["skip"]).phase == "completed"
    assert [change.address for change in site.plan(declared).pending] == ["bad"]


def test_at_most_so_many_steps_are_under_way_as_the_policy_says(site):
    made = site.plan(stack(*(resource(f"b{number}", size=1) for number in range(9))), parallel=3)
    site.apply(made, "up-2")
    under_way = most = 0
    for fact in site.facts("up-2"):
        under_way += isinstance(fact, Intended) - (type(fact).__name__ == "Succeeded")
        most = max(most, under_way)
    assert most == 3


# --- deaths


def die_everywhere(site, declared, on_failure, answers=(), second=(None, 2)):
    """Apply it with a death at every place, and another one after that; return how many lives were lost."""
    calm = site.again()
    wanted = changed(calm, declared, on_failure, answers=answers)
    places, lost = len(calm.boxes.fuse.places), 0
    for first in range(1, places + 1):
        for then in second:
            again = site.again(*([first] if then is None else [first, then]))
            end = changed(again, declared, on_failure, answers=answers)
            where = f"died at {first}, {then}: {again.boxes.asked}"
            assert (end.phase, again.standing()) == (wanted.phase, calm.standing()), where
            lost += again.boxes.fuse.lives - 1
    return lost


@pytest.mark.slow
def test_a_death_anywhere_in_the_way_back_changes_nothing(site):
    assert die_everywhere(site, NEXT, BACK) > 100


def test_a_death_anywhere_in_a_small_way_back_changes_nothing(site):
    declared = stack(NET, DB, SWAP, FLIP, resource("bad", fail="half", needs=("net",)))
    assert die_everywhere(site, declared, BACK) > 20


@pytest.mark.slow
def test_a_death_anywhere_while_a_step_waits_to_be_mended_changes_nothing(site):
    declared = stack(NET, DB, SWAP, FLIP, WEB, resource("bad", fail="half", needs=("net",)))
    assert die_everywhere(site, declared, OnFailure.PAUSE, ["repeat"]) > 20


# --- the negative controls


def test_a_provider_that_makes_a_second_one_in_doubt_is_caught(site):
    site.boxes = replace(site.boxes, blind=True)
    with pytest.raises(AssertionError, match="lost or forgotten"):
        die_everywhere(site, stack(*BASE.resources.values(), WEB, BAD), BACK)


def test_a_plan_without_a_way_back_is_caught(site, monkeypatch):
    monkeypatch.setattr("dirigent.planning.compile.undo_of", lambda steps, tasks: {})
    before = site.standing()
    changed(site)
    assert site.standing() != before


def test_a_world_that_forgets_a_box_is_caught(site):
    site.boxes = Boxes()
    with pytest.raises(AssertionError, match="lost or forgotten"):
        site.standing()
