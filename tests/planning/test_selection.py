"""Plans for a part of a stack: targets, what is left out, and what is to be made anew."""

from __future__ import annotations

import pytest

from dirigent.model.ids import canonical
from dirigent.model.plan import Selection
from dirigent.model.problem import Refusal
from dirigent.model.resource import Lifecycle
from dirigent.ports.resources import Proposal, Reading
from planning.world import CREATE_FIRST, World, actions, propose, refer, resource, stack

CHAIN = stack(
    resource("net", size=1),
    resource("db", net=refer("$resources.net.id")),
    resource("web", db=refer("$resources.db.id")),
    resource("mail", size=1),
    outputs={"mail": refer("$resources.mail.id"), "web": refer("$resources.web.id")},
)


def plan(world, declared, targets=(), exclude=(), anew=(), propose=propose):
    return world.plan(declared, selection=Selection(targets, exclude, anew), propose=propose)


def refused(world, declared, **words):
    with pytest.raises(Refusal) as caught:
        plan(world, declared, **words)
    return caught.value.problems


def change_of(made, address):
    return next(change for change in made.changes if change.address == address)


def test_a_target_comes_with_all_that_it_needs_and_nothing_else():
    made = plan(World(), CHAIN, targets=("db",))
    assert actions(made) == {"net": "create", "db": "create"}
    assert made.left_out == ("mail", "web")


def test_several_targets_come_together():
    assert list(actions(plan(World(), CHAIN, targets=("net", "mail")))) == ["net", "mail"]


def test_what_is_excluded_takes_away_all_that_needs_it():
    made = plan(World(), CHAIN, exclude=("db",))
    assert actions(made) == {"net": "create", "mail": "create"}
    assert made.left_out == ("db", "web")


def test_a_target_and_an_exclusion_may_stand_together():
    assert actions(plan(World(), CHAIN, targets=("web", "mail"), exclude=("mail",))) == {
        "net": "create",
        "db": "create",
        "web": "create",
    }


def test_what_is_left_out_is_seen_as_it_stands_and_is_not_touched():
    world = World()
    world.up(CHAIN)
    changed = stack(*({**CHAIN.resources, "mail": resource("mail", size=2)}).values(), outputs=CHAIN.outputs)
    made = plan(world, changed, targets=("web",))
    assert (made.pending, made.outputs["mail"]) == ((), world.rows["mail"].attributes["id"])
    assert actions(plan(world, changed, targets=("mail",))) == {"mail": "update"}


def test_a_target_does_not_ask_how_many_of_another_there_will_be():
    declared = stack(
        resource("list", size=1), resource("many", count=refer("$resources.list.id")), resource("z")
    )
    assert refused(World(), declared)[0].code == "E2007"
    assert actions(plan(World(), declared, targets=("list",))) == {"list": "create"}


def test_an_instance_is_a_target_and_its_siblings_are_not():
    declared = stack(resource("web", count=3), resource("shop", each=["de", "en"]))
    made = plan(World(), declared, targets=("web[1]", 'shop["de"]'))
    assert actions(made) == {"web[1]": "create", 'shop["de"]': "create"}
    assert made.left_out == ('shop["en"]', "web[0]", "web[2]")


def test_an_instance_is_excluded_with_all_that_needs_its_resource():
    declared = stack(resource("web", count=2), resource("front", needs=("web",)))
    made = plan(World(), declared, exclude=("web[0]",))
    assert actions(made) == {"web[1]": "create"}
    assert made.left_out == ("front", "web[0]")


@pytest.mark.parametrize(
    ("word", "meant"), [("wbe", "web"), ("web[7]", "web[0]"), ('web["a"]', "web[0]"), ("zzzz", "dirigent ps")]
)
@pytest.mark.parametrize("kind", ["targets", "exclude", "anew"])
def test_what_is_not_there_is_refused_with_what_may_have_been_meant(kind, word, meant):
    (problem,) = refused(World(), stack(resource("web", count=2)), **{kind: (word,)})
    assert (problem.code, f"`{word}`" in problem.message) == ("E2013", True)
    assert meant in problem.help[0]


def test_what_is_declared_no_more_is_a_target_and_takes_in_what_stands_on_it():
    world = World()
    world.up(CHAIN)
    without = stack(resource("web", size=2), resource("mail", size=2))
    made = plan(world, without, targets=("db",))
    assert actions(made) == {"db": "delete", "web": "update"}
    world.apply(made)
    assert set(world.rows) == {"net", "web", "mail"}


def test_what_is_declared_no_more_stays_while_something_that_is_left_out_stands_on_it():
    world = World()
    world.up(CHAIN)
    without = stack(resource("web", size=2), resource("mail", size=2))
    made = plan(world, without, exclude=("web",))
    assert actions(made) == {"mail": "update"}
    assert made.left_out == ("db", "net", "web")


def test_a_smaller_count_keeps_the_instance_on_which_something_left_out_stands():
    world = World()
    world.up(stack(resource("web", count=2), resource("front", needs=("web",))))
    fewer = stack(resource("web", count=1), resource("front", needs=("web",)))
    made = plan(world, fewer, targets=("web",))
    assert (actions(made), made.left_out) == ({"web[0]": "keep"}, ("front", "web[1]"))
    assert actions(world.plan(fewer))["web[1]"] == "delete"


