"""The way back of a plan, known beforehand: for each step the one that takes it back, or why there is none.

What was created is deleted, what was updated gets its former configuration, what was deleted is made again
from its last one: what it held besides is lost. The rows of before stand in the plan, so all of it is data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dirigent.model.plan import Plan
from dirigent.model.program import Call, Set, Task
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.values import Template
from dirigent.planning.steps import AFTER, BEFORE, Step, steps_of
from dirigent.planning.values.evaluate import template_of


@dataclass(frozen=True, slots=True)
class Loss:
    """What a way back cannot do: `whole` says that the step stands, else it loses what `why` says."""

    address: str
    action: str
    why: str
    whole: bool


def undo_of(steps: Sequence[Step], tasks: Sequence[Task]) -> dict[str, Task]:
    """Return what takes each step back, by its name; a step that cannot be taken back is missing.

    `tasks` are those of the steps: what takes one back speaks to the same provider, and sees the same.
    """
    found: dict[str, Task] = {}
    for step, task in zip(steps, tasks, strict=True):
        request = _request(step)
        if step.action in {BEFORE, AFTER}:
            # It only asked, and so stands in nobody's way.
            asked = replace(task, name=f"undo {step.name}", pointer=f"{task.pointer}/undo", node=Set(None))
            found[step.name] = asked
        elif request is not None:
            setup = _request_of(task).get("setup")
            back = request if setup is None else {**request, "setup": setup}
            node = Call(function="resource", request=back)
            found[step.name] = replace(
                task, name=f"undo {step.name}", pointer=f"{task.pointer}/undo", node=node
            )
    return found


def pausing(task: Task) -> Task:
    """Return a task of a plan that waits for a person when it fails."""
    return replace(task, node=Call(function="resource", request={**_request_of(task), "pauses": True}))


def _request_of(task: Task) -> dict[str, Template]:
    request = task.node.request if isinstance(task.node, Call) else None
    return request if isinstance(request, dict) else {}


def losses(plan: Plan) -> tuple[Loss, ...]:
    """Return what a plan could not take back, or not whole, in the order of its steps."""
    doing = (step for step in steps_of(plan.changes) if step.action not in {BEFORE, AFTER})
    found = (_loss(step) for step in doing)
    return tuple(loss for loss in found if loss is not None)


def _loss(step: Step) -> Loss | None:
    change = step.change
    if _request(step) is None:
        return Loss(str(change.address), step.action, _why(step), whole=True)
    if step.action == "delete":
        why = "is made again from its last configuration, what it held is lost"
        return Loss(str(change.address), step.action, why, whole=False)
    return None


def _why(step: Step) -> str:
    if step.action == "forget":
        return "is gone already"
    if step.action in {"import", "move", "release"}:
        return "is only what is known of it, and stays so"
    if step.action == "adopt":
        return "is only taken in"
    if step.action == "create":
        return "is protected, so it is not deleted again"
    return "nobody knows the configuration with which it was made"


def _request(step: Step) -> dict[str, Template] | None:
    """Return what the performer of `resource` gets to take a step back, None where nothing can."""
    change, prior = step.change, step.change.prior
    request: dict[str, Template] = {"address": step.address, "name": change.name, "key": change.key}
    if change.provider:
        request["provider"] = change.provider
    match step.action:
        case "read":
            return _unread(request, step)
        case "create" if not change.protect:
            deposed: dict[str, Template] = {"deposes": step.deposes} if step.deposes else {}
            return {**request, "action": "delete", "type": change.type, **deposed}
        case "record" | "update" | "delete" if prior is not None:
            return _former(request, step, prior)
        case _:
            return None


def _unread(request: dict[str, Template], step: Step) -> dict[str, Template]:
    """Return the request by which nothing is known any more of what was only looked up."""
    prior = step.change.prior
    if prior is None:
        return {**request, "action": "forget", "type": step.change.type}
    needs = template_of([str(need) for need in prior.needs])
    return {**request, "action": "record", "type": prior.type, "needs": needs, "protect": prior.protect}


def _former(request: dict[str, Template], step: Step, prior: ResourceRow) -> dict[str, Template] | None:
    """Return the request by which an instance gets back what it was before the step."""
    ours: dict[str, Template] = {
        "type": prior.type,
        "needs": template_of([str(need) for need in prior.needs]),
        "protect": prior.protect,
    }
    if prior.create_first:
        ours["createFirst"] = True
    if step.action == "record":
        return {**request, **ours, "action": "record"}
    # A provider under another configuration than the plan has for it, or a row that was taken in as it stood.
    if prior.provider != step.change.provider or not prior.config:
        return None
    action = "recreate" if step.action == "delete" else "restore"
    return {**request, **ours, "action": action, "config": template_of(dict(prior.config))}
