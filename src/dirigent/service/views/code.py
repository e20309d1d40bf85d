"""What a person sees of a run of a workflow in Python: told by its facts alone.

The code is not run for it: it may be another by now, or not be here at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from dirigent.model.ids import Position, RunId
from dirigent.model.program import Program
from dirigent.model.run.journal import (
    Abandoned,
    Awaited,
    CancelRequested,
    Created,
    Ended,
    Fact,
    Failed,
    Held,
    Intended,
    Overruled,
    Patched,
    Repeated,
    Resumed,
    Retried,
    Signalled,
    Skipped,
    Succeeded,
    Suspended,
    TimerFired,
    TimerSet,
    Vouched,
)
from dirigent.model.values import Value
from dirigent.service.views.shape import RunView, TaskView

OPEN: Final = frozenset({"running", "waiting", "held", "retrying"})


def of_code(program: Program, run_id: RunId, facts: Sequence[Fact]) -> RunView:
    """Return the view of a run as its journal stands."""
    seen = _Seen()
    for fact in facts:
        seen.take(fact)
    first, last = (facts[0], facts[-1]) if facts else (None, None)
    ended = last if isinstance(last, Ended) else None
    return RunView(
        id=run_id,
        name=program.name,
        kind=program.kind,
        phase=ended.phase if ended else seen.phase(),
        created_at=first.at if first else 0.0,
        facts=len(facts),
        tasks=tuple(seen.tasks.values()),
        ended_at=ended.at if ended else None,
        input=first.input if isinstance(first, Created) else None,
        output=ended.output if ended else None,
        fault=ended.fault if ended else None,
    )


class _Seen:
    """What was asked for, in the order in which it first was. `standing` is what people said of the run."""

    def __init__(self) -> None:
        self.tasks: dict[Position, TaskView] = {}
        self.events: dict[str, list[Position]] = {}
        self.standing = "running"

    def phase(self) -> str:
        """Return where the run stands."""
        found = {each.status for each in self.tasks.values()}
        if "held" in found:
            return "held"
        if self.standing == "running" and found & OPEN and not found & {"running"}:
            return "waiting"
        return self.standing

    def take(self, fact: Fact) -> None:
        """Take in one fact."""
        match fact:
            case Intended(position=position, attempt=attempt, request=request):
                self._enter(fact, position, _kind(request), "running", attempt)
            case TimerSet(position=position, purpose="wait", until=until):
                self._enter(fact, position, "sleep", "waiting", until=until)
            case Awaited(position=position, event=event):
                self._enter(fact, position, "event", "waiting")
                self.events.setdefault(event, []).append(position)
            case Patched(position=position):
                self._enter(fact, position, "patch", "succeeded")
            case TimerSet(position=position, purpose="retry", until=until):
                self._set(position, "retrying", until=until)
            case Signalled(event=event):
                self._heard(fact, event)
            case CancelRequested():
                self._stopped(fact)
            case Suspended() | Resumed():
                self.standing = "suspended" if isinstance(fact, Suspended) else "running"
            case _:
                self._end(fact)

    def _end(self, fact: Fact) -> None:
        """Take in how something ended, or did not."""
        match fact:
            case Succeeded(position=position) | Vouched(position=position) | Skipped(position=position):
                self._set(position, "succeeded", ended_at=fact.at)
            case TimerFired(position=position, purpose="wait" | "timeout" as purpose):
                late = purpose == "timeout"
                reason = "it took too long" if late else ""
                self._set(position, "failed" if late else "succeeded", ended_at=fact.at, reason=reason)
            case Failed(position=position, fault=fault):
                self._set(position, "failed", ended_at=fact.at, reason=fault.detail or fault.title)
            case Held(position=position, reason=reason, evidence=evidence):
                self._set(position, "held", reason=reason)
                self.tasks[position] = replace(self.tasks[position], evidence=evidence)
            case Repeated(position=position):
                self._set(position, "running")
            case Overruled(position=position) | Retried(position=position, answer="skip" | "output"):
                self._set(position, "succeeded", ended_at=fact.at)
            case Abandoned(position=position) if self.tasks[position].status != "succeeded":
                self._set(position, "cancelled", ended_at=fact.at)
            case Ended():
                self._close(fact.at, OPEN)
            case _:
                pass

    def _enter(
        self,
        fact: Fact,
        position: Position,
        kind: str,
        status: str,
        attempt: int = 1,
        until: float | None = None,
    ) -> None:
        known = self.tasks.get(position)
        self.tasks[position] = TaskView(
            position=position,
            pointer=position,
            name=position.removeprefix("/"),
            kind=kind,
            status=status,
            depth=0,
            attempt=attempt,
            started_at=known.started_at if known else fact.at,
            ended_at=fact.at if status == "succeeded" else None,
            until=until,
        )

    def _set(
        self,
        position: Position,
        status: str,
        *,
        ended_at: float | None = None,
        until: float | None = None,
        reason: str = "",
    ) -> None:
        known = self.tasks.get(position)
        if known is not None:
            after = replace(known, status=status, ended_at=ended_at, until=until)
            self.tasks[position] = replace(after, reason=reason)

    def _heard(self, fact: Fact, event: str) -> None:
        waiting = self.events.get(event, [])
        while waiting:
            position = waiting.pop(0)
            if self.tasks[position].status == "waiting":
                self._set(position, "succeeded", ended_at=fact.at)
                return

    def _stopped(self, fact: Fact) -> None:
        """Whatever only waits ends with the word; what it cleans up follows."""
        self.standing = "cancelling"
        self._close(fact.at, frozenset({"waiting", "retrying"}))

    def _close(self, at: float, statuses: frozenset[str]) -> None:
        for position, task in list(self.tasks.items()):
            if task.status in statuses:
                self._set(position, "cancelled", ended_at=at)


def _kind(request: Value) -> str:
    return "python" if isinstance(request, dict) and "step" in request else "workflow"