def test_what_is_replaced_create_first_lingers_for_those_who_are_left_out():
    world = World()
    world.up(stack(resource("db", force=1, lifecycle=CREATE_FIRST), resource("web", needs=("db",))))
    anew = stack(resource("db", force=2, lifecycle=CREATE_FIRST), resource("web", needs=("db",)))
    made = plan(world, anew, targets=("db",))
    (change,) = made.changes
    assert (change.action.value, change.lingers) == ("replace", True)
    assert "`web` stands on it" in change.warnings[0]
    world.apply(made)
    assert set(world.rows) == {"db", "db#deposed", "web"}
    assert actions(world.plan(anew))["db#deposed"] == "delete"
    world.up(anew)
    assert set(world.rows) == {"db", "web"}


def test_who_is_left_out_is_named_where_the_former_one_goes_first():
    world = World()
    world.up(stack(resource("db", force=1), resource("web", needs=("db",))))
    made = plan(world, stack(resource("db", force=2), resource("web", needs=("db",))), targets=("db",))
    assert "does not learn of the new one" in made.changes[0].warnings[0]
    assert not made.changes[0].lingers


def test_what_is_to_be_made_anew_is_replaced_although_nothing_differs():
    world = World()
    world.up(CHAIN)
    made = plan(world, CHAIN, anew=("db",))
    assert actions(made) == {"net": "keep", "db": "replace", "web": "update", "mail": "keep"}
    assert change_of(made, "db").because == "asked for with `--replace`"
    before = world.rows["db"].attributes["id"]
    world.apply(made)
    assert world.rows["db"].attributes["id"] != before


def test_one_instance_is_made_anew_and_one_that_is_not_there_is_only_made():
    world = World()
    world.up(stack(resource("web", count=2)))
    made = plan(world, stack(resource("web", count=3)), anew=("web[0]", "web[2]"))
    assert actions(made) == {"web[0]": "replace", "web[1]": "keep", "web[2]": "create"}


def test_what_is_protected_is_not_made_anew():
    world, guarded = World(), stack(resource("db", lifecycle=Lifecycle(protect=True)))
    world.up(guarded)
    (problem,) = refused(world, guarded, anew=("db",))
    assert problem.code == "E2008"
    assert "asked for with `--replace`" in problem.message


def test_what_is_left_out_cannot_be_made_anew():
    (problem,) = refused(World(), CHAIN, targets=("net",), anew=("web",))
    assert problem.code == "E2014"


def test_the_one_before_is_shown_to_a_provider_whose_new_one_stands_in_its_place():
    seen = []

    def noted(wish):
        seen.append((wish.prior is None, wish.succeeds and wish.succeeds.attributes["id"]))
        return propose(wish)

    world = World()
    world.up(stack(resource("db")))
    plan(world, stack(resource("db")), anew=("db",), propose=noted)
    assert seen == [(False, None), (True, "id-1")]


def test_two_that_own_one_thing_cannot_stand_at_once():
    def claiming(wish):
        return Proposal({"id": "x"}, claims=("the path `/etc/x`",))

    world = World()
    world.up(stack(resource("db", lifecycle=CREATE_FIRST)))
    (problem,) = refused(world, stack(resource("db", lifecycle=CREATE_FIRST)), anew=("db",), propose=claiming)
    assert problem.code == "E2015"
    made = plan(world, stack(resource("db")), anew=("db",), propose=claiming)
    assert actions(made) == {"db": "replace"}


def test_a_destruction_takes_what_stands_on_its_targets_and_spares_what_the_excluded_stands_on():
    world = World()
    world.up(CHAIN)
    assert set(actions(world.plan_down(Selection(targets=("db",))))) == {"db", "web"}
    spared = world.plan_down(Selection(exclude=("db",)))
    assert set(actions(spared)) == {"web", "mail"}
    assert spared.left_out == ("db", "net")
    with pytest.raises(Refusal) as caught:
        world.plan_down(Selection(targets=("dbb",)))
    assert caught.value.problems[0].help == ("did you mean `db`?",)


def test_a_part_has_an_id_of_its_own_and_the_fingerprint_of_the_whole_world():
    world = World()
    world.up(CHAIN)
    part, whole = plan(world, CHAIN, targets=("net",)), world.plan(CHAIN)
    assert part.id != whole.id
    assert part.fingerprint == whole.fingerprint


def test_the_leftover_of_a_replacement_goes_with_its_instance():
    world = World()
    world.up(stack(resource("a"), resource("b")))
    row = world.rows["a"]
    world.rows["a#deposed"] = type(row)(**{**fields_of(row), "address": "a#deposed"})
    world.readings = {"a": Reading(row.attributes)}
    assert actions(plan(world, stack(resource("a"), resource("b")), targets=("a",)))["a#deposed"] == "delete"
    assert plan(world, stack(resource("a"), resource("b")), targets=("b",)).pending == ()


def fields_of(row):
    return {name: getattr(row, name) for name in row.__slots__}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("web", "web"),
        ("web[0]", "web[0]"),
        ("web[eu]", 'web["eu"]'),
        ("web['eu']", 'web["eu"]'),
        ('web["eu"]', 'web["eu"]'),
        ("web[", "web["),
        ("web[]", "web[]"),
    ],
)
def test_an_address_is_understood_without_its_quotes(said, meant):
    assert canonical(said) == meant
