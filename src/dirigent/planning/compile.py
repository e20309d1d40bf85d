"""A plan becomes the program that applies it: one graph of calls to `resource`, nothing else.

What was known at plan time is literal; what hangs on a change of the same plan stays an expression,
which sees the same variables as it did then.
"""

from __future__ import annotations

from dirigent.model.plan import Action, Change, Plan
from dirigent.model.program import Call, Graph, Program, Task
from dirigent.model.values import Template, Value
from dirigent.planning.plan import constants
from dirigent.planning.steps import Step, steps_of
from dirigent.planning.values.evaluate import template_of


def compile_plan(plan: Plan) -> Program:
    """Return the program of a plan. Its tasks are named as `Step.name` says."""
    steps = steps_of(plan.changes)
    graph = Graph(
        tasks=tuple(_task(step, plan) for step in steps),
        needs={step.name: step.needs for step in steps},
        binds="resources",
        initial=_initial(plan),
        constants=constants(plan.stack, plan.inputs, plan.secrets),
    )
    return Program(
        name=plan.stack,
        namespace="dirigent",
        version=plan.id,
        root=Task(name="apply", pointer="", node=graph),
        kind="apply",
        secrets=plan.secrets,
        sources=plan.sources,
    )


def _initial(plan: Plan) -> dict[str, Value]:
    """Return the attributes, by address, of what stands already and is not made anew."""
    initial: dict[str, Value] = {**plan.empty}
    for change in plan.changes:
        stays = change.action is Action.KEEP or change.action is Action.UPDATE
        if stays and change.prior is not None:
            initial[change.address] = change.prior.attributes
    return initial


def _task(step: Step, plan: Plan) -> Task:
    change = step.change
    place = step.address.replace("~", "~0").replace("/", "~1")
    return Task(
        name=step.name,
        pointer=f"/changes/{place}/{step.action}",
        node=Call(function="resource", request=_request(step) if step.action != "move" else _moves(plan)),
        span=change.span,
        constants={} if change.each is None else {"each": change.each},
    )


def _request(step: Step) -> Template:
    """Return what the performer of `resource` gets; see `providers.apply`."""
    change = step.change
    request: dict[str, Template] = {"action": step.action, "address": step.address, "name": change.name}
    request |= {"key": change.key, "type": _type_of(step, change)}
    if step.action in {"create", "update", "record", "adopt"}:
        request |= {"needs": template_of([str(need) for need in change.needs]), "protect": change.protect}
    if step.action == "adopt":
        request |= {"config": change.config, "id": change.adopts}
    if step.action in {"create", "update"}:
        request["config"] = change.config
        request |= _promised(change)
    if change.provider:
        request |= {"provider": change.provider, "setup": change.setup}
    if step.deposes:
        request["deposes"] = step.deposes
    return request


def _moves(plan: Plan) -> Template:
    """Return what gives rows their new addresses, and new needs to what stands on them."""
    moves: list[Template] = [
        {
            "from": change.moved_from or change.address,
            "to": change.address,
            "name": change.name,
            "key": change.prior.key,
            "needs": template_of([str(need) for need in change.prior.needs]),
        }
        for change in plan.changes
        if (change.moved_from or change.follows) and change.prior is not None
    ]
    return {"action": "move", "address": "", "name": "", "type": "", "moves": moves}


def _promised(change: Change) -> dict[str, Template]:
    """Return what a provider wants to see again, and how it finds what it may have made."""
    found: dict[str, Template] = {}
    if change.binding is not None:
        found["binding"] = template_of(change.binding)
    if change.identity:
        found["identity"] = change.identity
    return found


def _type_of(step: Step, change: Change) -> str:
    """Return the type of what the step works on: a replacement may change it."""
    if step.action == "delete" and change.prior is not None:
        return change.prior.type
    return change.type
