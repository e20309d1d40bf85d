"""Create-first: what it is forced upon, that rows remember it, and the order that comes of it."""

from dataclasses import replace

import pytest

from dirigent.model.ids import Address
from dirigent.model.resource import row_of, value_of
from dirigent.ports.resources import Proposal
from planning.world import CREATE_FIRST, World, propose, resource, stack


def actions(made):
    return {str(change.address): change.action.value for change in made.changes}


def first(made):
    return {str(change.address): change.create_first for change in made.changes}


def remembered(world):
    return {address: row.create_first for address, row in world.rows.items()}


def chain(force, *, lifecycle=CREATE_FIRST):
    """Return a stack in which only `net` is replaced when `force` changes."""
    return stack(
        resource("net", force=force),
        resource("db", needs=["net"]),
        resource("web", needs=["db"], size=1, lifecycle=lifecycle),
        resource("aside", force=force),
    )


def test_it_is_forced_on_what_it_stands_on_though_it_is_not_replaced_itself():
    world = World()
    world.up(chain(1))
    assert remembered(world) == {"net": True, "db": True, "web": True, "aside": False}
    made = world.up(chain(2))
    assert first(made) == {"net": True, "db": False, "web": False, "aside": True} | {"aside": False}
    # What stands on it never stands on nothing.
    assert world.log.index("delete net#deposed") > world.log.index("net", 4)
    assert set(actions(world.plan(chain(2))).values()) == {"keep"}


def test_a_row_learns_of_it_and_forgets_it_without_its_provider():
    world = World()
    world.up(chain(1, lifecycle=None))
    made = world.up(chain(1))
    # What it stands on learns of it with its next change; what is planned until then knows it all the same.
    assert actions(made) == {"web": "update", "net": "keep", "db": "keep", "aside": "keep"}
    (told,) = made.changes[0].differences
    assert (told.path, told.before, told.after) == ("lifecycle.replace", "delete-first", "create-first")
    assert world.log[-1] == "record web"
    assert set(actions(world.plan(chain(1))).values()) == {"keep"}
    assert first(world.plan(chain(2)))["net"]
    world.up(chain(1, lifecycle=None))
    assert not any(remembered(world).values())


def test_what_no_one_demands_any_more_is_forgotten():
    world = World()
    world.up(chain(1))
    made = world.up(chain(1, lifecycle=None))
    assert actions(made) == {"net": "update", "db": "update", "web": "update", "aside": "keep"}
    assert not any(remembered(world).values())


def test_what_is_left_out_of_a_plan_has_its_say_by_what_its_row_remembers():
    world = World()
    declared = stack(resource("db", force=1), resource("web", needs=["db"], lifecycle=CREATE_FIRST))
    world.up(declared)
    anew = stack(resource("db", force=2), resource("web", needs=["db"], lifecycle=CREATE_FIRST))
    from_part = world.plan(anew, selection=replace(world.plan(anew).selection, targets=("db",)))
    (change,) = from_part.changes
    assert (change.create_first, change.lingers) == (True, True)


@pytest.mark.parametrize("remembers", [True, False])
def test_what_goes_still_forces_it_so_that_nothing_moves_away_too_late(remembers):
    # `web` moves from `old` to `net`, on which `old` stood; `net` is made anew.
    world = World()
    lifecycle = CREATE_FIRST if remembers else None
    world.up(
        stack(
            resource("net", force=1),
            resource("old", needs=["net"], lifecycle=lifecycle),
            resource("web", needs=["old"], size=1),
        )
    )
    made = world.up(stack(resource("net", force=2), resource("web", needs=["net"], size=2)))
    assert actions(made) == {"net": "replace", "web": "update", "old": "delete"}
    assert first(made)["net"] is remembers
    moved = world.log.index("web", 3) < world.log.index("delete old")
    assert moved is remembers


def test_who_stood_on_a_leftover_moves_on_before_it_goes():
    # A crash between the halves: the successor stands, and `web` has not learnt of it.
    world = World()
    world.up(stack(resource("db", size=1), resource("web", needs=["db"], size=1)))
    world.rows["db#deposed"] = replace(world.rows["db"], address=Address("db#deposed"))
    world.up(stack(resource("db", size=1), resource("web", needs=["db"], size=2)), choose=min)
    assert world.log[-2:] == ["web", "delete db#deposed"]


@pytest.mark.parametrize("choose", [min, max])
def test_who_stood_on_a_leftover_goes_before_it(choose):
    world = World()
    world.up(stack(resource("db"), resource("web", needs=["db"])))
    world.rows["db#deposed"] = replace(world.rows["db"], address=Address("db#deposed"))
    world.down(choose=choose)
    assert world.log.index("delete web") < world.log.index("delete db#deposed")


def test_what_has_only_one_place_is_replaced_as_ever_for_who_stays():
    def claimed(wish):
        found = propose(wish)
        return Proposal(found.attributes, replace=found.replace, claims=(f"the place {wish.address}",))

    world = World()
    declared = stack(resource("db"), resource("web", needs=["db"], lifecycle=CREATE_FIRST))
    world.up(declared)
    world.rows["db"] = replace(world.rows["db"], tainted=True)
    made = world.plan(declared, propose=claimed)
    assert (actions(made)["db"], first(made)["db"]) == ("replace", False)
    world.apply(made)
    assert remembered(world)["db"]


def test_a_deletion_carries_what_its_row_remembers():
    world = World()
    world.up(chain(1))
    assert first(world.plan_down(world.plan(chain(1)).selection))["web"]
    assert first(world.plan(stack()))["web"]


def test_a_row_is_given_on_with_it():
    world = World()
    world.up(chain(1))
    row = world.rows["web"]
    assert row_of("web", value_of(row)) == row
    former = {name: each for name, each in value_of(row).items() if name != "createFirst"}
    assert not row_of("web", former).create_first
