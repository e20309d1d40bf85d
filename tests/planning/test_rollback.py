"""The plan of a way back: whatever was changed since, what stood then stands again."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.model.plan import Action
from dirigent.model.problem import Problem, Refusal
from dirigent.model.resource import Lifecycle
from dirigent.model.values import Unknown
from dirigent.planning.safety.rollback import ANEW, LOST, Return, plan_rollback
from dirigent.planning.safety.touching import world_of
from dirigent.ports.resources import Reading
from planning.plain_language import drive
from planning.world import World, propose, refer, resource, stack

NET, OLD = resource("net", size=1), resource("old", size=1)
DB = resource("db", size=1, of=refer("$resources.net.id"))
BASE = stack(NET, DB, OLD, resource("swap", force=1))
NEXT = stack(
    NET,
    resource("db", size=2, of=refer("$resources.net.id")),
    resource("swap", force=2),
    resource("web", of=refer("$resources.db.id")),
)


def applied(*declared):
    world = World()
    for each in declared:
        world.up(each)
    return world


def back(world, then, declared=BASE, setups=None):
    rows = tuple(world.rows.values())
    return drive(
        plan_rollback(Return(declared, "up-1", then, rows, world.readings, setups=setups or {})), propose
    )


def configs(world):
    return {address: (row.type, row.config, row.needs, row.protect) for address, row in world.rows.items()}


def test_what_a_provider_refuses_of_what_stood_then_names_what_it_is_about():
    world = applied(BASE)
    then = tuple(world.rows.values())
    world.up(NEXT)

    def refusing(wish):
        if wish.address in {"db", "old"}:
            return Refusal([Problem("E3013", "that is not allowed any more")])
        return propose(wish)

    with pytest.raises(Refusal) as refusal:
        drive(plan_rollback(Return(BASE, "up-1", then, tuple(world.rows.values()), world.readings)), refusing)
    assert [each.message for each in refusal.value.problems] == [
        "`db`: that is not allowed any more",
        "`old`: that is not allowed any more",
    ]


def test_what_stood_then_stands_again():
    world = applied(BASE)
    then, wanted = tuple(world.rows.values()), configs(world)
    world.up(NEXT)
    made = back(world, then)
    actions = {change.address: change.action for change in made.pending}
    assert actions == {
        "db": Action.UPDATE,
        "swap": Action.REPLACE,
        "old": Action.CREATE,
        "web": Action.DELETE,
    }
    world.apply(made)
    assert configs(world) == wanted
    assert not back(world, then).pending


def test_the_plan_says_what_it_cannot_bring_back_and_why():
    world = applied(BASE)
    then = tuple(world.rows.values())
    world.up(NEXT)
    made = {change.address: change for change in back(world, then).pending}
    assert made["old"].warnings == (ANEW,)
    assert made["web"].warnings == made["swap"].warnings == (LOST,)
    assert made["db"].warnings == ()
    assert made["old"].because == "it stood after up-1"
    assert made["web"].because == "it was not there after up-1"


def test_the_plan_is_bound_to_what_it_touches_and_names_where_it_goes():
    world = applied(BASE)
    then = tuple(world.rows.values())
    world.up(NEXT)
    made = back(world, then)
    rows = tuple(world.rows.values())
    assert (made.rollback, made.fingerprint) == ("up-1", world_of(made.changes, rows))
    assert made.id == back(world, then).id != world.plan(BASE).id


def test_what_drifted_since_is_put_right_too():
    world = applied(BASE)
    then = tuple(world.rows.values())
    world.readings = {"old": Reading(None), "db": Reading({"id": "id-2"}, {"size": 9})}
    made = {change.address: change.action for change in back(world, then).pending}
    assert made == {"old": Action.CREATE, "db": Action.UPDATE}


def test_a_protected_instance_is_not_taken_away():
    world = applied(stack(NET))
    then = tuple(world.rows.values())
    world.up(stack(NET, resource("safe", size=1, lifecycle=Lifecycle(protect=True))))
    with pytest.raises(Refusal) as caught:
        back(world, then)
    assert caught.value.problems[0].code == "E2008"


@pytest.mark.parametrize(("setups", "code"), [({}, "E2047"), ({"box": {"at": Unknown(("net",))}}, "E2051")])
def test_a_provider_that_cannot_be_asked_refuses_the_plan(setups, code):
    world = applied(stack(NET))
    then = tuple(replace(row, provider="box") for row in world.rows.values())
    with pytest.raises(Refusal) as caught:
        back(world, then, setups=setups)
    assert caught.value.problems[0].code == code


def test_back_to_where_nothing_stood_takes_everything_away():
    world = applied(BASE)
    made = back(world, ())
    assert {change.action for change in made.pending} == {Action.DELETE}


NAMES = "abcde"
sizes = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3), max_size=5)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(sizes, min_size=2, max_size=4), st.integers(0, 2))
def test_any_history_leads_back(histories, goal):
    world, states = World(), []
    for sizes_now in histories:
        items = [
            resource(name, force=size, needs=[n for n in sizes_now if n < name])
            for name, size in sizes_now.items()
        ]
        world.up(stack(*items))
        states.append((tuple(world.rows.values()), configs(world)))
    then, wanted = states[min(goal, len(states) - 1)]
    world.apply(back(world, then))
    assert configs(world) == wanted
