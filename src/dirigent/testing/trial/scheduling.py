"""The runs that a schedule started, against those that a test expects."""

from __future__ import annotations

from collections import Counter
from typing import Final

from dirigent.lang.schedule.calendar import stamp
from dirigent.lang.trial.trial import Starts, Trial
from dirigent.model.problem import Problem
from dirigent.testing.trial.coming import ENDLESS, Came, listed, other_phase

_NEAR: Final = 4


def endings(trial: Trial, came: Came) -> list[Problem]:
    """Return the runs of a schedule that do not end as is said of all of them."""
    if came.phase == ENDLESS:
        return [other_phase(trial.ending.phase, came)]
    said = {
        at: phase
        for wanted in trial.expectations
        if isinstance(wanted, Starts)
        for at, phase in zip(wanted.times, wanted.phases, strict=True)
    }
    wrong = [
        (each, wanted)
        for each in came.starts
        for wanted in (said.get(round(each.due, 6)) or str(trial.ending.phase.value),)
        if each.phase != wanted
    ]
    return [
        Problem(
            "E7080",
            f"the run of `{stamp(each.due)}` is `{each.phase}`, not `{wanted}`",
            trial.ending.phase.span,
            f"`{each.phase}`",
            (),
            (f"{len(wrong)} of {len(came.starts)} runs end otherwise",),
        )
        for each, wanted in wrong[:1]
    ]


def began(wanted: Starts, came: Came) -> list[Problem]:
    """Return what is wrong with the number or the times of the runs."""
    if wanted.count is not None:
        if wanted.count == len(came.starts):
            return []
        message = f"the schedule starts {len(came.starts)} runs, not {wanted.count}"
        return [Problem("E6011", message, wanted.span, "another number", (), (_times_of(came),))]
    expected = [stamp(at) for at in wanted.times]
    found = [stamp(each.due) for each in came.starts]
    if expected == found:
        return []
    missing = Counter(expected) - Counter(found)
    extra = Counter(found) - Counter(expected)
    helps = [f"`{at}` is missing" for at in list(missing)[:_NEAR]]
    helps += [f"`{at}` is not expected" for at in list(extra)[:_NEAR]]
    return [
        Problem(
            "E6011",
            "the schedule starts runs at other times",
            wanted.span,
            "differs",
            (),
            (*helps, _times_of(came)),
        )
    ]


def _times_of(came: Came) -> str:
    return f"it starts them at: {listed([stamp(each.due) for each in came.starts])}"
