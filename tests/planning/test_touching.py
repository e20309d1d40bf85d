"""What a plan touches, which world it is bound to, and which other plan it would meet."""

from dataclasses import replace

from dirigent.model.ids import Address
from dirigent.planning.destroy import plan_destroy
from dirigent.planning.safety.touching import Touch, in_conflict, touch_of, world_of
from planning.world import World, refer, resource, stack

NET = resource("net", size=1)
DB = resource("db", of=refer("$resources.net.id"))
WEB = resource("web", needs=("db",))
LOG = resource("log", size=1)


def standing(*resources):
    world = World()
    world.up(stack(*resources))
    return world


def test_a_plan_touches_what_it_changes_and_what_that_needs_all_the_way_down():
    world = standing(NET, DB, LOG)
    made = world.plan(stack(NET, DB, LOG, WEB))
    assert touch_of(made.changes) == Touch(("web",), ("db", "net"))


def test_what_is_deleted_touches_what_it_stood_on():
    world = standing(NET, DB, WEB, LOG)
    made = world.plan(stack(NET, DB, LOG))
    assert touch_of(made.changes) == Touch(("web",), ("db", "net"))
    everything = plan_destroy("shop", tuple(world.rows.values()), {}, 0.0)
    assert touch_of(everything.changes).reads == ()


def test_a_plan_that_changes_nothing_touches_nothing():
    assert touch_of(standing(NET, DB).plan(stack(NET, DB)).changes) == Touch((), ())


def test_a_plan_is_bound_to_what_it_touches_and_to_nothing_else():
    world = standing(NET, DB, LOG)
    made = world.plan(stack(NET, DB, LOG, WEB))
    rows = dict(world.rows)
    assert world_of(made.changes, tuple(rows.values())) == made.fingerprint
    for name, bound in (("log", False), ("db", True), ("net", True)):
        other = {**rows, name: replace(rows[name], attributes={"id": "another"})}
        assert (world_of(made.changes, tuple(other.values())) != made.fingerprint) is bound, name


def test_a_plan_is_bound_to_there_being_nothing_where_it_creates():
    world = standing(NET, DB)
    made = world.plan(stack(NET, DB, WEB))
    taken = replace(world.rows["db"], address=Address("web"), name="web")
    assert world_of(made.changes, (*world.rows.values(), taken)) != made.fingerprint
    left = replace(taken, address=Address("web#deposed"))
    assert world_of(made.changes, (*world.rows.values(), left)) != made.fingerprint


def test_two_plans_meet_in_what_one_changes_and_the_other_changes_or_reads():
    web, db, both = Touch(("web",), ("db",)), Touch(("db",), ()), Touch(("log",), ("db",))
    assert in_conflict(web, web) == ("web",)
    assert in_conflict(web, db) == ("db",)
    assert in_conflict(db, web) == ("db",)
    assert in_conflict(web, both) == (), "to read the same is no conflict"
    assert in_conflict(web, Touch(("log",), ())) == ()
