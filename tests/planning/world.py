"""A world in memory that applies compiled plans, step by step, and watches the order."""

from __future__ import annotations

from dataclasses import replace

from dirigent.model.ids import Address
from dirigent.model.plan import EVERYTHING, Action
from dirigent.model.program import Set
from dirigent.model.resource import Lifecycle, Replace, Resource, ResourceRow, assemble, row_of
from dirigent.model.run.views import Views
from dirigent.model.stack import Move, Release, Secret, Stack
from dirigent.model.values import Expression, SecretRef, SecretText, Unknown
from dirigent.planning.compile import compile_plan
from dirigent.planning.destroy import plan_destroy
from dirigent.planning.plan import Situation, plan
from dirigent.ports.resources import Proposal, Reading
from planning.plain_language import Plain, PlainLanguage, drive

CREATE_FIRST = Lifecycle(replace=Replace.CREATE_FIRST)


def resource(name, *, kind="box", needs=(), count=None, each=None, lifecycle=None, spans=None, **config):
    return Resource(
        name, kind, config, tuple(needs), count, each, lifecycle or Lifecycle(), spans=spans or {}
    )


def stack(*resources, outputs=None, secrets=(), moved=(), forget=(), imports=()):
    return Stack(
        moved=tuple(Move(source, to) for source, to in moved),
        released=tuple(Release(address) for address in forget),
        imports=tuple(imports),
        name="shop",
        folder="/srv/shop",
        resources={item.name: item for item in resources},
        outputs=outputs or {},
        secrets={name: Secret(name, "env", name.upper()) for name in secrets},
    )


def refer(text):
    return Expression(text)


def propose(wish):
    """A provider whose `id` is known after creation, and that cannot change `force`."""
    known = {key: value for key, value in wish.config.items() if key in {"size", "force"}}
    prior = wish.prior.attributes["id"] if wish.prior else Unknown()
    return Proposal({"id": prior, **known}, replace=("force", "never_there"))


