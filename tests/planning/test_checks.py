"""Checks while a plan is made: asked as soon as what they see is known, else left to the run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dirigent.model.ids import Address
from dirigent.model.plan import Action, Selection
from dirigent.model.problem import Refusal
from dirigent.model.program import Call, Try
from dirigent.model.resource import ResourceRow
from dirigent.model.stack import Input, Module
from dirigent.model.values import SecretRef, SecretText
from dirigent.planning.compile import compile_plan
from dirigent.planning.safety.checks import unchecked
from dirigent.planning.steps import AFTER, BEFORE, steps_of
from dirigent.ports.resources import Reading
from planning.asked import AT, after, before, checked, named, planned
from planning.world import CREATE_FIRST, refer, resource, stack


def row(name, needs=(), **attributes):
    return ResourceRow(
        Address(name), name, "box", dict(attributes), {"id": f"id-{name}", **attributes}, needs=needs
    )


def refused(*given, **more):
    with pytest.raises(Refusal) as caught:
        planned(*given, **more)
    return caught.value.problems


def steps_named(made):
    return {step.name: step for step in steps_of(made.changes)}


def only(made, address="web"):
    return next(change for change in made.changes if change.address == address)


# --- before a change


def test_what_does_not_hold_beforehand_refuses_the_plan_with_all_that_was_seen():
    declared = stack(
        checked("web", before("$inputs.port > 1023", refer('"port \\($inputs.port) is low"')), size=1)
    )
    (problem,) = refused(declared, inputs={"port": 80})
    assert (problem.code, problem.at, problem.label) == ("E2024", AT, "$inputs.port = 80")
    assert problem.message == "a check of `web` does not hold: port 80 is low"
    assert planned(declared, inputs={"port": 8080}).pending


def test_all_that_does_not_hold_is_said_at_once_and_by_instance():
    declared = stack(
        checked("web", before("$each.key < 1"), count=3), checked("db", before("$inputs.ok"), size=1)
    )
    assert [each.message for each in refused(declared, inputs={"ok": False})] == [
        "a check of `web[1]` does not hold: no",
        "a check of `web[2]` does not hold: no",
        "a check of `db` does not hold: no",
    ]


def test_what_only_warns_lets_the_plan_be_made():
    made = planned(stack(checked("web", before("$inputs.ok", warns=True), size=1)), inputs={"ok": False})
    (known,) = only(made).checks
    assert (known.holds, known.message, known.seen) == (False, "no", {"$inputs.ok": False})
    assert list(steps_named(made)) == ["web"]


def test_it_is_asked_before_its_provider_is():
    asked = []
    declared = stack(checked("web", before("$inputs.ok"), size=1))
    refused(declared, inputs={"ok": False}, propose=asked.append)
    assert asked == []


def test_what_is_not_known_yet_is_left_to_the_run_right_before_the_change():
    declared = stack(resource("db", size=1), checked("web", before('$resources.db.id != "x"'), size=1))
    made = planned(declared)
    assert only(made).checks[0].holds is None
    found = steps_named(made)
    assert found["check before web"].needs == ("db",)
    assert "check before web" in found["web"].needs
    assert found["check before web"].action == BEFORE


def test_what_stands_already_is_known_and_asked_at_once():
    declared = stack(resource("db", size=1), checked("web", before('$resources.db.id == "x"'), size=1))
    (problem,) = refused(declared, rows=[row("db", size=1)])
    assert problem.label == '$resources.db.id = "id-db"'


def test_a_condition_for_the_worker_is_asked_of_it_and_waits_where_it_sees_what_is_unknown():
    declared = stack(
        resource("db", size=1), checked("web", before('$resources.db.id == "id-db" #slow'), size=1)
    )
    assert only(planned(declared)).checks[0].holds is None
    assert only(planned(declared, rows=[row("db", size=1)])).checks[0].holds is True


# --- after a change


def test_what_would_not_hold_afterwards_refuses_the_plan_when_it_is_known():
    (problem,) = refused(stack(checked("web", after("$self.size > 1"), size=1)))
    assert (problem.code, problem.label) == ("E2025", "$self.size = 1")


def test_what_comes_of_the_change_is_asked_in_the_run_even_if_the_plan_knows_it():
    made = planned(stack(checked("web", after("$self.size == 1"), after('$self.id != ""'), size=1)))
    assert [each.holds for each in only(made).checks] == [True, None]
    found = steps_named(made)
    assert (found["check web"].action, found["check web"].needs) == (AFTER, ("web",))


@pytest.mark.parametrize("text", ['$self.id == "x" #slow', '$self.size == 1 and $self.id == "x" #slow'])
def test_the_worker_never_sees_what_is_not_known(text):
    assert only(planned(stack(checked("web", after(text), size=1)))).checks[0].holds is None


def test_what_the_worker_sees_and_is_known_is_asked():
    made = planned(stack(checked("web", after("$self.size == 1 #slow"), size=1)))
    assert only(made).checks[0].holds is True


def test_where_nothing_changes_the_object_is_asked_as_it_was_read():
    declared = stack(checked("web", after('$self.health == "good"'), size=1))
    standing = row("web", size=1)
    reading = Reading({"id": "id-web", "size": 1, "health": "bad"}, {"size": 1})
    (problem,) = refused(declared, rows=[standing], readings={"web": reading})
    assert (problem.code, problem.label) == ("E2025", '$self.health = "bad"')
    healthy = replace(reading, attributes={**reading.attributes, "health": "good"})
    made = planned(declared, rows=[standing], readings={"web": healthy})
    assert (made.pending, steps_named(made), only(made).checks[0].holds) == ((), {}, True)


def test_of_what_is_kept_what_is_not_known_is_asked_in_the_run():
    declared = stack(
        resource("db", size=2, force=2),
        checked("web", after("$self.size < 9 and $resources.db.id != null"), size=1),
        resource("top", needs=("web",), size=1),
    )
    made = planned(declared, rows=[row("db", size=2, force=1), row("web", ("db",), size=1)])
    assert only(made).action is Action.KEEP
    found = steps_named(made)
    assert found["check web"].needs == ("db",)
    assert found["top"].needs == ("check web",)


def test_what_depends_on_it_waits_for_its_checks():
    declared = stack(checked("web", after('$self.id != ""'), size=1), resource("top", needs=("web",), size=1))
    assert steps_named(planned(declared))["top"].needs == ("check web",)


def test_what_a_check_names_is_waited_for():
    declared = stack(checked("web", after("$resources.db.id != $self.id"), size=1), resource("db", size=1))
    made = planned(declared)
    assert only(made).needs == ("db",)


# --- replacements


def test_the_former_one_goes_only_when_the_new_one_has_passed():
    declared = stack(checked("web", after('$self.id != ""'), lifecycle=CREATE_FIRST, force=2))
    found = steps_named(planned(declared, rows=[row("web", force=1)]))
    assert found["delete web#deposed"].needs == ("check web",)


def test_what_must_hold_before_comes_before_the_deletion():
    declared = stack(resource("db", size=1), checked("web", before('$resources.db.id != ""'), force=2))
    found = steps_named(planned(declared, rows=[row("web", force=1)]))
    assert found["delete web"].needs == ("check before web",)


def test_where_it_is_known_only_after_the_deletion_it_is_asked_in_between():
    declared = stack(resource("db", force=2), checked("web", before('$resources.db.id != ""'), force=2))
    found = steps_named(planned(declared, rows=[row("db", force=1), row("web", ("db",), force=1)]))
    assert found["delete web"].needs == ()
    assert found["delete db"].needs == ("delete web",)
    assert found["check before web"].needs == ("db",)
    assert {"check before web", "delete web"} <= set(found["web"].needs)


# --- what is wrong with a condition


@pytest.mark.parametrize("text", ["$inputs.n", "$inputs.n + 1", "$inputs.none"])
def test_what_is_neither_true_nor_false_is_refused_with_its_place(text):
    (problem,) = refused(stack(checked("web", before(text), size=1)), inputs={"n": 1})
    assert (problem.code, problem.at) == ("E2026", AT)


def test_what_has_no_value_is_refused_with_its_place():
    (problem,) = refused(stack(checked("web", before("$inputs.n.m > 0"), size=1)), inputs={"n": 1})
    assert (problem.code, problem.at) == ("E2004", AT)


def test_a_secret_decides_nothing_and_is_not_shown():
    hidden = SecretText((SecretRef("sealed:TOKEN"),))
    declared = stack(checked("web", after("$self.size > 1 and $self.key != null"), size=1))
    standing = row("web", size=1)
    reading = Reading({"id": "x", "size": 1, "key": hidden}, {"size": 1})
    (problem,) = refused(declared, rows=[standing], readings={"web": reading})
    assert problem.label == '$self.key = "(sensitive)", $self.size = 1'
    compared = stack(checked("web", after('$self.key == "x"'), size=1))
    (problem,) = refused(compared, rows=[standing], readings={"web": reading})
    assert (problem.code, "TOKEN" in str(problem)) == ("E2004", False)


def test_a_message_without_a_value_does_not_hide_what_is_wrong():
    bad = before("$inputs.ok", refer("$inputs.ok.deep"))
    (problem,) = refused(stack(checked("web", bad, size=1)), inputs={"ok": False})
    assert problem.code == "E2024"
    assert "has no value" in problem.message


# --- of the stack


def test_checks_of_the_stack_never_refuse_and_come_last():
    checks = (
        named("low", "$inputs.n > 3", refer('"n is \\($inputs.n)"')),
        named("there", '$resources.web.id != ""'),
        named("odd", "$inputs.n"),
        named("none", "$inputs.n.m > 0"),
    )
    made = planned(replace(stack(resource("web", size=1)), checks=checks), inputs={"n": 1})
    assert [(each.name, each.holds) for each in made.checks] == [
        ("low", False),
        ("there", None),
        ("odd", False),
        ("none", False),
    ]
    assert made.checks[0].message == "n is 1"
    graph = compile_plan(made).root.node
    last = graph.tasks[-1]
    assert (last.name, graph.needs[last.name]) == ("check the stack: none", ("web",))
    assert isinstance(last.node, Try)


def test_of_a_part_only_the_checks_are_asked_whose_objects_are_in_it():
    checks = (named("web", '$resources.web.id != ""'), named("db", '$resources.db.id != ""'))
    declared = replace(stack(resource("web", size=1), resource("db", size=1)), checks=checks)
    made = planned(declared, selection=Selection(targets=("db",)))
    assert [each.name for each in made.checks] == ["db"]


def test_where_only_some_instances_are_in_the_plan_nothing_is_asked_of_all():
    checks = (named("all", "$resources.web[1].id != null"), named("db", '$resources.db.id != ""'))
    declared = replace(stack(resource("web", count=2), resource("db", size=1)), checks=checks)
    made = planned(declared, selection=Selection(targets=("web[0]", "db")))
    assert [each.name for each in made.checks] == ["db"]


def test_resources_that_are_left_out_are_not_asked():
    declared = stack(checked("web", before("$inputs.ok"), size=1), resource("db", size=1))
    made = planned(declared, inputs={"ok": False}, selection=Selection(exclude=("web",)))
    assert list(steps_named(made)) == ["db"]


def test_a_module_has_checks_in_every_instance():
    inner = replace(
        stack(checked("box", before("$inputs.n > 0"), after("$self.id != $inputs.n"), size=1)),
        inputs={"n": Input("n", {"type": "integer"})},
        checks=(named("small", "$inputs.n < 9"), named("made", '$resources.box.id != ""')),
    )
    declared = replace(
        stack(replace(resource("net", count=2), type="stack")),
        modules={"net": Module(inner, {"n": refer("$each.key + $inputs.from")})},
    )
    made = planned(declared, inputs={"from": 8})
    assert [(each.name, each.scope, each.holds) for each in made.checks] == [
        ("net[0]/small", "net[0]", True),
        ("net[0]/made", "net[0]", None),
        ("net[1]/small", "net[1]", False),
        ("net[1]/made", "net[1]", None),
    ]
    graph = compile_plan(made).root.node
    task = next(task for task in graph.tasks if task.name == "check net[1]/box")
    assert (task.scope, task.of) == ("net[1]", "net[1]/box")
    assert {each.scope for each in graph.tasks if each.name.startswith("check the stack")} == {
        "net[0]",
        "net[1]",
    }
    (problem,) = refused(declared, inputs={"from": 0})
    assert problem.message.startswith("a check of `net[0]/box`")


# --- what goes


def test_what_goes_is_not_asked():
    declared = stack(resource("web", size=1))
    made = planned(declared, rows=[row("web", size=1), row("gone", size=1)])
    assert [step.action for step in steps_of(made.changes)] == ["delete"]


def test_who_only_looks_can_have_a_stack_without_its_checks():
    inner = replace(stack(checked("box", before("$inputs.ok"))), inputs={"ok": Input("ok", {})})
    declared = replace(
        stack(checked("web", before("$inputs.ok")), resource("net", kind="stack")),
        checks=(named("ok", "$inputs.ok"),),
        modules={"net": Module(inner, {"ok": False})},
    )
    assert {each.code for each in refused(declared, inputs={"ok": False})} == {"E2024"}
    made = planned(unchecked(declared), inputs={"ok": False})
    assert (made.checks, [change.checks for change in made.changes]) == ((), [(), ()])


def test_a_plan_without_checks_has_none_in_its_program():
    graph = compile_plan(planned(stack(resource("web", size=1)))).root.node
    assert [task.name for task in graph.tasks] == ["web"]
    assert all(isinstance(task.node, Call) and not task.of for task in graph.tasks)
