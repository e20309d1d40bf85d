"""Modules in plans: places, scopes, what hangs on what, and what is known only at apply."""

from dataclasses import replace

import pytest

from dirigent.model.ids import declared_path
from dirigent.model.plan import Action, Selection
from dirigent.model.problem import Refusal
from dirigent.model.program import Set
from dirigent.model.resource import Lifecycle
from dirigent.model.run.views import Views
from dirigent.model.source import Span
from dirigent.model.stack import Input, Module, ProviderSetup, Secret, Stack
from dirigent.planning.compile import compile_plan
from dirigent.planning.plan import Situation, evaluate_outputs, plan
from planning.plain_language import PlainLanguage, drive
from planning.world import CREATE_FIRST, World, actions, fill, propose, refer, resource, secret, seen_by


def inside(*resources, inputs=(), outputs=None, modules=None, secrets=()):
    """A stack that is used as a module; `inputs` are names, or pairs of a name and a default."""
    pairs = [each if isinstance(each, tuple) else (each, None) for each in inputs]
    declared = {
        name: Input(name, {"type": ["integer", "string"]}, default, required=default is None)
        for name, default in pairs
    }
    return Stack(
        "part",
        "/srv/part",
        inputs=declared,
        resources={each.name: each for each in resources},
        outputs=outputs or {},
        modules=modules or {},
        secrets={name: Secret(name, "env", name.upper()) for name in secrets},
    )


def using(*resources, outputs=None, **modules):
    """A stack with modules, each under a resource of its name."""
    return Stack(
        "shop", "/srv", resources={r.name: r for r in resources}, outputs=outputs or {}, modules=modules
    )


def part(name, **more):
    return resource(name, kind="stack", **more)


def needs(made):
    return {str(change.address): change.needs for change in made.changes}


NET = inside(
    resource("db", size=refer("$inputs.size")),
    resource("web", sees=refer("$resources.db.id")),
    inputs=["size"],
    outputs={"url": refer("$resources.web.id"), "size": refer("$inputs.size")},
)


def test_a_module_lies_under_its_path_and_shows_its_outputs():
    world = World()
    declared = using(
        part("net"),
        resource("app", url=refer("$resources.net.url"), size=refer("$resources.net.size")),
        net=Module(NET, {"size": 3}),
        outputs={"app": refer("$resources.net.url")},
    )
    made = world.up(declared)
    assert actions(made) == {"net/db": "create", "net/web": "create", "app": "create"}
    assert needs(made) == {"net/db": (), "net/web": ("net/db",), "app": ("net/web",)}
    assert world.rows["net/web"].config == {"sees": world.rows["net/db"].attributes["id"]}
    assert world.rows["app"].config == {"url": world.rows["net/web"].attributes["id"], "size": 3}
    assert world.plan(declared).pending == ()
    outputs = drive(evaluate_outputs(declared, {}, tuple(world.rows.values()), PlainLanguage()), propose)
    assert outputs == {"app": world.rows["net/web"].attributes["id"]}


def test_a_module_is_no_barrier():
    """`mid` stands between two resources of one module."""
    low = inside(
        resource("first"),
        resource("second", sees=refer("$inputs.middle")),
        inputs=["middle"],
        outputs={"first": refer("$resources.first.id"), "second": refer("$resources.second.id")},
    )
    declared = using(
        part("low"),
        resource("mid", sees=refer("$resources.low.first")),
        resource("top", sees=refer("$resources.low.second")),
        low=Module(low, {"middle": refer("$resources.mid.id")}),
    )
    world = World()
    made = world.up(declared)
    assert needs(made) == {
        "low/first": (),
        "mid": ("low/first",),
        "low/second": ("mid",),
        "top": ("low/second",),
    }
    assert [bridge.name for bridge in made.bridges] == [
        "low/$outputs.first",
        "low/$inputs.middle",
        "low/$outputs.second",
    ]
    assert world.rows["low/second"].config == {"sees": world.rows["mid"].attributes["id"]}
    world.log.clear()
    world.down()
    assert world.log == ["delete top", "delete low/second", "delete mid", "delete low/first"]


