"""A plan becomes the program that applies it: one graph of calls to `resource`, nothing else.

What was known at plan time is literal; what hangs on a change of the same plan stays an expression,
which sees the same variables as it did then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from dirigent.model.ids import split_path
from dirigent.model.plan import Action, Bridge, Change, OnFailure, Plan
from dirigent.model.program import UNFILTERED, Call, Filter, Graph, Program, Set, Task
from dirigent.model.resource import value_of
from dirigent.model.run.views import input_name
from dirigent.model.values import Expression, Template, Value, leaves
from dirigent.planning.plan import constants
from dirigent.planning.safety.asking import check_task, stack_checks
from dirigent.planning.safety.undoing import pausing, undo_of
from dirigent.planning.steps import AFTER, BEFORE, Step, in_run, makes_behind, steps_of
from dirigent.planning.values.evaluate import template_of

CHANGES: Final = frozenset({"create", "update", "delete"})
MAKES: Final = frozenset({"create", "update", "read", "record", "adopt", BEFORE, AFTER})


def compile_plan(plan: Plan) -> Program:
    """Return the program of a plan. Its tasks are named as steps, bridges and checks of the stack are."""
    steps = steps_of(plan.changes)
    configured = {
        str(change.address): _setup_bridge(change, number)
        for number, change in enumerate(plan.changes)
        if _is_open_in_module(change)
    }
    bridges = [*plan.bridges, *configured.values()]
    behind = makes_behind(plan.changes, {s.address: s for s in steps if s.action in MAKES}) if bridges else {}
    modules = {split_path(address)[0]: plan.modules.get(split_path(address)[0], {}) for address in configured}
    scopes = {**modules, **plan.modules}
    needs = {step.name: (*step.needs, *_waits(step, configured)) for step in steps}
    for bridge in bridges:
        makes = (name for address in bridge.needs for name in behind.get(address, ()))
        needs[bridge.name] = tuple(dict.fromkeys((*makes, *bridge.waits)))
    tasks = tuple(_task(step, plan, scopes, configured) for step in steps)
    checks = stack_checks(plan)
    ends = _ends(needs) if checks else ()
    needs |= {task.name: ends for task in checks}
    on_failure = plan.policy.on_failure
    graph = Graph(
        tasks=(
            *(map(pausing, tasks) if on_failure is OnFailure.PAUSE else tasks),
            *map(_crossing, bridges),
            *checks,
        ),
        needs=needs,
        binds="resources",
        initial=_initial(plan),
        constants=constants(plan.stack, plan.inputs, plan.secrets),
        width=plan.policy.parallel,
        scopes=scopes,
        undo=undo_of(steps, tasks) if on_failure is OnFailure.COMPENSATE else {},
        lanes={s.name: s.change.provider for s in steps if _changes_by(s, plan.policy.providers)},
        widths=plan.policy.providers,
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


def _ends(needs: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the tasks that no other one waits for: when these have ended, all have."""
    waited = {need for each in needs.values() for need in each}
    return tuple(name for name in needs if name not in waited)


def _changes_by(step: Step, narrow: Collection[str]) -> bool:
    """Return whether a step has a provider change something that lets fewer objects change at a time."""
    return step.action in CHANGES and step.change.provider in narrow


def _is_open_in_module(change: Change) -> bool:
    """Return whether the configuration of a provider is evaluated at apply, for something in a module."""
    inside = bool(split_path(change.address)[0]) and change.action is not Action.KEEP
    return inside and next(leaves(change.setup), None) is not None


def _setup_bridge(change: Change, number: int) -> Bridge:
    """Return the bridge by which a configuration of the stack itself comes into a module."""
    module = split_path(change.address)[0]
    return Bridge(input_name(module, f"$setup.{number}"), "", change.setup, change.needs, change.waits)


def _waits(step: Step, configured: Mapping[str, Bridge]) -> tuple[str, ...]:
    if step.action not in {"create", "update", "read", BEFORE, AFTER}:
        return ()
    own = configured.get(str(step.change.address))
    return (*step.change.waits, own.name) if own is not None else step.change.waits


def _crossing(bridge: Bridge) -> Task:
    """Return the task that gives an input or output of a module its value."""
    return Task(
        name=bridge.name,
        pointer=f"/modules/{_pointed(bridge.name)}",
        node=Set(bridge.template),
        output=Filter(schema=bridge.schema, present=True) if bridge.schema else UNFILTERED,
        span=bridge.span,
        constants={} if bridge.each is None else {"each": bridge.each},
        scope=bridge.scope,
    )


def _initial(plan: Plan) -> dict[str, Value]:
    """Return the attributes, by address, of what stands already and is not made anew."""
    initial: dict[str, Value] = {**plan.empty, **plan.shown}
    for change in plan.changes:
        stays = change.action is Action.KEEP or change.action is Action.UPDATE
        if stays and change.prior is not None:
            initial[change.address] = change.prior.attributes
    return initial


def _task(step: Step, plan: Plan, scopes: Collection[str], configured: Mapping[str, Bridge]) -> Task:
    change = step.change
    module = split_path(change.address)[0]
    pointer = f"/changes/{_pointed(step.address)}/{step.action}"
    if step.action in {BEFORE, AFTER}:
        asked = [each for each in in_run(change) if each.check.before is (step.action == BEFORE)]
        return check_task(change, asked, step.name, pointer, module if module in scopes else "")
    request = _request(step) if step.action != "move" else _moves(plan)
    if step.action != "move" and str(change.address) in configured:
        # Its own expressions see the module, those of the configuration the stack: one task has one scope.
        name = configured[str(change.address)].name.removeprefix(f"{module}/$inputs.")
        request["setup"] = Expression(f'$inputs["{name}"]')
    return Task(
        name=step.name,
        pointer=pointer,
        node=Call(function="resource", request=request),
        span=change.span,
        constants={} if change.each is None else {"each": change.each},
        scope=module if module in scopes else "",
    )


def _pointed(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _request(step: Step) -> dict[str, Template]:
    """Return what the performer of `resource` gets; see `providers.apply`."""
    change = step.change
    request: dict[str, Template] = {"action": step.action, "address": step.address, "name": change.name}
    request |= {"key": change.key, "type": _type_of(step, change)}
    if step.action in {"create", "update", "read", "record", "import"}:
        request |= {"needs": template_of([str(need) for need in change.needs]), "protect": change.protect}
    if change.triggers and step.action in {"create", "update", "record", "import"}:
        request["triggers"] = change.triggers
    if change.create_first_kept and step.action in {"create", "update", "record", "import"}:
        request["createFirst"] = True
    if step.action == "import":
        request |= {"config": change.config, "id": change.imported}
    if step.action in {"create", "update", "read"}:
        request["config"] = change.config
        request |= _promised(change)
    if change.adopts is not None:
        request["row"] = template_of(value_of(change.adopts))
    if change.provider:
        request |= {"provider": change.provider, "setup": change.setup}
    if step.deposes:
        request["deposes"] = step.deposes
    return request


def _moves(plan: Plan) -> dict[str, Template]:
    """Return what gives rows their new addresses, and new needs to what stands on them."""
    moves: list[Template] = [
        {
            "from": change.moved_from or change.address,
            "to": change.address,
            "name": change.name,
            "key": change.prior.key,
            "needs": template_of([str(need) for need in change.prior.needs]),
            **({"becomes": template_of(value_of(change.prior))} if change.moved_type else {}),
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
