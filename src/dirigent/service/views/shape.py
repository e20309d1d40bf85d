"""What a person sees of a run, whatever it was written in."""

from __future__ import annotations

from dataclasses import field

from dirigent.model.fault import Fault
from dirigent.model.ids import Position, RunId
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Value


@dataclass(frozen=True, slots=True)
class TaskView:
    """One activation of a task.

    `status` is running, waiting, held, retrying, succeeded, failed, skipped or cancelled. `depth` is
    0 for the tasks of the top level.
    `until` is when a wait or a retry's delay ends; `reason` is why it failed or is held.
    """

    position: Position
    pointer: str
    name: str
    kind: str
    status: str
    depth: int
    attempt: int
    started_at: float
    ended_at: float | None = None
    until: float | None = None
    reason: str = ""
    evidence: dict[str, Value] = field(default_factory=dict)
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """One run. `phase` is that of `RunSummary`, or `waiting` when only time or a person can move it."""

    id: RunId
    name: str
    kind: str
    phase: str
    created_at: float
    facts: int
    tasks: tuple[TaskView, ...]
    ended_at: float | None = None
    input: Value = None
    output: Value = None
    fault: Fault | None = None