def test_a_circle_through_a_module_is_refused_with_the_way_it_takes():
    low = inside(
        resource("one", sees=refer("$inputs.x")), inputs=["x"], outputs={"y": refer("$resources.one.id")}
    )
    span = Span("stack.yaml", 3, 5, 3, 8)
    declared = using(
        part("low"),
        resource("mid", sees=refer("$resources.low.y")),
        low=Module(low, {"x": refer("$resources.mid.id")}, spans={"x": span}),
    )
    with pytest.raises(Refusal) as refused:
        World().plan(declared)
    (problem,) = refused.value.problems
    assert problem.code == "E2030"
    assert "`low/$outputs.y` needs `low/one` needs `low/$inputs.x` needs `mid`" in problem.message
    assert span in [label.span for label in problem.others]


def test_each_instance_of_a_module_has_a_scope_of_its_own():
    cell = inside(
        resource("web", count=refer("$inputs.many"), size=refer("$each.key")),
        resource("front", sees=refer("$resources.web[0].id"), called=refer("$inputs.word")),
        inputs=["many", "word"],
        outputs={"front": refer("$resources.front.id"), "word": refer("$inputs.word")},
    )
    given = {"many": refer("$each.value"), "word": refer("$each.key")}
    declared = using(
        part("cell", each={"eu": 2, "a/b": 1}),
        resource("all", eu=refer('$resources.cell["eu"].front'), word=refer('$resources.cell["a/b"].word')),
        cell=Module(cell, given),
    )
    world = World()
    made = world.up(declared)
    assert set(world.rows) == {
        *('cell["eu"]/web[0]', 'cell["eu"]/web[1]', 'cell["eu"]/front'),
        *('cell["a/b"]/web[0]', 'cell["a/b"]/front', "all"),
    }
    assert needs(made)['cell["eu"]/front'] == ('cell["eu"]/web[0]', 'cell["eu"]/web[1]')
    assert needs(made)["all"] == ('cell["eu"]/front', 'cell["a/b"]/front')
    front = world.rows['cell["eu"]/front']
    assert front.config == {"sees": world.rows['cell["eu"]/web[0]'].attributes["id"], "called": "eu"}
    assert (front.name, front.key) == ('cell["eu"]/front', None)
    assert world.rows["all"].config == {"eu": front.attributes["id"], "word": "a/b"}
    assert world.plan(declared).pending == ()


def test_what_a_module_hangs_on_all_in_it_hangs_on_and_so_do_needs_of_it():
    declared = using(
        resource("vpc"),
        part("net", needs=["vpc"]),
        resource("app", needs=["net"]),
        net=Module(NET, {"size": 3}),
    )
    made = World().plan(declared)
    assert needs(made) == {
        "vpc": (),
        "net/db": ("vpc",),
        "net/web": ("vpc", "net/db"),
        "app": ("vpc", "net/db", "net/web"),
    }


def test_nested_three_deep_with_each():
    leaf = inside(
        resource("box", size=refer("$inputs.up")),
        inputs=["up"],
        outputs={"id": refer("$resources.box.id")},
    )
    middle = inside(
        part("leaf", each=["x", "y"]),
        inputs=["up"],
        outputs={"x": refer('$resources.leaf["x"].id')},
        modules={"leaf": Module(leaf, {"up": refer("$inputs.up")})},
    )
    outer = inside(
        part("middle", count=2),
        inputs=["up"],
        outputs={"last": refer("$resources.middle[1].x")},
        modules={"middle": Module(middle, {"up": refer("$inputs.up")})},
    )
    declared = using(
        resource("root"),
        part("outer", each=["eu"]),
        resource("end", sees=refer('$resources.outer["eu"].last')),
        outer=Module(outer, {"up": refer("$resources.root.id")}),
    )
    world = World()
    made = world.up(declared)
    boxes = [f'outer["eu"]/middle[{i}]/leaf["{key}"]/box' for i in range(2) for key in "xy"]
    assert set(world.rows) == {"root", "end", *boxes}
    assert all(needs(made)[box] == ("root",) for box in boxes)
    assert all(world.rows[box].config == {"size": "id-1"} for box in boxes)
    assert world.rows["end"].config == {"sees": world.rows[boxes[2]].attributes["id"]}
    assert world.plan(declared).pending == ()
    world.down()
    assert world.log[-1] == "delete root"


