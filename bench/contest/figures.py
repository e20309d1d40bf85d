"""The arithmetic of the bench: medians, percentiles, and what a trace tells. Pure."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

Figures: TypeAlias = dict[str, float | None]

NANOSECONDS_PER_MILLISECOND = 1e6
WARM_RUN = "warm"


@dataclass(frozen=True, slots=True)
class Mark:
    """One execution of a step: its run, its number, and the monotonic clock in nanoseconds."""

    run: str
    step: str
    at: int


@dataclass(frozen=True, slots=True)
class Account:
    """What became of the steps that were to be done."""

    done: int
    lost: int
    again: int
    strange: int


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of all values do not exceed (nearest rank)."""
    if not values or not 0 < share <= 1:
        raise ValueError(f"no percentile {share} of {len(values)} values")
    return sorted(values)[math.ceil(share * len(values)) - 1]


def marks_of(text: str) -> list[Mark]:
    """Return the marks of a trace, without those of the warm-up and without a last line that is not whole."""
    whole = text[: text.rfind("\n") + 1]
    words = (line.split(" ") for line in whole.splitlines())
    return [Mark(run, step, int(at)) for run, step, at in words if run != WARM_RUN]


def gaps_of(marks: Iterable[Mark]) -> list[float]:
    """Return the milliseconds between each step and the next of the same run."""
    by_run: dict[str, list[int]] = {}
    for mark in marks:
        by_run.setdefault(mark.run, []).append(mark.at)
    found = []
    for times in by_run.values():
        times.sort()
        found += [(later - earlier) / NANOSECONDS_PER_MILLISECOND for earlier, later in pairwise(times)]
    return found


def account_of(marks: Iterable[Mark], runs: int, steps: int) -> Account:
    """Compare a trace with `runs` chains of `steps` steps, named `w0` and on, numbered from 0."""
    counted = Counter((mark.run, mark.step) for mark in marks)
    expected = {(f"w{run}", str(step)) for run in range(runs) for step in range(steps)}
    done = sum(pair in counted for pair in expected)
    return Account(
        done=done,
        lost=len(expected) - done,
        again=sum(count - 1 for count in counted.values()),
        strange=sum(pair not in expected for pair in counted),
    )


def middle(rounds: Sequence[Mapping[str, float | None]]) -> Figures:
    """Return the median of every figure that all rounds have."""
    found: Figures = {}
    for name in rounds[0] if rounds else ():
        values = [value for each in rounds if (value := each.get(name)) is not None]
        if len(values) == len(rounds):
            found[name] = statistics.median(values)
    return found
