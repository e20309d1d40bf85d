"""What a plan says of each instance, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dirigent.model.ids import Address
from dirigent.model.plan import Action, fingerprint
from dirigent.model.problem import Problem, Refusal
from dirigent.model.resource import Lifecycle
from dirigent.model.source import Span
from dirigent.model.values import Expression, Unknown
from dirigent.planning.destroy import drift, plan_destroy
from dirigent.planning.plan import evaluate_outputs
from dirigent.ports.resources import Proposal, Reading
from planning.plain_language import PlainLanguage, drive
from planning.world import CREATE_FIRST, World, actions, propose, refer, resource, secret, stack

HERE = Span("stack.yaml", 7, 5, 7, 9)


def change_of(made, address):
    return next(change for change in made.changes if change.address == address)


def codes(caught):
    return [problem.code for problem in caught.value.problems]


def test_what_is_not_there_is_created_and_what_hangs_on_it_stays_an_expression():
    made = World().plan(stack(resource("web", url=refer("$resources.db.id")), resource("db", size=1)))
    assert actions(made) == {"db": "create", "web": "create"}
    assert change_of(made, "web").config == {"url": Expression("$resources.db.id")}
    assert change_of(made, "web").needs == ("db",)


def test_an_attribute_that_is_foretold_is_a_literal_already():
    made = World().plan(stack(resource("db", size=1), resource("web", room=refer("$resources.db.size + 1"))))
    assert change_of(made, "web").config == {"room": 2}


def test_a_change_is_an_update_with_its_path_and_its_place():
    world = World()
    world.up(stack(resource("web", env={"LEVEL": "info"})))
    made = world.plan(stack(resource("web", env={"LEVEL": "debug"}, spans={"with.env.LEVEL": HERE})))
    (found,) = change_of(made, "web").differences
    assert (found.path, found.before, found.after, found.span) == ("env.LEVEL", "info", "debug", HERE)
    assert change_of(made, "web").because == "`env.LEVEL` differs"


def test_only_a_forcing_path_that_changes_replaces():
    world = World()
    world.up(stack(resource("web", force=1, size=1)))
    assert actions(world.plan(stack(resource("web", force=1, size=2)))) == {"web": "update"}
    made = world.plan(stack(resource("web", force=2, size=2)))
    assert actions(made) == {"web": "replace"}
    assert change_of(made, "web").because == "`force` forces replacement"
    assert [item.forces_replacement for item in change_of(made, "web").differences] == [True, False]


def test_who_sees_a_replaced_resource_is_judged_again():
    world = World()
    world.up(stack(resource("db", force=1), resource("web", url=refer("$resources.db.id"))))
    made = world.plan(stack(resource("db", force=2), resource("web", url=refer("$resources.db.id"))))
    assert actions(made) == {"db": "replace", "web": "update"}
    (found,) = change_of(made, "web").differences
    assert found.before == "id-1"
    assert isinstance(found.after, Unknown)


def test_an_update_in_place_leaves_those_alone_who_see_what_does_not_change():
    world = World()
    world.up(stack(resource("db", size=1), resource("web", url=refer("$resources.db.id"))))
    made = world.plan(stack(resource("db", size=2), resource("web", url=refer("$resources.db.id"))))
    assert actions(made) == {"db": "update", "web": "keep"}


def test_what_is_gone_is_created_again():
    world = World()
    world.up(stack(resource("web", size=1)))
    world.readings = {"web": Reading(None)}
    made = world.plan(stack(resource("web", size=1)))
    assert actions(made) == {"web": "create"}
    assert change_of(made, "web").because == "gone since it was applied"
    assert [change.address for change in drift(made)] == ["web"]


def test_what_somebody_changed_is_changed_back():
    world = World()
    world.up(stack(resource("web", size=1)))
    world.readings = {"web": Reading({"id": "id-1", "size": 5}, {"size": 5})}
    made = world.plan(stack(resource("web", size=1)))
    change = change_of(made, "web")
    assert (change.action, change.drifted, change.because) == (Action.UPDATE, True, "changed outside: `size`")
    assert [(item.before, item.after) for item in change.differences] == [(5, 1)]


def test_a_change_that_the_stack_follows_is_still_recorded():
    world = World()
    world.up(stack(resource("web", size=1)))
    world.readings = {"web": Reading({"id": "id-1", "size": 5}, {"size": 5})}
    made = world.up(stack(resource("web", size=5)))
    assert actions(made) == {"web": "update"}
    world.readings = {"web": Reading({"id": "id-1", "size": 5})}
    assert world.plan(stack(resource("web", size=5))).pending == ()


def test_what_the_lifecycle_ignores_is_left_alone_also_in_an_update():
    world = World()
    ignoring = Lifecycle(ignore=("env.LEVEL", "with.size"))
    world.up(stack(resource("web", env={"LEVEL": "info", "A": 1}, size=1, lifecycle=ignoring)))
    world.readings = {"web": Reading({"id": "id-1"}, {"size": 9})}
    same = resource("web", env={"LEVEL": "debug", "A": 1}, size=2, lifecycle=ignoring)
    assert world.plan(stack(same)).pending == ()
    made = world.plan(stack(replace(same, config={"env": {"LEVEL": "debug", "A": 2}, "size": 2})))
    assert change_of(made, "web").config == {"env": {"LEVEL": "info", "A": 2}, "size": 9}
    assert [item.path for item in change_of(made, "web").differences] == ["env.A"]


def test_what_is_made_anew_is_as_the_stack_says_also_where_the_lifecycle_ignores():
    world = World()
    ignoring = Lifecycle(ignore=("size",))
    world.up(stack(resource("web", force=1, size=1, lifecycle=ignoring)))
    made = world.plan(stack(resource("web", force=2, size=2, lifecycle=ignoring)))
    assert change_of(made, "web").config == {"force": 2, "size": 2}
    world.rows["web"] = replace(world.rows["web"], tainted=True)
    made = world.plan(stack(resource("web", force=1, size=3, lifecycle=ignoring)))
    assert change_of(made, "web").config == {"force": 1, "size": 3}


def test_a_tainted_instance_and_one_of_another_type_are_made_anew():
    world = World()
    world.up(stack(resource("web"), resource("db")))
    world.rows["web"] = replace(world.rows["web"], tainted=True)
    made = world.plan(stack(resource("web"), resource("db", kind="jar")))
    assert actions(made) == {"web": "replace", "db": "replace"}
    assert change_of(made, "web").because == "its creation failed half-way"
    assert change_of(made, "db").because == "its type changes from `box` to `jar`"


def test_what_is_no_longer_declared_is_deleted_and_says_why():
    world = World()
    world.up(stack(resource("web", count=2), resource("eu", each=["a", "b"]), resource("old"), resource("x")))
    made = world.plan(stack(resource("web", count=1), resource("eu", each=["a"]), resource("x", count=1)))
    reasons = {str(c.address): c.because for c in made.changes if c.action is Action.DELETE}
    assert reasons == {
        "web[1]": "`count` of `web` no longer reaches it",
        'eu["b"]': "`each` of `eu` no longer has `b`",
        "old": "removed from the stack",
        "x": "`x` is declared in another shape",
    }


def test_what_is_removed_and_already_gone_is_only_forgotten():
    world = World()
    world.up(stack(resource("old")))
    world.readings = {"old": Reading(None)}
    made = world.up(stack())
    assert [change.action for change in made.changes] == [Action.FORGET]
    assert world.log[-1] == "forget old"
    assert world.rows == {}


def test_every_protected_instance_that_would_go_is_listed():
    world = World()
    guarded = Lifecycle(protect=True)
    world.up(stack(*(resource(name, lifecycle=guarded, force=1) for name in ("a", "b", "c"))))
    with pytest.raises(Refusal) as caught:
        world.plan(
            stack(resource("a", lifecycle=guarded, force=2), resource("c", lifecycle=guarded, force=1))
        )
    assert codes(caught) == ["E2008", "E2008"]
    with pytest.raises(Refusal) as caught:
        plan_destroy("shop", tuple(world.rows.values()), {}, 0.0)
    assert codes(caught) == ["E2008"] * 3


def test_taking_the_protection_away_is_a_change_that_no_provider_sees():
    world = World()
    world.up(stack(resource("a", lifecycle=Lifecycle(protect=True))))
    made = world.up(stack(resource("a")))
    assert [item.path for item in change_of(made, "a").differences] == ["lifecycle.protect"]
    assert world.log[-1] == "record a"
    assert not world.rows["a"].protect
    world.down()
    assert world.rows == {}


def test_a_need_alone_is_recorded_so_that_going_down_knows_it():
    world = World()
    world.up(stack(resource("a"), resource("b")))
    made = world.up(stack(resource("a", needs=["b"]), resource("b")))
    assert actions(made) == {"a": "update", "b": "keep"}
    assert world.log[-1] == "record a"
    world.down(choose=max)
    assert world.log[-2:] == ["delete a", "delete b"]


def test_create_first_makes_the_new_one_before_the_old_one_goes():
    world = World()
    world.up(stack(resource("web", force=1, lifecycle=CREATE_FIRST)))
    made = world.up(stack(resource("web", force=2, lifecycle=CREATE_FIRST)))
    assert change_of(made, "web").create_first
    assert world.log[-2:] == ["web", "delete web#deposed"]
    assert list(world.rows) == ["web"]


def test_delete_first_is_the_default():
    world = World()
    world.up(stack(resource("web", force=1)))
    world.up(stack(resource("web", force=2)))
    assert world.log[-2:] == ["delete web", "web"]


def test_create_first_spreads_to_all_that_it_stands_on():
    def declared(force):
        return stack(
            resource("net", force=force),
            resource("db", force=force, needs=["net"]),
            resource("web", force=force, needs=["db"], lifecycle=CREATE_FIRST),
            resource("aside", force=force),
        )

    world = World()
    world.up(declared(1))
    made = world.up(declared(2))
    first = {str(change.address): change.create_first for change in made.changes}
    assert first == {"net": True, "db": True, "web": True, "aside": False}


def test_a_deposed_row_of_a_broken_replacement_is_cleared_away_beside_a_new_one():
    world = World()
    world.up(stack(resource("web", force=1, lifecycle=CREATE_FIRST)))
    world.rows["web#deposed"] = replace(world.rows["web"], address=Address("web#deposed"))
    made = world.up(stack(resource("web", force=2, lifecycle=CREATE_FIRST)))
    assert change_of(made, "web#deposed").because == "left over from a replacement"
    assert list(world.rows) == ["web"]
    assert set(world.log[-3:]) == {"web", "delete web#deposed", "delete web#deposed2"}


def test_an_update_lets_go_before_what_it_stood_on_is_deleted():
    world = World()
    world.up(stack(resource("a"), resource("b"), resource("web", on=refer("$resources.a.id"))))
    world.up(stack(resource("b"), resource("web", on=refer("$resources.b.id"))), choose=max)
    assert world.log[-2:] == ["web", "delete a"]


def test_a_new_direction_of_need_that_makes_a_circle_is_still_ordered():
    # Old: x below a below web. New: a goes, and web stands on x, which is made anew.
    world = World()
    world.up(stack(resource("x", force=1), resource("a", needs=["x"]), resource("web", needs=["a"], size=1)))
    world.up(stack(resource("x", force=2), resource("web", needs=["x"], size=2)))
    assert world.log[-4:] == ["delete a", "delete x", "x", "web"]


def test_instances_are_seen_as_a_list_or_an_object():
    made = World().plan(
        stack(
            resource("web", count=2, size=refer("$each.key")),
            resource("eu", each={"a": 1}, size=refer("$each.value")),
            resource("none", count=0),
            resource("all", list=refer("$resources.web"), one=refer('$resources.eu["a"].size')),
            resource("nothing", list=refer("$resources.none")),
        )
    )
    seen = change_of(made, "all").config
    assert seen["one"] == 1
    assert seen["list"] == Expression("$resources.web")
    assert change_of(made, "nothing").config == {"list": []}
    (found, _) = change_of(made, "all").differences
    assert [(item["size"], type(item["id"])) for item in found.after] == [(0, Unknown), (1, Unknown)]
    assert made.empty == {"none": []}


def test_secrets_are_names_and_the_same_name_is_no_change():
    declared = stack(resource("web", key=refer('"a" + $secrets.pay')), secrets=["pay"])
    world = World()
    made = world.up(declared)
    assert str(change_of(made, "web").config["key"]) == "a(secret pay)"
    assert world.plan(declared).pending == ()
    assert world.plan(stack(resource("web", key=secret("pay")))).pending != ()


def test_what_the_language_cannot_evaluate_is_asked_for_unless_it_waits():
    declared = stack(
        resource("db", size=refer("worker(1 + 2)")),
        resource("web", room=refer("worker($resources.db.size + 1)"), url=refer("worker($resources.db.id)")),
    )
    made = World().plan(declared)
    assert change_of(made, "db").config == {"size": 3}
    assert change_of(made, "web").config == {"room": 4, "url": Expression("worker($resources.db.id)")}


def test_every_expression_without_a_value_is_reported_with_its_place():
    wrong = {"a": Expression('1 + "x"', HERE), "b": Expression("$nothing.x", HERE), "c": "worker(ok"}
    with pytest.raises(Refusal) as caught:
        World().plan(stack(resource("web", **wrong)))
    assert codes(caught) == ["E2004", "E2004"]
    assert all(problem.at == HERE for problem in caught.value.problems)
    with pytest.raises(Refusal) as caught:
        World().plan(stack(resource("web", a=refer('worker(1 + "x")'))))
    assert "cannot be added" in caught.value.problems[0].message


def test_providers_refuse_all_at_once_and_at_the_property_that_they_name():
    def refusing(wish):
        return Refusal([Problem("E3102", f"{wish.address}: no such mode", label="mode")])

    declared = stack(resource("a", mode=1, spans={"with.mode": HERE}), resource("b"))
    with pytest.raises(Refusal) as caught:
        World().plan(declared, propose=refusing)
    assert codes(caught) == ["E3102", "E3102"]
    assert [problem.at for problem in caught.value.problems] == [HERE, None]


def test_an_attribute_that_the_provider_means_to_change_is_an_update():
    def newer(wish):
        return Proposal({**propose(wish).attributes, "size": 2})

    world = World()
    world.up(stack(resource("web", size=1)))
    made = world.plan(stack(resource("web", size=1)), propose=newer)
    assert [(item.path, item.after) for item in change_of(made, "web").differences] == [("size", 2)]


def test_the_id_is_that_of_the_content_and_the_fingerprint_that_of_the_world():
    world = World()
    first = world.plan(stack(resource("web", size=1)))
    assert first.id == world.plan(stack(resource("web", size=1, spans={"with.size": HERE}))).id
    assert first.id != world.plan(stack(resource("web", size=2))).id
    assert len(first.id) == 12
    world.up(stack(resource("web", size=1)))
    assert fingerprint(tuple(world.rows.values())) != first.fingerprint


def test_inputs_and_the_stack_are_seen_and_outputs_follow_the_rows():
    declared = stack(
        resource("web", size=refer("$inputs.n + 1"), of=refer("$stack.name")),
        outputs={"url": refer("$resources.web.id"), "n": refer("$inputs.n")},
    )
    world = World()
    made = world.up(declared, {"n": 1})
    assert change_of(made, "web").config == {"size": 2, "of": "shop"}
    assert made.outputs == {"url": Expression("$resources.web.id"), "n": 1}
    asking = evaluate_outputs(declared, {"n": 1}, tuple(world.rows.values()), PlainLanguage())
    assert drive(asking, propose) == {"url": "id-1", "n": 1}


def test_outputs_without_a_row_are_null_or_empty():
    declared = stack(resource("web", count=0), outputs={"all": refer("$resources.web")})
    asking = evaluate_outputs(declared, {}, (), PlainLanguage())
    assert drive(asking, propose) == {"all": []}
