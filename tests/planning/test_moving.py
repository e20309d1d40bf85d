"""Other names for what stands, letting go of it, and taking over what exists."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dirigent.model.ids import Address
from dirigent.model.plan import Selection
from dirigent.model.problem import Refusal
from dirigent.model.resource import Lifecycle
from dirigent.model.stack import Adoption, Errand, Move, Release
from dirigent.planning.rows.errand import only_import, plan_errand
from dirigent.planning.safety.touching import touch_of, world_of
from dirigent.ports.resources import Reading
from planning.world import World, actions, refer, resource, stack


def change_of(made, address):
    return next(change for change in made.changes if change.address == address)


def refused(work, *args, **more):
    with pytest.raises(Refusal) as caught:
        work(*args, **more)
    return caught.value.problems


def world_with(*resources):
    world = World()
    world.up(stack(*resources))
    world.log.clear()
    return world


def test_a_new_name_is_no_change_of_the_world_and_those_who_stand_on_it_follow():
    world = world_with(resource("web", size=1), resource("app", url=refer("$resources.web.id")))
    declared = stack(
        resource("site", size=1),
        resource("app", url=refer("$resources.site.id")),
        moved=[("web", "site")],
    )
    made = world.plan(declared)
    assert actions(made) == {"site": "keep", "app": "keep"}
    assert [change.address for change in made.pending] == ["site", "app"]
    assert change_of(made, "site").because == "moved from `web`"
    world.apply(made)
    assert world.log == ["move rows"]
    assert world.rows["site"].attributes["id"] == "id-1"
    assert world.rows["app"].needs == ("site",)


def test_an_entry_that_was_followed_says_nothing_any_more():
    world = world_with(resource("web", size=1))
    declared = stack(resource("site", size=1), moved=[("web", "site"), ("never", "there")])
    world.up(declared)
    assert world.plan(declared).pending == ()


def test_a_chain_is_followed_to_its_end_from_wherever_a_state_is():
    history = [("a", "b"), ("b", "c"), ("c", "d")]
    for former in "abc":
        world = world_with(resource(former, size=1))
        made = world.up(stack(resource("d", size=1), moved=history))
        assert (change_of(made, "d").moved_from, world.made) == (former, 1)


@pytest.mark.parametrize(
    ("before", "after", "moves", "where"),
    [
        ({}, {"count": 1}, [("web", "web[0]")], {"web[0]"}),
        ({}, {"each": ["eu"]}, [("web", 'web["eu"]')], {'web["eu"]'}),
        ({"count": 1}, {}, [("web[0]", "web")], {"web"}),
        (
            {"count": 2},
            {"each": ["a", "b"]},
            [("web[0]", 'web["a"]'), ("web[1]", 'web["b"]')],
            {'web["a"]', 'web["b"]'},
        ),
    ],
)
def test_instances_move_into_and_out_of_a_number_of_them(before, after, moves, where):
    world = world_with(resource("web", size=1, **before))
    made = world.up(stack(resource("web", size=1, **after), moved=moves))
    assert ({*world.rows}, world.made) == (where, len(where))
    assert {change.action.value for change in made.changes} == {"keep"}
    assert {row.name for row in world.rows.values()} == {"web"}


def test_a_resource_moves_with_all_its_instances_and_their_leftovers():
    world = world_with(resource("web", count=2))
    row = world.rows["web[1]"]
    world.rows["web[1]#deposed"] = replace(row, address=Address("web[1]#deposed"))
    made = world.up(stack(resource("site", count=2), moved=[("web", "site")]))
    assert {*world.rows} == {"site[0]", "site[1]"}
    assert change_of(made, "site[1]#deposed").moved_from == "web[1]#deposed"
    assert world.log == ["move rows", "delete site[1]#deposed"]


def test_one_fewer_with_a_new_name_for_the_one_that_leaves():
    world = world_with(resource("web", count=3))
    made = world.up(stack(resource("web", count=2), resource("site"), moved=[("web[2]", "site")]))
    assert actions(made) == {"web[0]": "keep", "web[1]": "keep", "site": "keep"}
    assert world.made == 3


def test_what_moves_may_change_in_the_same_plan_and_only_after_it():
    world = world_with(resource("web", force=1))
    made = world.up(stack(resource("site", force=2), moved=[("web", "site")]))
    assert actions(made) == {"site": "replace"}
    assert world.log == ["move rows", "delete site", "site"]


def test_what_moves_to_a_name_that_nothing_declares_is_deleted_there():
    world = world_with(resource("web"))
    made = world.up(stack(moved=[("web", "gone")]))
    assert (actions(made), world.rows) == ({"gone": "delete"}, {})


def test_what_was_seen_under_the_former_name_counts():
    world = world_with(resource("web", size=1))
    world.readings = {"web": Reading(None)}
    made = world.plan(stack(resource("site", size=1), moved=[("web", "site")]))
    assert (change_of(made, "site").action.value, change_of(made, "site").drifted) == ("create", True)


def test_two_that_would_have_one_name_are_refused():
    world = world_with(resource("web"), resource("site"))
    (problem,) = refused(world.plan, stack(resource("site"), moved=[("web", "site")]))
    assert problem.code == "E2016"
    shifted = world_with(resource("web", count=3))
    moves = [("web[1]", "web[0]"), ("web[2]", "web[1]")]
    assert refused(shifted.plan, stack(resource("web", count=2), moved=moves))[0].code == "E2016"


def test_nothing_moves_away_from_what_is_declared():
    world = world_with(resource("web", count=2))
    declared = stack(resource("web", count=2), resource("site"), moved=[("web[1]", "site")])
    (problem,) = refused(world.plan, declared)
    assert problem.code == "E2018"


def test_a_move_keeps_the_type():
    world = world_with(resource("web"))
    (problem,) = refused(world.plan, stack(resource("site", kind="jar"), moved=[("web", "site")]))
    assert (problem.code, "`box`" in problem.message) == ("E2017", True)


def test_a_target_moves_alone_and_what_is_left_out_stays_where_it_is():
    world = world_with(resource("a"), resource("b"))
    declared = stack(resource("x"), resource("y"), moved=[("a", "x"), ("b", "y")])
    made = world.plan(declared, selection=Selection(targets=("x",)))
    world.apply(made)
    assert {*world.rows} == {"x", "b"}
    world.up(declared)
    assert {*world.rows} == {"x", "y"}


def test_a_plan_is_bound_to_the_address_that_it_takes_a_row_from():
    world = world_with(resource("web"))
    rows = tuple(world.rows.values())
    made = world.plan(stack(resource("site"), moved=[("web", "site")]))
    assert touch_of(made.changes).writes == ("site", "web")
    assert world_of(made.changes, rows) == made.fingerprint
    assert world_of(made.changes, [replace(rows[0], tainted=True)]) != made.fingerprint


def test_what_is_let_go_of_stays_and_no_provider_is_called():
    world = world_with(resource("web", count=2, lifecycle=Lifecycle(protect=True)), resource("app"))
    made = world.up(stack(resource("app"), forget=["web"]))
    assert actions(made) == {"app": "keep", "web[0]": "release", "web[1]": "release"}
    assert world.log == ["release web[0]", "release web[1]"]
    assert {*world.rows} == {"app"}
    assert world.plan(stack(resource("app"), forget=["web"])).pending == ()


def test_what_is_gone_already_is_forgotten_and_not_let_go_of():
    world = world_with(resource("web"))
    world.readings = {"web": Reading(None)}
    assert actions(world.plan(stack(forget=["web"]))) == {"web": "forget"}


def test_what_a_replacement_left_is_let_go_of_while_its_successor_stays():
    world = world_with(resource("web"))
    world.rows["web#deposed"] = replace(world.rows["web"], address=Address("web#deposed"))
    made = world.up(stack(resource("web"), forget=["web#deposed"]))
    assert actions(made) == {"web": "keep", "web#deposed": "release"}
    assert {*world.rows} == {"web"}


def test_what_is_declared_is_not_let_go_of():
    world = world_with(resource("web", count=2))
    (problem,) = refused(world.plan, stack(resource("web", count=2), forget=["web[1]"]))
    assert problem.code == "E2018"
    assert actions(world.plan(stack(resource("web", count=1), forget=["web[1]"])))["web[1]"] == "release"


def test_what_exists_is_taken_over_and_then_changed_in_one_plan():
    world = World()
    declared = stack(
        resource("net"),
        resource("web", needs=("net",), size=5),
        resource("app", url=refer("$resources.web.id")),
        imports=[Adoption("web", "b-7")],
    )
    made = world.plan(declared)
    change = change_of(made, "web")
    assert (change.action.value, change.imported) == ("update", "b-7")
    (found,) = change.differences
    assert (found.path, found.before, found.after) == ("size", 9, 5)
    world.apply(made)
    assert world.log == ["net", "import web", "web", "app"]
    assert world.rows["web"].needs == ("net",)
    assert world.plan(declared).pending == ()


def test_what_is_as_declared_is_only_taken_over():
    world = World()
    declared = stack(resource("web", size=9), resource("app", needs=("web",)), imports=[Adoption("web", "b")])
    made = world.up(declared)
    assert (change_of(made, "web").action.value, change_of(made, "web").because) == (
        "keep",
        "imported as `b`",
    )
    assert world.log == ["import web", "app"]


def test_an_import_that_was_cut_off_after_its_first_step_goes_on_as_an_update():
    world = World()
    declared = stack(resource("web", size=5), imports=[Adoption("web", "b")])
    made = world.plan(declared)
    graph_only_import = replace(
        made, changes=tuple(replace(each, action=each.action.KEEP) for each in made.changes)
    )
    world.apply(graph_only_import)
    again = world.plan(declared)
    assert (actions(again), change_of(again, "web").imported) == ({"web": "update"}, "")


def test_what_is_taken_over_and_cannot_be_changed_in_place_is_replaced():
    world = World()
    made = world.up(stack(resource("web", force=2), imports=[Adoption("web", "b")]))
    assert actions(made) == {"web": "replace"}
    assert world.log == ["import web", "delete web", "web"]


def test_imports_with_each_and_with_a_number_of_them():
    world = World()
    each = Adoption("web", refer("$each.value"), {"de": "b-1", "en": "b-2"})
    counted = Adoption("box", refer("$each.value"), ["c-1", "c-2"])
    declared = stack(
        resource("web", each=["de", "en"], size=9),
        resource("box", count=2, size=9),
        imports=[each, counted],
    )
    world.up(declared)
    assert {address: row.attributes["id"] for address, row in world.rows.items()} == {
        'web["de"]': "b-1",
        'web["en"]': "b-2",
        "box[0]": "c-1",
        "box[1]": "c-2",
    }


@pytest.mark.parametrize(
    ("imports", "code"),
    [
        ([Adoption("web", "nothing")], "E2020"),
        ([Adoption("web[3]", "b")], "E2019"),
        ([Adoption("web", "b"), Adoption("web", "c")], "E2019"),
        ([Adoption("web", 7)], "E2019"),
        ([Adoption("web", "b", 3)], "E2019"),
    ],
)
def test_an_import_that_is_of_no_use_is_refused(imports, code):
    (problem,) = refused(World().plan, stack(resource("web"), imports=imports))
    assert problem.code == code


def test_an_errand_moves_lets_go_and_nothing_else():
    world = world_with(resource("web"), resource("app", needs=("web",)), resource("old"))
    made = plan_errand("shop", tuple(world.rows.values()), Errand(moves=(Move("web", "site"),)), 0.0)
    assert [change.address for change in made.changes] == ["site", "app"]
    world.apply(made)
    assert world.rows["app"].needs == ("site",)
    world.apply(plan_errand("shop", tuple(world.rows.values()), Errand(releases=(Release("old"),)), 0.0))
    assert {*world.rows} == {"site", "app"}


@pytest.mark.parametrize(
    ("errand", "code"),
    [
        (Errand(moves=(Move("wbe", "site"),)), "E2013"),
        (Errand(moves=(Move("web", "app"),)), "E2016"),
        (Errand(releases=(Release("nobody"),)), "E2013"),
    ],
)
def test_an_errand_for_what_is_not_there_is_refused(errand, code):
    world = world_with(resource("web"), resource("app"))
    (problem,) = refused(plan_errand, "shop", tuple(world.rows.values()), errand, 0.0)
    assert problem.code == code


def test_an_import_by_hand_changes_nothing_of_it():
    world, entry = World(), Adoption("web", "b")
    made = world.plan(stack(resource("web", size=5), imports=[entry]), selection=Selection(("web",)))
    only = only_import(made, Errand(adoption=entry), ())
    world.apply(only)
    assert (world.log, world.rows["web"].attributes["size"]) == (["import web"], 9)
    again = world.plan(stack(resource("web", size=5), imports=[entry]), selection=Selection(("web",)))
    (problem,) = refused(only_import, again, Errand(adoption=entry), ())
    assert problem.code == "E2023"
