"""One run as text: its head, the tree of its tasks, its result, and what to do next."""

from __future__ import annotations

import json

from dirigent.cli import wire
from dirigent.cli.text.runs import clock, fault_text, indented, lasted, sign
from dirigent.cli.text.terminal import Terminal, cut, padded, shown
from dirigent.service.views import RunView, TaskView


def run_text(view: RunView, now: float, terminal: Terminal) -> str:
    """Return one run: head, tree, result, and what to do next."""
    spent = lasted((view.ended_at or now) - view.created_at)
    head = f"{sign(view.phase, terminal)} {terminal.paint(view.id, 'bold')}  {view.kind} {view.name}"
    lines = [f"{head}  {view.phase}  {spent}"]
    lines += [task_line(task, now, terminal) for task in view.tasks]
    if view.fault is not None:
        lines += ["", fault_text(view.fault, terminal)]
    if view.ended_at is not None and view.phase == "completed" and view.output is not None:
        lines += ["", "output:", indented(view.output)]
    lines += _advice(view)
    return "\n".join(lines)


def task_line(task: TaskView, now: float, terminal: Terminal) -> str:
    """Return one task of a tree."""
    indent = "  " * (task.depth + 1)
    spent = lasted((task.ended_at or now) - task.started_at)
    attempt = f"  attempt {task.attempt}" if task.attempt > 1 else ""
    until = f"  until {clock(task.until)}" if task.until and task.ended_at is None else ""
    reason = f"  {shown(task.reason)}" if task.reason and task.status != "succeeded" else ""
    name = padded(task.name, max(1, 28 - len(indent)))
    state = f"{padded(task.kind, 9)} {padded(task.status, 9)} {spent}"
    line = f"{indent}{sign(task.status, terminal)} {name} {state}"
    return cut(f"{line}{attempt}{until}{reason}", max(terminal.width, 60) + 20)


def _advice(view: RunView) -> list[str]:
    if view.phase == "held":
        held = [task for task in view.tasks if task.status == "held"]
        evidence = [
            f"  {task.name}: {json.dumps(wire.value(task.evidence))}" for task in held if task.evidence
        ]
        choices = f"dirigent resume {view.id} --done [JSON] | --repeat | --skip"
        return ["", "nobody can say whether it happened; look, then decide:", *evidence, f"  {choices}"]
    if view.phase == "suspended":
        return ["", f"next: dirigent resume {view.id}"]
    return []
