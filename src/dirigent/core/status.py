"""Where an ask of the world, and a run as a whole, stand, and which fact may follow.

Rule 1: a transition that is in no table cannot happen, not even by accident.
Rule 2: recovery and normal running use the same tables, so they cannot disagree.
The diagrams in docs/engine.md are drawn from these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.run.journal import (
    Abandoned,
    Awaited,
    CancelRequested,
    Computed,
    Created,
    Emitted,
    Ended,
    Fact,
    Failed,
    Heard,
    Held,
    Intended,
    Listening,
    Overruled,
    Patched,
    Repeated,
    ResourceChanged,
    Resumed,
    Retried,
    Signalled,
    Skipped,
    Succeeded,
    Suspended,
    TimerFired,
    TimerSet,
    Unheard,
    Vouched,
)


class Status(Enum):
    """The life of one ask: an effect, a timer, or a question to the expression worker."""

    # Members are equal only to themselves; the hash of `Enum` is that of the name, at ten times the cost.
    __hash__ = object.__hash__

    ASKED = "asked"
    UNDER_WAY = "under way"
    HELD = "held"
    DONE = "done"
    FAILED = "failed"
    ABANDONED = "abandoned"


class Phase(Enum):
    """The life of a run."""

    __hash__ = object.__hash__

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    SUSPENDED = "suspended"
    CANCELLING = "cancelling"
    ENDED = "ended"


NEXT: Final[Mapping[tuple[Status, type[Fact]], Status]] = MappingProxyType(
    {
        (Status.ASKED, Intended): Status.UNDER_WAY,
        (Status.ASKED, TimerSet): Status.UNDER_WAY,
        (Status.ASKED, Computed): Status.DONE,
        (Status.ASKED, Patched): Status.DONE,
        (Status.ASKED, Awaited): Status.UNDER_WAY,
        (Status.ASKED, Listening): Status.UNDER_WAY,
        (Status.ASKED, Emitted): Status.DONE,
        (Status.UNDER_WAY, Succeeded): Status.DONE,
        (Status.UNDER_WAY, Failed): Status.FAILED,
        (Status.UNDER_WAY, TimerFired): Status.DONE,
        (Status.UNDER_WAY, Heard): Status.DONE,
        (Status.UNDER_WAY, Unheard): Status.ABANDONED,
        # The engine could not find out whether the effect happened: only a person can go on.
        (Status.UNDER_WAY, Held): Status.HELD,
        (Status.UNDER_WAY, Abandoned): Status.ABANDONED,
        (Status.HELD, Vouched): Status.DONE,
        (Status.HELD, Skipped): Status.DONE,
        (Status.HELD, Repeated): Status.UNDER_WAY,
        (Status.HELD, Abandoned): Status.ABANDONED,
    }
)

PHASES: Final[Mapping[tuple[Phase, type[Fact]], Phase]] = MappingProxyType(
    {
        (Phase.PENDING, Created): Phase.RUNNING,
        # A run that was made with a ticket waits until its queue lets it go (`core.replay` puts it there).
        (Phase.QUEUED, Resumed): Phase.RUNNING,
        (Phase.QUEUED, CancelRequested): Phase.CANCELLING,
        # It leaves its queue, and lines up again when it is resumed (`core.replay` puts it there).
        (Phase.QUEUED, Suspended): Phase.SUSPENDED,
        (Phase.RUNNING, Suspended): Phase.SUSPENDED,
        (Phase.SUSPENDED, Resumed): Phase.RUNNING,
        (Phase.RUNNING, CancelRequested): Phase.CANCELLING,
        (Phase.SUSPENDED, CancelRequested): Phase.CANCELLING,
        # An event is kept until somebody waits for it.
        (Phase.RUNNING, Signalled): Phase.RUNNING,
        (Phase.SUSPENDED, Signalled): Phase.SUSPENDED,
        (Phase.RUNNING, Ended): Phase.ENDED,
        (Phase.CANCELLING, Ended): Phase.ENDED,
        # A person has it go on from a task.
        (Phase.ENDED, Retried): Phase.RUNNING,
        # A person answers for a task.
        (Phase.RUNNING, Overruled): Phase.RUNNING,
        (Phase.SUSPENDED, Overruled): Phase.SUSPENDED,
        # A resource changes through an effect that was under way when the run was stopped, too.
        (Phase.RUNNING, ResourceChanged): Phase.RUNNING,
        (Phase.SUSPENDED, ResourceChanged): Phase.SUSPENDED,
        (Phase.CANCELLING, ResourceChanged): Phase.CANCELLING,
    }
)

SETTLED: Final = frozenset({Status.DONE, Status.FAILED, Status.ABANDONED})


def after(status: Status, fact: Fact, position: str) -> Status:
    """Return the status of the ask at a position that follows, or raise `Refusal` (`E4001`)."""
    following = NEXT.get((status, type(fact)))
    if following is None:
        raise mismatch(f"`{position}` is {status.value}, so `{type(fact).__name__}` cannot follow")
    return following


def phase_after(phase: Phase, fact: Fact) -> Phase:
    """Return the phase of a run that follows, or raise `Refusal` (`E4001`)."""
    following = PHASES.get((phase, type(fact)))
    if following is None:
        raise mismatch(f"the run is {phase.value}, so `{type(fact).__name__}` cannot follow")
    return following


def mismatch(sentence: str) -> Refusal:
    """Return the refusal of a fact that this program cannot have produced at this point."""
    return refuse(
        "E4001",
        sentence,
        "the journal and the program part here: look at the facts with `dirigent events RUN`",
        "a journal written by a newer release needs that release",
    )


def unknown(run: RunId) -> Refusal:
    """Return the refusal of a run that is not there."""
    return refuse("E4004", f"there is no run `{run}`", "list the runs with `dirigent ps --all`")