def test_the_lifecycle_of_a_module_is_handed_down():
    protected = using(part("net", lifecycle=Lifecycle(protect=True)), net=Module(NET, {"size": 3}))
    world = World()
    made = world.up(protected)
    assert [change.protect for change in made.changes] == [True, True]
    with pytest.raises(Refusal, match="E2008"):
        world.plan(using())
    first = using(part("net", lifecycle=CREATE_FIRST), net=Module(inside(resource("a", force=1))))
    world = World()
    world.up(first)
    second = using(part("net", lifecycle=CREATE_FIRST), net=Module(inside(resource("a", force=2))))
    (change,) = world.plan(second).changes
    assert (change.action, change.create_first) == (Action.REPLACE, True)


def test_who_is_no_longer_declared_goes_with_the_reason():
    cell = inside(resource("box"), resource("jar"))
    world = World()
    world.up(using(part("one"), part("many", each=["eu", "us"]), one=Module(cell), many=Module(cell)))
    made = world.plan(using(part("many", each=["eu"]), many=Module(inside(resource("box")))))
    reasons = {str(change.address): change.because for change in made.pending}
    assert reasons == {
        "one/box": "removed from the stack",
        "one/jar": "removed from the stack",
        'many["eu"]/jar': 'removed from the module `many["eu"]`',
        'many["us"]/box': "`each` of `many` no longer has `us`",
        'many["us"]/jar': "`each` of `many` no longer has `us`",
    }


def test_secrets_of_a_module_are_its_own():
    safe = inside(resource("box", text=refer("$secrets.key")), secrets=["key"])
    made = World().plan(using(part("safe"), safe=Module(safe)))
    assert made.changes[0].config == {"text": secret("safe/key")}


def test_a_value_that_waits_inside_a_secret_text_and_the_worker_cross_a_bridge():
    low = inside(
        resource(
            "box", text=refer("worker($inputs.word)"), more=refer("worker($inputs.word + $secrets.key)")
        ),
        inputs=["word"],
        secrets=["key"],
    )
    declared = using(resource("a"), part("low"), low=Module(low, {"word": refer("worker($resources.a.id)")}))
    world = World()
    made = world.up(declared)
    assert [bridge.needs for bridge in made.bridges] == [("a",)]
    assert world.rows["low/box"].config["text"] == "id-1"


class Schemas:
    """Says of a number that it is no text."""

    def violation(self, schema, value):
        return None if isinstance(value, str) else f"{value} is not of type 'string'"


def test_a_value_that_is_known_is_checked_with_both_places():
    span, there = Span("stack.yaml", 3, 5, 3, 8), Span("part/stack.yaml", 2, 3, 2, 9)
    low = inside(resource("box"))
    low = Stack("part", "", inputs={"x": Input("x", {"type": "string"}, span=there)}, resources=low.resources)
    entry = part("low", spans={"with.inputs.x": span}, count=2)
    declared = using(entry, low=Module(low, {"x": refer("$each.key")}))
    situation = Situation(declared, PlainLanguage(), schemas=Schemas())
    with pytest.raises(Refusal) as refused:
        drive(plan(situation), propose)
    assert [problem.code for problem in refused.value.problems] == ["E2031", "E2031"]
    first = refused.value.problems[0]
    assert "`x` of the module `low[0]` does not fit its schema: 0 is not of type 'string'" in first.message
    assert (first.at, first.others[0].span) == (span, there)


def test_an_unknown_value_is_checked_by_the_run():
    low = inside(resource("box", size=refer("$inputs.x")), inputs=["x"])
    declared = using(resource("a"), part("low"), low=Module(low, {"x": refer("$resources.a.id")}))
    program = compile_plan(World().plan(declared))
    (bridge,) = [task for task in program.root.node.tasks if isinstance(task.node, Set)]
    assert (bridge.name, bridge.scope) == ("low/$inputs.x", "")
    assert bridge.output.present
    assert bridge.output.schema == {"type": ["integer", "string"]}


def test_an_instance_that_is_not_there_shows_an_empty_shape():
    declared = using(
        part("many", count=0),
        part("keyed", each=[]),
        resource("app", many=refer("$resources.many"), keyed=refer("$resources.keyed")),
        many=Module(NET, {"size": 1}),
        keyed=Module(NET, {"size": 1}),
    )
    world = World()
    world.up(declared)
    assert world.rows["app"].config == {"many": [], "keyed": {}}


def test_the_number_of_instances_must_be_known():
    declared = using(resource("a"), part("low", count=refer("$resources.a.id")), low=Module(NET, {"size": 1}))
    with pytest.raises(Refusal, match="E2007"):
        World().plan(declared)


