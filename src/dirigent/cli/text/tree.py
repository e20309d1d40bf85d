"""One run as text: its head, the tree of its tasks, its result, and what to do next."""

from __future__ import annotations

import json
import shlex
from typing import Final

from dirigent.cli import wire
from dirigent.cli.text.runs import clock, fault_text, indented, lasted, sign
from dirigent.cli.text.terminal import Terminal, columns, cut, padded, shown
from dirigent.model.run.effect import PAUSED
from dirigent.service.views import RunView, TaskView

NAME_COLUMNS: Final = 40
OUTPUT_CHARACTERS: Final = 4_000


def run_text(view: RunView, now: float, terminal: Terminal, *, whole: bool = False) -> str:
    """Return one run: head, tree, result, and what to do next. A huge result is cut, unless `whole`."""
    spent = lasted((view.ended_at or now) - view.created_at)
    head = f"{sign(view.phase, terminal)} {terminal.paint(view.id, 'bold')}  {view.kind} {view.name}"
    lines = [f"{head}  {view.phase}  {spent}"]
    width = _name_columns(view)
    for task in view.tasks:
        lines += _task_lines(task, now, terminal, width)
    if view.fault is not None:
        lines += ["", fault_text(view.fault, terminal)]
    if view.ended_at is not None and view.phase == "completed" and view.output is not None:
        lines += ["", "output:", indented(view.output) if whole else _cut(indented(view.output), view.id)]
    lines += _advice(view)
    return "\n".join(lines)


def _cut(text: str, run: str) -> str:
    left = len(text) - OUTPUT_CHARACTERS
    if left <= 0:
        return text
    hint = f"... and {left} characters more: dirigent show {run} --whole"
    return f"{text[:OUTPUT_CHARACTERS]}\n  {hint}"


def _name_columns(view: RunView) -> int:
    widest = max([0, *(2 * (task.depth + 1) + columns(task.name) for task in view.tasks)])
    return min(NAME_COLUMNS, widest)


def _task_lines(task: TaskView, now: float, terminal: Terminal, width: int) -> list[str]:
    """Return one task of a tree, and below it why it failed or is held."""
    indent = "  " * (task.depth + 1)
    spent = lasted((task.ended_at or now) - task.started_at)
    attempt = f"  attempt {task.attempt}" if task.attempt > 1 else ""
    until = f"  until {clock(task.until)}" if task.until and task.ended_at is None else ""
    left = width - len(indent)
    name = padded(cut(task.name, left), left)
    state = f"{padded(task.kind, 9)} {padded(task.status, 9)} {spent}"
    lines = [f"{indent}{sign(task.status, terminal)} {name} {state}{attempt}{until}".rstrip()]
    if task.reason and task.status != "succeeded":
        lines.append(f"{indent}    = {shown(task.reason)}")
    return lines


def _advice(view: RunView) -> list[str]:
    if view.phase == "held":
        held = [task for task in view.tasks if task.status == "held"]
        if all(PAUSED in (task.evidence or {}) for task in held):
            choices = f"dirigent resume {view.id} --repeat | --skip, or dirigent cancel {view.id}"
            return ["", "what failed waits for you; mend it, then:", f"  {choices}"]
        if all("address" in (task.evidence or {}) for task in held):
            return ["", *(line for task in held for line in _question(view.id, task, len(held)))]
        evidence = [
            f"  {task.name}: {json.dumps(wire.value(task.evidence))}" for task in held if task.evidence
        ]
        choices = f"dirigent resume {view.id} --done [JSON] | --repeat | --skip"
        return ["", "nobody can say whether it happened; look, then decide:", *evidence, f"  {choices}"]
    if view.phase == "suspended":
        return ["", f"next: dirigent resume {view.id}"]
    return []


def _question(run: str, task: TaskView, among: int) -> list[str]:
    """Ask whether what was to be made is there, and say how each answer is given."""
    evidence = task.evidence or {}
    address = str(evidence.get("address"))
    lines = [f"is there a `{evidence.get('type')}` for `{address}`?"]
    if "object" in evidence:
        lines.append(f"  it was to be: {shown(json.dumps(wire.value(evidence['object'])))}")
    alike = evidence.get("alike")
    lines += [f"  it may be:    {shown(str(each))}" for each in (alike if isinstance(alike, list) else [])]
    named = f"{address}=ID" if among > 1 else "ID"
    return [
        *lines,
        f"  yes, as ID:   dirigent resume {run} --as {shlex.quote(named)}",
        f"  no, make it:  dirigent resume {run} --repeat",
        f"  leave it:     dirigent resume {run} --skip",
    ]