class World:
    """Rows, and how they came to be. `log` has the steps in the order in which they were done."""

    def __init__(self, rows=()):
        self.rows = {str(row.address): row for row in rows}
        self.readings = {}
        self.log = []
        self.made = 0

    def plan(self, declared, inputs=None, propose=propose, selection=EVERYTHING):
        situation = Situation(
            stack=declared,
            language=PlainLanguage(),
            inputs=inputs or {},
            rows=tuple(self.rows.values()),
            readings=self.readings,
            selection=selection,
        )
        return drive(plan(situation), propose, adopt)

    def up(self, declared, inputs=None, choose=min):
        made = self.plan(declared, inputs)
        self.apply(made, choose)
        return made

    def plan_down(self, selection):
        return plan_destroy("shop", tuple(self.rows.values()), self.readings, 0.0, selection=selection)

    def down(self, choose=min):
        made = plan_destroy("shop", tuple(self.rows.values()), self.readings, 0.0)
        self.apply(made, choose)
        return made

    def apply(self, made, choose=min):
        """Do every step once all that it needs is done; `choose` picks among those that are ready."""
        graph = compile_plan(made).root.node
        tasks = {task.name: task for task in graph.tasks}
        leaving = {
            str(change.address) for change in made.changes if change.action in {Action.DELETE, Action.REPLACE}
        }
        outputs = dict(graph.initial)
        done = set()
        while len(done) < len(tasks):
            ready = sorted(n for n in tasks if n not in done and set(graph.needs[n]) <= done)
            assert ready, f"nothing can start after {sorted(done)}"
            name = choose(ready)
            variables = seen_by(tasks[name], graph, outputs)
            done.add(name)
            if isinstance(tasks[name].node, Set):
                outputs[name] = fill(tasks[name].node.value, variables)
                continue
            request = fill(tasks[name].node.request, variables)
            self.log.append(name)
            outputs[name] = self.step(request, leaving)

    def identity(self, address):
        """Return the id of something new."""
        return f"id-{self.made}"

    def move(self, moves):
        rows = [(self.rows.pop(move["from"]), move) for move in moves]
        for moved, move in rows:
            row = moved
            address, needs = Address(move["to"]), tuple(move["needs"])
            assert address not in self.rows, f"{address} is there already"
            if "becomes" in move:
                other = row_of(move["to"], move["becomes"])
                row = replace(row, type=other.type, provider=other.provider, attributes=other.attributes)
            self.rows[address] = replace(
                row, address=address, name=move["name"], key=move["key"], needs=needs
            )

    def step(self, request, leaving):
        address, action = request["address"], request["action"]
        if action == "move":
            return self.move(request["moves"])
        row = self.rows.get(address)
        if action in {"delete", "forget", "release"}:
            for other in self.rows.values():
                still = str(other.address) in leaving and address in other.needs
                assert not still, f"{address} goes while {other.address} stands on it"
            leaving.discard(address)
            del self.rows[address]
            return None
        missing = [need for need in request["needs"] if need not in self.rows]
        assert not missing, f"{address} is made while {missing} do not stand"
        if action == "import":
            self.rows[address] = found_row(request)
            return self.rows[address].attributes
        if action == "record":
            triggers = request.get("triggers", {})
            needs = tuple(request["needs"])
            ours = {"needs": needs, "protect": request["protect"], "triggers": triggers}
            self.rows[address] = replace(row, **ours, create_first=request.get("createFirst", False))
            return None
        if request.get("deposes"):
            self.rows[request["deposes"]] = replace(row, address=Address(request["deposes"]), protect=False)
            leaving.add(request["deposes"])
            leaving.discard(address)
        self.made += action == "create"
        config = request["config"]
        known = {key: value for key, value in config.items() if key in {"size", "force"}}
        identity = self.identity(address) if action == "create" else row.attributes["id"]
        self.rows[address] = ResourceRow(
            address=Address(address),
            name=request["name"],
            type=request["type"],
            config=config,
            attributes={"id": identity, **known},
            key=request["key"],
            needs=tuple(request["needs"]),
            protect=request["protect"],
            triggers=request.get("triggers", {}),
            create_first=request.get("createFirst", False),
        )
        return self.rows[address].attributes


def adopt(wish):
    """What exists under any id but `nothing`: a box of size 9."""
    return Reading(None) if wish.identity == "nothing" else found(wish.identity)


def found(identity):
    return Reading({"id": identity, "size": 9}, {"size": 9}, private={"seen": True})


def found_row(request):
    seen = found(request["id"])
    return ResourceRow(
        address=Address(request["address"]),
        name=request["name"],
        type=request["type"],
        config=seen.config,
        attributes=seen.attributes,
        key=request["key"],
        needs=tuple(request["needs"]),
        private=seen.private,
        protect=request["protect"],
        create_first=request.get("createFirst", False),
    )


def seen_by(task, graph, outputs):
    """What the expressions of a task see, put together in the plainest way: no module's view is kept."""
    variables = {**graph.constants, **task.constants, graph.binds: assemble(outputs)}
    if task.scope:
        views = Views(graph.scopes, outputs)
        variables |= graph.scopes[task.scope]
        variables |= {graph.binds: views.resources(task.scope), "inputs": views.inputs(task.scope)}
    elif graph.scopes:
        variables |= {graph.binds: Views(graph.scopes, outputs).resources("")}
    return variables


def fill(template, variables):
    match template:
        case Expression():
            return Plain(template.text).evaluate(None, variables)
        case list():
            return [fill(item, variables) for item in template]
        case dict():
            return {key: fill(item, variables) for key, item in template.items()}
    assert not isinstance(template, Unknown), "a program holds no unknown value"
    return template


def actions(made):
    return {str(change.address): change.action.value for change in made.changes}


def secret(name):
    return SecretText((SecretRef(name),))
