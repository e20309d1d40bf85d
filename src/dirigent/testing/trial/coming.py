"""What a run came to, as tests look at it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Final

from dirigent.lang.schedule.calendar import stamp
from dirigent.lang.trial.trial import Wanted
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.problem import Problem
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Value
from dirigent.testing.trial.comparing import written
from dirigent.testing.trial.world import Call

ENDLESS: Final = "running"
ENDED: Final = ("completed", "faulted", "cancelled")
_LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class Started:
    """A run that a schedule started: for which time, when that was, its id, and where it stands."""

    due: float
    at: float
    run: str
    phase: str


@dataclass(frozen=True, slots=True)
class Came:
    """What a run came to. `ran` counts the tasks that ran, by name and by pointer.

    `waits` says what a run stands at that did not end; `refused` are happenings that it could not take,
    `events` those that were emitted, `served` how often each answer was given, `computed` what each
    expectation that is an expression gave. `context` is the last of the run, and `order` holds the tasks of
    each workflow that ran, that of the test first, by name and pointer as they began.
    """

    phase: str
    seconds: float
    output: Value = None
    fault: Fault | None = None
    ran: Mapping[str, int] = field(default_factory=dict)
    calls: Sequence[Call] = ()
    events: Sequence[Value] = ()
    strange: Sequence[Call] = ()
    waits: Sequence[str] = ()
    refused: Sequence[Problem] = ()
    served: Mapping[int, int] = field(default_factory=dict)
    computed: Mapping[Span, Value | Fault] = field(default_factory=dict)
    context: Value = None
    order: Sequence[Sequence[tuple[str, str]]] = ()
    starts: Sequence[Started] = ()

    @property
    def error(self) -> Value:
        """Return the error as an error filter sees it, or None."""
        return None if self.fault is None else self.fault.as_value()

    def as_value(self) -> Value:
        """Return what the expressions of a test see."""
        requests: list[Value] = [
            {"task": call.task, "call": call.function, "request": call.request} for call in self.calls
        ]
        ran: dict[str, Value] = dict(self.ran)
        return {
            "phase": self.phase,
            "output": self.output,
            "error": self.error,
            "context": self.context,
            "order": [name for name, pointer in self.order[0] if pointer] if self.order else [],
            "requests": requests,
            "events": list(self.events),
            "tasks": ran,
            "elapsed": self.seconds,
            "starts": [
                {"at": stamp(each.due), "begun": stamp(each.at), "run": each.run, "phase": each.phase}
                for each in self.starts
            ],
        }


def other_phase(wanted: Wanted, came: Came) -> Problem:
    """Say that a run is in another phase than a test wants."""
    helps: tuple[str, ...] = ()
    if came.fault is not None:
        helps = (f"the error: {written(came.error)}",)
    elif came.phase == "completed":
        helps = (f"the output: {written(came.output)}",)
    elif came.phase == ENDLESS:
        helps = (f"it recorded {limits.TRIAL_FACTS} facts and went on: does it ever end?",)
    elif came.phase not in ENDED:
        helps = tuple(f"it stands at {each}" for each in came.waits)
    verb = "ended" if came.phase in ENDED else "is left"
    return Problem(
        "E7080",
        f"the run {verb} `{came.phase}`, not `{wanted.value}`",
        wanted.span,
        f"`{came.phase}`",
        (),
        helps,
    )


def listed(names: Sequence[str]) -> str:
    """Return names as a line, the first of many."""
    told = ", ".join(names[:_LISTED]) or "none"
    return f"{told}, and {len(names) - _LISTED} more" if len(names) > _LISTED else told


def count_of(names: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return how often each task ran, by name and by pointer; `names` are both of each time."""
    return dict(Counter(each for name, pointer in names for each in (name, pointer)))
