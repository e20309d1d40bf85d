"""What may have one owner only, in one plan and from one plan to the next."""

import pytest

from dirigent.model.ids import Address
from dirigent.model.plan import Action, Change
from dirigent.model.problem import Refusal
from dirigent.model.source import Span
from dirigent.planning.claims import refuse_shared
from dirigent.ports.resources import Reading

PATH = "the path `/x`"
HERE, THERE = Span("stack.yaml", 3, 1, 3, 2), Span("stack.yaml", 9, 1, 9, 2)


def change(address, action=Action.CREATE, span=HERE):
    return Change(address=Address(address), name=address, type="file", action=action, span=span)


def refused(changes, wanted, readings=()):
    with pytest.raises(Refusal) as refusal:
        refuse_shared(changes, wanted, dict(readings))
    return refusal.value.problems


def test_two_owners_of_one_thing_are_refused_at_both_places():
    (problem,) = refused([change("a"), change("b", span=THERE)], {"a": (PATH,), "b": (PATH,)})
    assert (problem.code, problem.at, problem.others[0].span) == ("E2011", THERE, HERE)
    assert problem.message == "the path `/x` belongs to `a` and to `b`"


def test_each_pair_of_owners_is_named_in_one_pass():
    changes = [change(name) for name in "abcd"]
    found = refused(changes, {"a": (PATH,), "b": (PATH,), "c": (PATH,), "d": ("port 1",)})
    assert [problem.code for problem in found] == ["E2011", "E2011"]


def test_owners_of_different_things_are_no_problem():
    refuse_shared([change("a"), change("b")], {"a": ("port 1",), "b": ("port 2",)}, {})


@pytest.mark.parametrize("action", [Action.DELETE, Action.REPLACE])
def test_a_renamed_resource_cannot_take_what_its_former_self_still_has(action):
    readings = {"former": Reading({}, claims=(PATH,))}
    (problem,) = refused([change("former", action), change("b")], {"b": (PATH,)}, readings.items())
    assert problem.code == "E2012"
    assert "`former`, which this plan would " + action.value in problem.message


@pytest.mark.parametrize("action", [Action.KEEP, Action.UPDATE, Action.FORGET])
def test_what_is_not_given_up_in_this_plan_is_judged_by_what_is_wanted_alone(action):
    refuse_shared([change("a", action), change("b")], {"b": (PATH,)}, {"a": Reading({}, claims=(PATH,))})


def test_a_resource_that_is_replaced_where_it_stands_is_its_own_heir():
    readings = {"a": Reading({}, claims=(PATH,)), "a#deposed": Reading({}, claims=(PATH,))}
    changes = [change("a", Action.REPLACE), change("a#deposed", Action.DELETE)]
    refuse_shared(changes, {"a": (PATH,)}, readings)
