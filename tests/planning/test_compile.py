"""The program of a plan."""

from __future__ import annotations

from dataclasses import replace

from dirigent.model.plan import ApplyPolicy
from dirigent.model.resource import assemble
from dirigent.model.stack import ProviderSetup
from dirigent.model.values import Expression
from dirigent.planning.compile import compile_plan
from dirigent.planning.safety.governing import governed, policy_of
from planning.world import CREATE_FIRST, World, refer, resource, secret, stack

SLOTS = {"slow": 2, "wide": 8, "wider": 20}


def graph_of(made):
    return compile_plan(made).root.node


def test_the_program_says_all_that_apply_needs():
    declared = stack(
        resource("db", size=1),
        resource("web", each=["eu"], url=refer("$resources.db.id + $each.key")),
        resource("none", count=0),
        secrets=["pay"],
    )
    made = World().plan(declared, {"n": 1})
    program = compile_plan(made)
    graph = program.root.node
    assert (program.name, program.kind, program.version, program.secrets) == (
        "shop",
        "apply",
        made.id,
        ("pay",),
    )
    assert graph.constants == {
        "inputs": {"n": 1},
        "secrets": {"pay": secret("pay")},
        "stack": {"name": "shop"},
    }
    assert (graph.binds, graph.initial) == ("resources", {"none": []})
    assert graph.needs == {"db": (), 'web["eu"]': ("db",)}
    task = graph.tasks[1]
    assert task.constants == {"each": {"key": "eu", "value": "eu"}}
    assert task.pointer == '/changes/web["eu"]/create'
    assert task.node.function == "resource"
    assert task.node.request == {
        "action": "create",
        "address": 'web["eu"]',
        "name": "web",
        "key": "eu",
        "type": "box",
        "needs": ["db"],
        "protect": False,
        "config": {"url": Expression("$resources.db.id + $each.key")},
    }


def test_what_stands_is_bound_from_the_start():
    world = World()
    world.up(stack(resource("db", size=1), resource("web", count=2)))
    graph = graph_of(world.plan(stack(resource("db", size=2), resource("web", count=3))))
    assert assemble(graph.initial) == {
        "db": {"id": "id-1", "size": 1},
        "web": [{"id": "id-2"}, {"id": "id-3"}],
    }
    assert [task.name for task in graph.tasks] == ["db", "web[2]"]


def test_needs_reach_through_what_is_kept():
    world = World()
    middle = resource("middle", needs=["below"])
    world.up(stack(resource("below", size=1), middle, resource("above", needs=["middle"], size=1)))
    graph = graph_of(
        world.plan(stack(resource("below", size=2), middle, resource("above", needs=["middle"], size=2)))
    )
    assert graph.needs == {"below": (), "above": ("below",)}


def test_a_replacement_is_two_tasks_with_pointers_and_types_of_their_own():
    world = World()
    world.up(stack(resource("a", kind="jar"), resource("b", force=1, lifecycle=CREATE_FIRST)))
    graph = graph_of(
        world.plan(stack(resource("a", kind="box"), resource("b", force=2, lifecycle=CREATE_FIRST)))
    )
    requests = {task.name: (task.pointer, task.node.request) for task in graph.tasks}
    assert graph.needs == {"delete a": (), "a": ("delete a",), "b": (), "delete b#deposed": ("b",)}
    assert requests["delete a"][1]["type"] == "jar"
    assert requests["a"][1]["type"] == "box"
    assert requests["b"][1]["deposes"] == "b#deposed"
    assert requests["delete b#deposed"][0] == "/changes/b#deposed/delete"
    assert requests["delete b#deposed"][1] == {
        "action": "delete",
        "address": "b#deposed",
        "name": "b",
        "key": None,
        "type": "box",
    }


def test_pointers_are_escaped_and_unique():
    made = World().plan(stack(resource("web", each=["a/b", "a~b", "a b"])))
    pointers = [task.pointer for task in graph_of(made).tasks]
    assert pointers == [
        '/changes/web["a~1b"]/create',
        '/changes/web["a~0b"]/create',
        '/changes/web["a b"]/create',
    ]


def test_what_a_provider_changes_goes_in_a_lane_where_it_lets_fewer_change_at_a_time():
    setups = {name: ProviderSetup(name, f"x/y/{name}", parallel=n) for name, n in SLOTS.items()}
    declared = replace(
        stack(
            *(replace(resource(f"r{name}", size=1), provider=name) for name in SLOTS),
            replace(resource("looked", size=1), provider="slow", reads=True),
            resource("ours", size=1),
        ),
        providers=setups,
        apply=ApplyPolicy(parallel=8),
    )
    made = governed(World().plan(declared), policy_of(declared))
    graph = graph_of(made)
    assert (graph.width, graph.widths, graph.lanes) == (8, {"slow": 2}, {"rslow": "slow"})
    assert made.policy.providers == {"slow": 2}
    assert governed(made, ApplyPolicy()).id != made.id


def test_an_empty_plan_is_an_empty_graph():
    world = World()
    world.up(stack(resource("web")))
    assert graph_of(world.plan(stack(resource("web")))).tasks == ()
