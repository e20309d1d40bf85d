"""What is only looked up: when, what others see of it, and that a stack comes to rest all the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dirigent.model.ids import Address, PlanId
from dirigent.model.plan import Action, ApplyPolicy, Bridge, Change, OnFailure, Plan
from dirigent.model.problem import Refusal
from dirigent.model.resource import ResourceRow
from dirigent.model.values import Unknown
from dirigent.planning.compile import compile_plan
from dirigent.planning.request import Looks
from dirigent.planning.safety.rollback import Return, plan_rollback
from dirigent.planning.safety.undoing import losses
from dirigent.ports.resources import Proposal
from planning.plain_language import drive
from planning.world import World, propose, refer, resource, stack


def looked_up(name, **config):
    return replace(resource(name, **config), reads=True)


class Found:
    """A provider that finds what it was told, and keeps when it was asked."""

    def __init__(self, **found):
        self.found = found
        self.asked = []

    def __call__(self, wish):
        if wish.looks is Looks.NOT:
            return propose(wish)
        self.asked.append((wish.address, wish.looks))
        if wish.looks is Looks.LATER:
            return Proposal({**wish.config, "found": Unknown()}, decided=True, deferred=True)
        return Proposal({**wish.config, **self.found}, decided=True)


def row(name="image", attributes=None, config=None):
    kept = config if config is not None else {}
    found = {"found": "v1"} if attributes is None else attributes
    return ResourceRow(Address(name), name, "box", kept, found, reads=True)


def actions(made):
    return {str(change.address): change.action for change in made.changes}


def test_what_is_known_is_looked_up_at_once_and_others_see_it():
    declared = stack(looked_up("image", of="web"), resource("web", size=refer("$resources.image.found")))
    found = Found(found="v1")
    made = World().plan(declared, propose=found)
    assert found.asked == [("image", Looks.NOW)]
    assert actions(made) == {"image": Action.READ, "web": Action.CREATE}
    web = next(change for change in made.changes if change.name == "web")
    assert web.config == {"size": "v1"}
    tasks = {task.name: task.node.request["action"] for task in compile_plan(made).root.node.tasks}
    assert tasks == {"image": "read", "web": "create"}


def test_what_waits_for_a_change_is_looked_up_after_it():
    declared = stack(
        resource("net", size=1),
        looked_up("seen", of=refer("$resources.net.id")),
        looked_up("beside", needs=("net",), of="x"),
        resource("web", size=refer("$resources.seen.found")),
    )
    found = Found()
    made = World().plan(declared, propose=found)
    assert found.asked == [("seen", Looks.LATER), ("beside", Looks.LATER)]
    deferred = {str(change.address): change.deferred for change in made.changes}
    assert deferred == {"net": False, "seen": True, "beside": True, "web": False}
    graph = compile_plan(made).root.node
    assert graph.needs["seen"] == ("net",)
    assert graph.needs["web"] == ("seen",)


def test_what_is_found_as_it_was_needs_no_step_and_goes_without_its_provider():
    world = World([row()])
    declared = stack(looked_up("image"))
    assert actions(world.plan(declared, propose=Found(found="v1"))) == {"image": Action.KEEP}
    assert actions(world.plan(stack(), propose=Found())) == {"image": Action.FORGET}


@pytest.mark.parametrize(
    ("outputs", "others", "action"),
    [
        ({}, (), Action.KEEP),
        ({"it": refer("$resources.image.found")}, (), Action.READ),
        ({}, (resource("web", size=1),), Action.READ),
    ],
)
def test_what_is_found_otherwise_is_kept_again_only_where_somebody_sees_it(outputs, others, action):
    world = World([row()])
    made = world.plan(stack(looked_up("image"), *others, outputs=outputs), propose=Found(found="v2"))
    assert actions(made)["image"] is action


def test_a_dependent_sees_what_is_found_now_although_nothing_is_kept_of_it():
    kept = ResourceRow(
        Address("web"), "web", "box", {"size": "v2"}, {"id": "i", "size": "v2"}, needs=("image",)
    )
    world = World([row(), kept])
    declared = stack(looked_up("image"), resource("web", size=refer("$resources.image.found")))
    assert actions(world.plan(declared, propose=Found(found="v2"))) == {
        "image": Action.KEEP,
        "web": Action.KEEP,
    }
    changed = world.plan(declared, propose=Found(found="v3"))
    assert actions(changed) == {"image": Action.READ, "web": Action.UPDATE}


def test_one_name_is_not_managed_and_only_read():
    for declared in (stack(resource("image")), stack(looked_up("web"))):
        managed = ResourceRow(Address("web"), "web", "box", {}, {"id": "i"})
        with pytest.raises(Refusal) as refused:
            World([row(), managed]).plan(declared, propose=Found(found="v1"))
        assert [each.code for each in refused.value.problems] == ["E2067"]


def test_what_was_looked_up_is_taken_back_by_knowing_nothing_of_it():
    declared = stack(
        resource("net", size=1), looked_up("seen", of=refer("$resources.net.id")), looked_up("image")
    )
    world = World([row()])
    made = replace(world.plan(declared, propose=Found(found="v2")), policy=ApplyPolicy(OnFailure.COMPENSATE))
    undo = compile_plan(made).root.node.undo
    assert {name: task.node.request["action"] for name, task in undo.items()} == {
        "net": "delete",
        "seen": "forget",
        "image": "record",
    }
    assert losses(made) == ()


def test_a_way_back_leaves_what_is_only_looked_up():
    world = World([row()])
    made = drive(plan_rollback(Return(stack(), "up-1", (row("other"),), tuple(world.rows.values()))), Found())
    assert made.changes == ()


def test_what_a_module_looks_up_waits_for_its_inputs():
    change = Change(
        Address("net/seen"), "net/seen", "box", Action.READ, waits=("net/$inputs.of",), deferred=True
    )
    bridge = Bridge("net/$inputs.of", "", refer("$resources.host.id"), ("host",))
    host = Change(Address("host"), "host", "box", Action.CREATE)
    made = Plan(PlanId("p"), "shop", 0.0, (host, change), "", bridges=(bridge,), modules={"net": {}})
    needs = compile_plan(made).root.node.needs
    assert "net/$inputs.of" in needs["net/seen"]
    assert needs["net/$inputs.of"] == ("host",)
