"""Have a run that failed go on from a task, or answer for a task; who asks gets a refusal that helps.

What a person names is a task by its pointer, its position or its name: its last activation is meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Final

from dirigent.core.machine import Tools
from dirigent.core.replay import replay
from dirigent.core.status import Phase
from dirigent.model.ids import RunId, child_run, effect_id
from dirigent.model.problem import refuse
from dirigent.model.program import Code, Program
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Fact, Intended, Overruled, Retried
from dirigent.model.run.summary import RunSummary
from dirigent.model.values import Value
from dirigent.service.finding import find
from dirigent.service.runs import Driven
from dirigent.service.views import TaskView, view

APPLY: Final = "apply"
ENDED: Final = frozenset({"completed", "faulted", "cancelled"})
# What of a Python workflow gives nothing, so that nothing is missing when it is passed over.
EMPTY: Final = frozenset({"sleep"})
OPEN: Final = frozenset({"running", "waiting", "retrying", "held"})


@dataclass(frozen=True, slots=True)
class Word:
    """What a person says: `answer` is `again`, `skip` or `output`; `place` may be empty for what failed."""

    answer: str
    place: str = ""
    output: Value = None
    reason: str = ""
    by: str = ""


async def speak(desk: Driven, tools: Tools, wanted: str, word: Word) -> tuple[RunId, str]:
    """Put a word into a run; return the run and the position of the task that it is for.

    Raises:
        Refusal: E4170 for a run that has not failed, E4171 for a task that the run did not come to, E4172
            when it would fail for another reason all the same, E4173 for a task that does not run, E4174
            for an apply, E4175 for a child whose parent has its answer, E4184 for a step in Python whose
            result the workflow waits for.
    """
    found = await find(desk.shelf, wanted)
    if found.kind == APPLY:
        raise refuse(
            "E4174",
            f"run `{found.id}` is an apply, whose plan may be out of date",
            "plan and apply what is missing now: `dirigent up`",
        )
    facts = await desk.journal.read(found.id)
    program = await desk.journal.definition(found.definition)
    if found.phase in ENDED or word.answer == "again":
        return found.id, await _again(desk, tools, found, program, facts, word)
    task = _task(view(program, found.id, facts, tools).tasks, word.place, found.id)
    _check_skip(program, task, found.id, word)
    if task.status not in OPEN:
        raise refuse(
            "E4173",
            f"task `{task.name}` of run `{found.id}` does not run: it is {task.status}",
            "only what runs, waits or is held can be answered for; see `dirigent show " + found.id + "`",
        )
    at = desk.clock.now()
    fact = Overruled(at, task.position, task.attempt, word.answer, word.output, word.reason, word.by)
    await desk.conductor.tell(found.id, fact)
    return found.id, task.position


async def _again(
    desk: Driven, tools: Tools, found: RunSummary, program: Program, facts: Sequence[Fact], word: Word
) -> str:
    if found.phase != "faulted":
        raise refuse(
            "E4170",
            f"run `{found.id}` has not failed: it is {found.phase}",
            f"begin it anew with the same input: `dirigent rerun {found.id}`",
        )
    await _check_parent(desk, found)
    seen = view(program, found.id, facts, tools)
    task = _task(seen.tasks, word.place, found.id) if word.place else _failed(seen.tasks, found)
    _check_skip(program, task, found.id, word)
    fact = Retried(
        desk.clock.now(), task.position, task.attempt, word.answer, word.output, word.reason, word.by
    )
    if not isinstance(program.root.node, Code):  # Only the engine has the text of a workflow of code.
        _check(replayed(program, found, facts, tools, fact), found, task)
    await desk.conductor.tell(found.id, fact)
    return task.position


def _check_skip(program: Program, task: TaskView, run: RunId, word: Word) -> None:
    """Refuse to pass over a step in Python that is to give something: there is no input to pass on."""
    if word.answer == "skip" and isinstance(program.root.node, Code) and task.kind not in EMPTY:
        raise refuse(
            "E4184",
            f"`{task.name}` of run `{run}` is a step in Python, which cannot be passed over: "
            "the workflow goes on with what it gives",
            f"say what it is to have given: `dirigent set-output {run} {task.name} --value JSON`",
        )


def replayed(
    program: Program, found: RunSummary, facts: Sequence[Fact], tools: Tools, fact: Retried
) -> Phase | str:
    """Return the phase in which a run would stand at the gate of a fact, or where it fails all the same."""
    run = replay(program, found.id, facts, tools, gate=(fact.position, fact.attempt))
    if run.result is not None:
        fault = run.result[2]
        return fault.instance if fault is not None else "/"
    parked = run.gate.parked.get((fact.position, fact.attempt)) if run.gate is not None else None
    return Phase.RUNNING if parked is not None and parked[0].alive else Phase.ENDED


def _check(stands: Phase | str, found: RunSummary, task: TaskView) -> None:
    if stands is Phase.RUNNING:
        return
    where = f" at `{stands}`" if isinstance(stands, str) and not isinstance(stands, Phase) else ""
    raise refuse(
        "E4172",
        f"to go on from `{task.name}` does not help run `{found.id}`: it fails{where} all the same",
        f"go on from the task that failed: `dirigent retry {found.id}`, or begin anew: `dirigent rerun`",
    )


async def _check_parent(desk: Driven, found: RunSummary) -> None:
    """Refuse what would come too late for the run that waited for this one."""
    if found.parent is None:
        return
    for fact in await desk.journal.read(found.parent):
        if isinstance(fact, Intended) and _detached(fact.request) and _child(found, fact) == found.id:
            return
    raise refuse(
        "E4175",
        f"run `{found.id}` is a step of run `{found.parent}`, which has been told that it failed",
        f"have that one go on, and it makes this step again: `dirigent retry {found.parent}`",
    )


def _child(found: RunSummary, fact: Intended) -> RunId:
    """Return the id of the child that an effect of the parent of a run starts."""
    parent = found.parent or RunId("")
    return child_run(effect_id(parent, fact.position), fact.attempt)


def _detached(request: Value) -> bool:
    return isinstance(request, dict) and request.get("await") is False


def _failed(tasks: Sequence[TaskView], found: RunSummary) -> TaskView:
    """Return the task that a run failed of."""
    place = found.fault.instance if found.fault is not None else ""
    failed = [task for task in tasks if task.status == "failed"]
    here = [task for task in failed if place in {task.pointer, task.position}]
    if not failed:
        raise refuse(
            "E4172",
            f"run `{found.id}` failed as a whole, not at a task",
            "say from where it is to go on: `--from POINTER`; or begin anew: `dirigent rerun`",
            *(
                f"the last task was `{each.name}`: `--from {each.pointer or each.position}` makes it again"
                for each in tasks[-1:]
            ),
        )
    return max(here or failed, key=lambda task: (task.depth, tasks.index(task)))


def _task(tasks: Sequence[TaskView], place: str, run: RunId) -> TaskView:
    """Return the last activation of the task that a person names."""
    exact = [task for task in tasks if place in {task.position, task.pointer}]
    named = exact or [task for task in tasks if task.name == place]
    if named:
        return named[-1]
    known = list(dict.fromkeys([*(task.pointer for task in tasks), *(task.name for task in tasks)]))
    near = difflib.get_close_matches(place, known, 1)
    meant = f"did you mean `{near[0]}`? " if near else ""
    raise refuse(
        "E4171",
        f"run `{run}` did not come to a task `{place}`",
        f"{meant}`dirigent show {run} --json` has the pointer of each",
    )