def three():
    """Two modules of one file, and something that hangs on the first."""
    return using(
        part("net", each=["eu", "us"]),
        part("other"),
        resource("app", sees=refer('$resources.net["eu"].url')),
        net=Module(NET, {"size": 3}),
        other=Module(NET, {"size": 4}),
    )


@pytest.mark.parametrize(
    ("selection", "left"),
    [
        (Selection(targets=("other",)), {"net/db", "net/web", "app"}),
        (Selection(targets=("app",)), {"other/db", "other/web"}),
        (Selection(targets=('net["eu"]',)), {"other/db", "other/web", "app"}),
        (Selection(targets=("net/db",)), {"net/web", "other/db", "other/web", "app"}),
        (Selection(exclude=("net",)), {"net/db", "net/web", "app"}),
        (Selection(exclude=("net/web",)), {"net/web", "app"}),
    ],
)
def test_a_module_and_what_lies_in_it_can_be_chosen(selection, left):
    world = World()
    made = world.plan(three(), selection=selection)
    everything = {"net/db", "net/web", "other/db", "other/web", "app"}
    assert {declared_path(change.address) for change in made.changes} == everything - left
    world.apply(made)
    assert world.up(three()).pending != ()
    again = world.plan(three(), selection=selection)
    assert again.pending == ()


def test_a_module_can_be_replaced_whole_and_one_instance_of_it():
    world = World()
    world.up(three())
    for words, gone in [
        (("net",), {'net["eu"]/db', 'net["eu"]/web', 'net["us"]/db', 'net["us"]/web'}),
        (('net["us"]',), {'net["us"]/db', 'net["us"]/web'}),
        (('net["us"]/db',), {'net["us"]/db'}),
    ]:
        made = world.plan(three(), selection=Selection(replace=words))
        assert {str(c.address) for c in made.changes if c.action is Action.REPLACE} >= gone


def test_a_module_within_an_instance_can_be_named():
    outer = inside(part("net", count=2), modules={"net": Module(NET, {"size": 3})})
    declared = using(part("site", each=["eu"]), site=Module(outer))
    world = World()
    world.up(declared)
    made = world.plan(declared, selection=Selection(replace=('site["eu"]/net',)))
    assert len([change for change in made.changes if change.action is Action.REPLACE]) >= 4
    assert set(world.rows) == {str(change.address) for change in made.changes}
    gone = world.plan_down(Selection(targets=('site["eu"]/net[0]',)))
    assert {str(change.address) for change in gone.changes} == {
        'site["eu"]/net[0]/db',
        'site["eu"]/net[0]/web',
    }


def test_the_provider_of_a_module_is_configured_by_the_stack():
    """Its configuration hangs on a resource of the stack, its resource on an input of the module."""
    box = replace(resource("box", of=refer("$inputs.up")), provider="docker")
    low = replace(
        inside(box, inputs=["up"]), providers={"docker": ProviderSetup("docker", "registry/acme/docker")}
    )
    west = ProviderSetup("west", "registry/acme/docker", config={"url": refer("$resources.host.id")})
    declared = replace(
        using(
            resource("host"),
            part("low", count=1),
            low=Module(low, {"up": refer("$resources.host.id")}, {"docker": "west"}),
        ),
        providers={"west": west},
    )
    world = World()
    made = world.plan(declared)
    (change,) = [change for change in made.changes if change.address == "low[0]/box"]
    assert (change.provider, change.needs) == ("west", ("host",))
    graph = compile_plan(made).root.node
    names = [task.name for task in graph.tasks if isinstance(task.node, Set)]
    assert sorted(names) == ["low[0]/$inputs.$setup.1", "low[0]/$inputs.up"]
    views = Views(graph.scopes, {"host": {"id": "id-9"}})
    for task in graph.tasks:
        if isinstance(task.node, Set):
            views.put(task.name, fill(task.node.value, seen_by(task, graph, {"host": {"id": "id-9"}})))
    (task,) = [task for task in graph.tasks if task.name == "low[0]/box"]
    seen = {"inputs": views.inputs("low[0]"), "resources": views.resources("low[0]")}
    assert fill(task.node.request, seen)["setup"] == {"url": "id-9"}
    assert fill(task.node.request, seen)["config"] == {"of": "id-9"}
    assert set(graph.needs["low[0]/box"]) == {"host", *names}
