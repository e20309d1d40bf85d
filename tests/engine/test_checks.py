"""Checks in a run: what fails stops what depends on it, and every death changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.simulation import TOOLS
from dirigent.core.decide import decide
from dirigent.core.replay import advance, replay
from dirigent.engine.snapshots import plain as snapshot
from dirigent.model.ids import RunId
from dirigent.model.plan import ApplyPolicy, OnFailure
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Done
from dirigent.model.run.journal import Intended, Succeeded
from dirigent.model.stack import Input, Module
from dirigent.planning.compile import compile_plan
from dirigent.planning.safety.governing import governed
from dirigent.planning.safety.undoing import undo_of
from dirigent.service.views.checks import of_run
from dirigent.stores import codec
from dirigent.testing import Fuse
from engine.boxes import Boxes, Site
from planning.asked import AT, after, before, checked, named, planned
from planning.world import CREATE_FIRST, refer, resource, stack


class Asked(Site):
    """A site whose stacks have checks, in the language of the product."""

    def plan(self, declared, on_failure=OnFailure.KEEP, parallel=16):
        return governed(planned(declared, rows=self.rows()), ApplyPolicy(on_failure, parallel))

    def again(self, *deaths):
        calm = super().again(*deaths)
        return Asked(calm.boxes, calm.disk, calm.clock)


def up(site, declared, run="up-1", on_failure=OnFailure.KEEP, answers=()):
    return site.apply(site.plan(declared, on_failure), run, answers)


def told(site, run="up-1"):
    return [(each.owner, each.when, each.holds) for each in of_run(site.facts(run))]


GOOD, BAD = "$self.id > 0", "$self.id > 1000"
WORDS = refer('"the id is only \\($self.id)"')


def built(*checks):
    """Something with checks, something below it, something upon it, and something beside it."""
    return stack(
        resource("net", size=1),
        checked("web", *checks, size=1, of=refer("$resources.net.id")),
        resource("top", size=1, of=refer("$resources.web.id")),
        resource("side", size=1),
    )


def test_what_holds_lets_the_run_go_on_and_is_put_down():
    site = Asked()
    assert up(site, built(before("$resources.net.id > 0"), after(GOOD))).phase == "completed"
    assert told(site) == [("web", "before", True), ("web", "after", True)]
    assert {"net", "web", "top", "side"} == site.standing().keys()


def test_what_does_not_hold_afterwards_stops_what_depends_on_it_and_the_object_is_kept():
    site = Asked()
    end = up(site, built(after(BAD, WORDS)))
    assert (end.phase, end.fault.title) == ("faulted", "a check of `web` does not hold")
    number = next(row.attributes["id"] for row in site.rows() if row.address == "web")
    assert end.fault.detail == f"E3043: the id is only {number} ($self.id = {number})"
    assert end.fault.span == AT
    assert {"net", "web", "side"} == site.standing().keys()
    assert not any(row.tainted for row in site.rows())
    (view,) = of_run(site.facts("up-1"))
    assert (view.holds, view.message, view.seen) == (False, f"the id is only {number}", {"$self.id": number})


def test_what_does_not_hold_beforehand_stops_the_change_itself():
    site = Asked()
    end = up(site, built(before("$resources.net.id > 1000", "the net is small")))
    assert (end.phase, "E3043: the net is small ($resources.net.id = " in end.fault.detail) == (
        "faulted",
        True,
    )
    assert {"net", "side"} == site.standing().keys()


def test_what_only_warns_stops_nothing():
    site = Asked()
    assert up(site, built(after(BAD, WORDS, warns=True), after(GOOD))).phase == "completed"
    assert told(site) == [("web", "after", False), ("web", "after", True)]
    assert "top" in site.standing()


@pytest.mark.parametrize("text", ["$self.id", "$self.none", "$self"])
def test_what_is_neither_true_nor_false_stops_too(text):
    site = Asked()
    end = up(site, built(after(f"if $self.id > 0 then {text} else true end")))
    assert (end.phase, end.fault.detail.partition(":")[0], end.fault.span) == ("faulted", "E3044", AT)
    assert "top" not in site.standing()


def test_what_has_no_value_stops_with_its_place():
    site = Asked()
    end = up(site, built(after("$self.id.deep > 0")))
    assert (end.phase, end.fault.span) == ("faulted", AT)
    assert {"net", "web", "side"} == site.standing().keys()


def test_a_message_that_has_a_value_only_when_it_is_wanted_is_let_be():
    site = Asked()
    assert up(site, built(after(GOOD, refer("$self.id.deep")))).phase == "completed"


def test_the_worker_is_asked_where_it_is_needed():
    site = Asked()
    assert up(site, built(after(f"{GOOD} #slow"), after(f"{BAD} #slow", warns=True))).phase == "completed"
    assert told(site) == [("web", "after", True), ("web", "after", False)]


def test_each_instance_is_asked_of_itself():
    site = Asked()
    web = checked("web", after("$self.id > 0 and $self.at == $each.key"), count=2, at=refer("$each.key"))
    assert up(site, stack(web)).phase == "completed"
    assert sorted(told(site)) == [("web[0]", "after", True), ("web[1]", "after", True)]


def test_what_is_kept_is_asked_when_what_it_looks_at_changes():
    site = Asked()
    up(site, stack(resource("db", force=1), checked("web", size=1, needs=("db",))))
    declared = stack(
        resource("db", force=2),
        checked("web", after("$self.size == 1 and $resources.db.id > 1000"), size=1, needs=("db",)),
        resource("top", needs=("web",), size=1),
    )
    end = up(site, declared, "up-2")
    assert (end.phase, told(site, "up-2")) == ("faulted", [("web", "after", False)])
    assert {"db", "web"} == site.standing().keys()


def test_the_former_one_stays_when_the_new_one_does_not_pass():
    site = Asked()
    up(site, stack(checked("web", force=1, lifecycle=CREATE_FIRST)))
    up(site, stack(checked("web", after(BAD), force=2, lifecycle=CREATE_FIRST)), "up-2")
    assert {name: box["force"] for name, box in site.standing().items()} == {"web": 2, "web#deposed": 1}


# --- what becomes of the run


def test_on_the_way_back_a_check_stands_in_nobodys_way():
    site = Asked()
    end = up(site, built(after(BAD)), on_failure=OnFailure.COMPENSATE)
    assert (end.phase, site.standing()) == ("faulted", {})
    assert "what had been done was taken back" in end.fault.detail


def test_a_check_that_waits_can_be_passed_over():
    site = Asked()
    end = up(site, built(after(BAD)), on_failure=OnFailure.PAUSE, answers=["skip"])
    assert (end.phase, "top" in site.standing()) == ("completed", True)


def test_what_failed_is_found_again_by_the_next_plan():
    site = Asked()
    up(site, built(after(BAD)))
    assert up(site, built(after(GOOD)), "up-2").phase == "completed"
    assert told(site, "up-2") == []
    assert "top" in site.standing()


# --- of the stack


def test_checks_of_the_stack_are_asked_at_the_end_and_stop_nothing():
    site = Asked()
    checks = (
        named("up", "$resources.top.id > 0"),
        named("big", "$resources.top.id > 1000", "small"),
        named("odd", "$resources.top.id"),
        named("deep", "$resources.top.id.deep > 0"),
        named("slow", "$resources.top.id > 0 #slow"),
    )
    assert up(site, replace(built(), checks=checks)).phase == "completed"
    found = {view.owner: view for view in of_run(site.facts("up-1"))}
    assert {name: view.holds for name, view in found.items()} == {
        "up": True,
        "big": False,
        "odd": False,
        "deep": False,
        "slow": True,
    }
    (top,) = (row.attributes["id"] for row in site.rows() if row.address == "top")
    assert (found["big"].message, found["big"].seen) == ("small", {"$resources.top.id": top})
    assert "deep" in found["deep"].message
    ends = [n for n, fact in enumerate(site.facts("up-1")) if isinstance(fact, Succeeded)]
    asked = [
        n
        for n, fact in enumerate(site.facts("up-1"))
        if isinstance(fact, Intended) and fact.request["action"] == "check"
    ]
    assert len([n for n in ends if n < min(asked)]) == 4


def test_on_the_way_back_checks_of_the_stack_are_not_asked():
    site = Asked()
    declared = replace(built(after(BAD)), checks=(named("up", "$resources.top.id > 0"),))
    assert up(site, declared, on_failure=OnFailure.COMPENSATE).phase == "faulted"
    assert told(site) == [("web", "after", False)]


def test_in_a_module_they_see_what_lies_there():
    site = Asked()
    inner = replace(
        stack(checked("box", after("$self.id > 0 and $inputs.up > 0"), of=refer("$inputs.up"))),
        inputs={"up": Input("up", {"type": "integer"})},
        checks=(named("made", "$resources.box.id > $inputs.up"),),
    )
    root = stack(resource("net", size=1), replace(resource("part", count=2), type="stack"))
    declared = replace(root, modules={"part": Module(inner, {"up": refer("$resources.net.id")})})
    assert up(site, declared).phase == "completed"
    assert sorted(told(site)) == [
        ("part[0]/box", "after", True),
        ("part[0]/made", "end", True),
        ("part[1]/box", "after", True),
        ("part[1]/made", "end", True),
    ]


# --- deaths


WHOLE = replace(
    built(before("$resources.net.id > 0"), after(GOOD), after(BAD, WORDS, warns=True)),
    checks=(named("up", "$resources.top.id > 0"), named("deep", "$resources.top.id.deep > 0")),
)


@pytest.mark.parametrize(
    ("declared", "on_failure"),
    [
        (WHOLE, OnFailure.KEEP),
        (built(after(BAD)), OnFailure.KEEP),
        (built(after(f"{BAD} #slow")), OnFailure.COMPENSATE),
    ],
)
def test_a_death_anywhere_changes_nothing(declared, on_failure):
    calm = Asked()
    wanted = up(calm, declared, on_failure=on_failure)
    for place in range(1, len(calm.boxes.fuse.places) + 1):
        again = Asked(Boxes(Fuse(place)))
        end = up(again, declared, on_failure=on_failure)
        assert again.boxes.fuse.lives == 2
        assert (end.phase, sorted(told(again))) == (wanted.phase, sorted(told(calm))), f"died at {place}"
        assert again.standing().keys() == calm.standing().keys(), f"died at {place}"


# While the worker thinks, what else the check looks at is still to be looked at.
SLOW = built(after(GOOD), after(f"{BAD} #slow", WORDS, warns=True))


def folded(site, declared):
    """Fold the run from a snapshot after each fact; every continuation must want the same."""
    program, facts, numbers = compile_plan(Asked().plan(declared)), site.facts("up-1"), snapshot.Numbers()
    for cut in range(1, len(facts)):
        whole = replay(program, RunId("up-1"), facts[:cut], TOOLS)
        plain = snapshot.capture(whole, numbers)
        again = snapshot.restore(codec.decode_plain(codec.encode_plain(plain)), program, RunId("up-1"), TOOLS)
        for fact in facts[cut:]:
            assert decide(again, whole.now) == decide(whole, whole.now), f"{cut} facts kept"
            advance(whole, fact)
            advance(again, fact)
        assert (again.phase, again.result) == (whole.phase, whole.result)


def test_a_snapshot_anywhere_keeps_what_a_check_sees():
    site = Asked()
    up(site, SLOW)
    folded(site, SLOW)


# --- the negative controls


def test_a_snapshot_that_forgets_what_a_check_sees_is_caught(monkeypatch):
    site = Asked()
    up(site, SLOW)
    monkeypatch.setattr(snapshot, "within", lambda frame, task: {})
    with pytest.raises((AssertionError, Refusal)):
        folded(site, SLOW)


def test_a_judge_that_lets_everything_pass_is_caught(monkeypatch):
    monkeypatch.setattr("dirigent.providers.apply.answered", lambda request: Done(None))
    site = Asked()
    assert up(site, built(after(BAD))).phase == "completed"


def test_a_way_back_without_the_checks_is_caught(monkeypatch):
    def forgetful(steps, tasks):
        return {name: task for name, task in undo_of(steps, tasks).items() if not name.startswith("check")}

    monkeypatch.setattr("dirigent.planning.compile.undo_of", forgetful)
    site = Asked()
    up(site, built(after(GOOD), after(BAD)), on_failure=OnFailure.COMPENSATE)
    # What fails is not begun in vain: the check that stands keeps all that it needs.
    assert site.standing() != {}
