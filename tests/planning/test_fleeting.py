"""Ephemeral values in a plan: carried as names, and refused where they would be kept."""

import pytest

from dirigent.model.problem import Refusal
from dirigent.model.resource import Lifecycle, Resource
from dirigent.model.source import Span
from dirigent.model.values import OPENED, SecretRef, SecretText
from dirigent.ports.resources import Proposal
from planning.world import World, refer, resource, stack

NAME = SecretText((SecretRef(f"{OPENED}abc#password"),))
LOGIN = Resource("login", "open vault_token", {}, reads=True)
HERE = Span("stack.yaml", 3, 5, 3, 9)


def propose(wish):
    if wish.address == "login":
        return Proposal({"password": NAME}, decided=True)
    return Proposal(dict(wish.config), decided=True)


def refused(*resources, **more):
    with pytest.raises(Refusal) as refusal:
        World().plan(stack(LOGIN, *resources, **more), propose=propose)
    return [(each.code, each.message, each.at) for each in refusal.value.problems]


def test_a_type_of_ours_keeps_no_ephemeral_value():
    user = resource("user", env={"KEY": [refer("$resources.login.password")]}, spans={"env.KEY": HERE})
    ((code, message, at),) = refused(user)
    assert (code, at) == ("E2027", HERE)
    assert message == "`env.KEY[0]` of `user` would keep an ephemeral value, which is never stored"


def test_an_ephemeral_value_decides_no_replacement():
    rule = Lifecycle(replace_when=(refer("$resources.login.password"),))
    assert [each[0] for each in refused(resource("user", lifecycle=rule))] == ["E2027"]


def test_an_output_shows_no_ephemeral_value():
    ((code, message, _),) = refused(outputs={"a": refer("$resources.login.password"), "b": 1})
    assert (code, "`a`" in message) == ("E2028", True)


def test_what_is_not_ephemeral_goes_on():
    declared = stack(LOGIN, resource("user", size=1), outputs={"b": refer("$resources.user.size")})
    assert len(World().plan(declared, propose=propose).changes) == 2
