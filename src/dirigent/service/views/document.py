"""What a person sees of one run: its tasks as a tree, each with status, attempts and times.

Made by replaying the journal with a trace, so it shows what the engine knows and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Sequence as Listing
from dataclasses import replace
from typing import Final

from dirigent.core.machine import Moment, Run, Tools
from dirigent.core.replay import replay
from dirigent.core.status import Status
from dirigent.model.ids import Position, RunId
from dirigent.model.program import Call, Program, Task
from dirigent.model.run.command import Hears
from dirigent.model.run.journal import (
    Ended,
    Fact,
    Failed,
    Held,
    Intended,
    Overruled,
    Repeated,
    Retried,
    Skipped,
    TimerSet,
    Vouched,
)
from dirigent.service.views.shape import RunView, TaskView

# The marks of rounds and visits in a position: `[3]` of a loop, `~2` of a jump back.
_MARK: Final = re.compile(r"\[\d+\]|~\d+")
_STATUS: Final = {
    "entered": "running",
    "left": "succeeded",
    "failed": "failed",
    "skipped": "skipped",
    "cancelled": "cancelled",
    "retrying": "retrying",
}


def of_document(program: Program, run_id: RunId, facts: Listing[Fact], tools: Tools) -> RunView:
    """Return the view of a run as its journal stands."""
    seen = _Seen()
    run = replay(program, run_id, facts, tools, trace=seen.note)
    for fact in facts:
        seen.learn(fact)
    seen.settle(run)
    created = run.created
    last = facts[-1] if facts else None
    ended = last if isinstance(last, Ended) else None
    return RunView(
        id=run_id,
        name=program.name,
        kind=program.kind,
        phase=ended.phase if ended else _phase(run),
        created_at=created.at if created else 0.0,
        facts=len(facts),
        tasks=tuple(seen.tasks.values()),
        ended_at=ended.at if ended else None,
        input=created.input if created else None,
        output=ended.output if ended else None,
        fault=ended.fault if ended else None,
    )


def _phase(run: Run) -> str:
    if any(ask.status is Status.HELD for ask in run.asks.values()):
        return "held"
    if run.phase.value == "running" and run.asks and run.quiet:
        return "waiting"
    return run.phase.value


class _Seen:
    """Tasks in the order in which they were first entered."""

    def __init__(self) -> None:
        self.tasks: dict[Position, TaskView] = {}

    def note(self, moment: Moment) -> None:
        """Take a moment of the trace; the root is the run itself."""
        if moment.depth < 0:
            return
        known = self.tasks.get(moment.position)
        status = _STATUS[moment.what]
        if known is None or moment.what == "entered":
            self.tasks[moment.position] = self._entered(moment, known)
        elif moment.what != "entered":
            ended = None if status == "retrying" else moment.at
            self.tasks[moment.position] = replace(known, status=status, ended_at=ended)

    def _entered(self, moment: Moment, known: TaskView | None) -> TaskView:
        task = moment.task
        kind = task.node.function if isinstance(task.node, Call) else type(task.node).__name__.lower()
        return TaskView(
            position=moment.position,
            pointer=task.pointer,
            name=task.name,
            kind=kind,
            status="running" if moment.what == "entered" else _STATUS[moment.what],
            depth=moment.depth,
            attempt=moment.attempt,
            started_at=known.started_at if known else moment.at,
            span=task.span,
        )

    def learn(self, fact: Fact) -> None:
        """Add what only facts tell: reasons, evidence and times to come."""
        position = getattr(fact, "position", None)
        known = self.tasks.get(position) if position is not None else None
        if known is None:
            return
        match fact:
            case Failed(fault=fault):
                words = fault.detail or fault.title or fault.type
                self.tasks[known.position] = replace(known, reason=words)
            case Held(reason=reason, evidence=evidence):
                self.tasks[known.position] = replace(known, reason=reason, evidence=evidence)
            case Intended() | Vouched() | Skipped() | Repeated() | Retried() | Overruled():
                self.tasks[known.position] = replace(known, reason="", evidence={})
            case TimerSet(until=until, purpose="wait" | "retry"):
                self.tasks[known.position] = replace(known, until=until)
            case _:
                pass

    def settle(self, run: Run) -> None:
        """Say of what still stands whether it waits or is held."""
        for ask in run.asks.values():
            known = self.tasks.get(ask.key[0])
            if known is None:
                continue
            if ask.status is Status.HELD:
                self.tasks[known.position] = replace(known, status="held")
            elif ask.key[2] == "wait" or isinstance(ask.note, Hears):
                self.tasks[known.position] = replace(known, status="waiting")


def name_of(position: Position, tasks: Mapping[str, Task]) -> str:
    """Return the name of the task that was active at a position, with its round where it has one."""
    task = tasks.get(position)
    if task is not None:
        return task.name
    marks = "".join(_MARK.findall(position))
    known = tasks.get(_MARK.sub("", position))
    return f"{known.name}{marks}" if known else position
