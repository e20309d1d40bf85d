"""Rows from elsewhere become ours by a plan, and the world stays as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dirigent.model.ids import Address
from dirigent.model.plan import Action, Plan, fingerprint
from dirigent.model.problem import Refusal
from dirigent.model.resource import ResourceRow, row_of, value_of
from dirigent.model.stack import Input, Module, Stack
from dirigent.model.values import SecretRef, SecretText
from dirigent.planning.compile import compile_plan
from dirigent.planning.rows.adopt import declared_needs, declared_resources, plan_adoption
from dirigent.planning.safety.touching import world_of
from dirigent.stores import codec
from planning.plain_language import PlainLanguage, drive
from planning.world import World, propose, refer, resource, stack

SEALED = SecretText((SecretRef("sealed:abc"),))


def row(address, **more):
    name = address.partition("[")[0].partition("#")[0]
    return ResourceRow(Address(address), name, "box", {"size": 1}, {"id": address}, **more)


WHOLE = row("web[0]", key=0, needs=("db",), private={"s": [SEALED]}, protect=True, tainted=True, provider="b")


def adopted(rows, standing=(), *, replacing=False):
    return plan_adoption("shop", rows, standing, 1.0, replacing=replacing)


def test_a_row_is_sent_whole_and_comes_back_as_it_was():
    assert row_of("web[0]", value_of(WHOLE)) == WHOLE


@pytest.mark.parametrize("value", [None, {}, [], {**value_of(WHOLE), "key": 1.5}, {"name": "web"}])
def test_what_is_no_row_is_no_row(value):
    with pytest.raises(TypeError):
        row_of("web", value)


def test_the_program_of_an_adoption_only_writes_rows():
    made = adopted([WHOLE, row("db")])
    assert [change.action for change in made.changes] == [Action.ADOPT, Action.ADOPT]
    graph = compile_plan(made).root.node
    assert list(graph.needs) == ["adopt web[0]", "adopt db"]
    request = graph.tasks[0].node.request
    assert (request["action"], request["address"], row_of("web[0]", request["row"])) == (
        *("adopt", "web[0]"),
        WHOLE,
    )


def test_rows_that_need_each_other_in_a_circle_are_adopted_all_the_same():
    made = adopted([row("a", needs=("b",)), row("b", needs=("a",)), row("c", needs=("c",))])
    assert len(compile_plan(made).root.node.tasks) == 3


def test_the_plan_is_kept_and_read_as_it_was():
    made = adopted([WHOLE])
    assert codec.decode(codec.encode(made), Plan) == made


def test_the_plan_is_for_the_world_that_it_saw():
    before = row("web[0]")
    made = adopted([WHOLE], [row("db"), before], replacing=True)
    assert made.fingerprint == fingerprint([before])
    assert world_of(made.changes, [row("other"), before]) == made.fingerprint
    assert world_of(made.changes, [row("db")]) != made.fingerprint
    assert adopted([WHOLE]).id != adopted([row("web[0]")]).id


def test_what_is_known_already_is_kept_and_what_differs_is_refused():
    assert adopted([WHOLE], [WHOLE]).pending == ()
    with pytest.raises(Refusal) as caught:
        adopted([row("web"), row("db")], [row("web", tainted=True), row("db", protect=True)])
    assert [each.code for each in caught.value.problems] == ["E3058", "E3058"]


def test_what_differs_is_replaced_when_that_is_wanted_and_the_plan_says_so():
    before = row("web", tainted=True)
    (change,) = adopted([row("web")], [before], replacing=True).changes
    assert (change.action, change.prior, change.adopts) == (Action.ADOPT, before, row("web"))
    assert "takes the place" in change.because


def needs_of(declared, rows, inputs=None):
    return drive(declared_needs(declared, inputs or {}, rows, PlainLanguage()), propose)


def test_a_declared_resource_needs_what_the_plan_will_say_that_it_needs():
    declared = stack(
        resource("db", count=2),
        resource("keyed", each=["us", "eu"]),
        resource("web", url=refer("$resources.keyed.eu.id"), needs=["db"]),
    )
    rows = [row("db[0]"), row('keyed["eu"]'), row("web")]
    assert needs_of(declared, rows) == {
        "db": (),
        "keyed": (),
        "web": ("db[0]", "db[1]", 'keyed["us"]', 'keyed["eu"]'),
    }


def test_a_circle_in_the_stack_is_refused_before_anything_is_adopted():
    declared = stack(resource("a", needs=["b"]), resource("b", needs=["a"]))
    with pytest.raises(Refusal) as caught:
        needs_of(declared, [])
    assert caught.value.problems[0].code == "E2001"


NET = Stack(
    "part",
    "/srv/part",
    inputs={"size": Input("size", {})},
    resources={
        "db": resource("db", size=refer("$inputs.size")),
        "web": resource("web", count=2, sees=refer("$resources.db.id")),
    },
    outputs={"url": refer("$resources.web[1].id")},
)
LAYERS = (
    stack(resource("a", count=2), resource("b", each=["us", "eu"], needs=["a"]), resource("c", needs=["b"])),
    replace(
        stack(
            resource("first"),
            resource("net", kind="stack", each=["eu", "us"], needs=["first"]),
            resource("last", url=refer("$resources.net.eu.url")),
        ),
        modules={"net": Module(NET, {"size": refer("$resources.first.id")})},
    ),
)


@pytest.mark.parametrize("declared", LAYERS)
def test_needs_are_those_that_an_apply_has_written(declared):
    world = World()
    world.up(declared)
    rows = list(world.rows.values())
    found = needs_of(declared, rows)
    assert {row.name for row in rows} == {name for name in found if name != "net"}
    assert {str(row.address): found[row.name] for row in rows} == {
        str(row.address): row.needs for row in rows
    }
    # The control: rows that were written with others are seen by the next plan.
    row = rows[-1]
    world.rows[str(row.address)] = replace(row, needs=("elsewhere",))
    assert [str(change.address) for change in world.plan(declared).pending] == [str(row.address)]


def test_resources_of_modules_are_declared_by_their_paths():
    assert list(declared_resources(LAYERS[1], PlainLanguage())) == ["first", "last", "net/db", "net/web"]
