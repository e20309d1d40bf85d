"""What a schedule has come to, as its journal carries it on, and which of many times counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeAlias

from dirigent.lang.schedule.calendar import put_off
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Fact, Resumed, Suspended
from dirigent.model.run.schedule import LATE_SECONDS, Schedule
from dirigent.model.values import Value

Pauses: TypeAlias = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class State:
    """`anchor` is when the schedule was made, `considered` the last time that has been dealt with.

    `at` is the next one and `due` when it is to begin, `seconds` how long that is to be waited for. `last` is
    the run that was started last; until `blocked` the schedule waited for the end of one. `what` says what
    became of the last time (`began`, `skipped`, `refused`, ...); `over` is set when no time is left.
    `took` says what became of an event that does not suffice by itself.
    """

    anchor: float
    considered: float
    at: float | None = None
    due: float = 0.0
    seconds: float = 0.0
    last: str = ""
    blocked: float = 0.0
    number: int = 0
    missed: int = 0
    what: str = ""
    over: bool = False
    took: Value = None

    @classmethod
    def of_value(cls, value: Value) -> State:
        """Return the state of the output of a turn."""
        given = value if isinstance(value, dict) else {}
        at = given.get("at")
        return cls(
            anchor=_number(given.get("anchor")),
            considered=_number(given.get("considered")),
            at=None if at is None else _number(at),
            due=_number(given.get("due")),
            last=str(given.get("last") or ""),
            blocked=_number(given.get("blocked")),
            number=int(_number(given.get("number"))),
            missed=int(_number(given.get("missed"))),
            what=str(given.get("what") or ""),
            over=given.get("over") is True,
        )

    def as_value(self) -> dict[str, Value]:
        """Return the state as the output of a turn."""
        took: dict[str, Value] = {} if self.took is None else {"took": self.took}
        return {
            "anchor": self.anchor,
            "considered": self.considered,
            "at": self.at,
            "due": self.due,
            "seconds": self.seconds,
            "last": self.last,
            "blocked": self.blocked,
            "number": self.number,
            "missed": self.missed,
            "what": self.what,
            "over": self.over,
            **took,
        }

    def considered_until(self, at: float, missed: int = 0, paused: int = 0) -> State:
        """Return the state when all times until `at` have been dealt with."""
        what = "missed" if missed else "paused" if paused else self.what
        return replace(self, considered=max(at, self.considered), missed=self.missed + missed, what=what)

    def heard(self, at: float, took: Value, unfinished: int, lost: int) -> State:
        """Return the state when an event that arrived at a time was taken."""
        words = f"gathers: {unfinished} begun"
        what = f"{words}, {lost} forgotten" if lost else words
        return replace(
            self,
            considered=max(at, self.considered),
            missed=self.missed + lost,
            what=self.what if took is None else what,
            took=took,
        )

    def begun(self, at: float, run: str, blocked: float) -> State:
        """Return the state when a run was started."""
        until = max(self.blocked, blocked)
        return replace(self, considered=at, at=None, last=run, blocked=until, what=f"began {run}")

    def skipped(self, at: float) -> State:
        """Return the state when the run before was still open."""
        return replace(self, considered=at, at=None, what=f"skipped: {self.last} is open")

    def refused_at(self, at: float, code: str) -> State:
        """Return the state when a run could not be started."""
        return replace(self, considered=at, at=None, what=f"refused: {code}")

    def waiting(self, at: float, due: float) -> State:
        """Return the state when `at` is the next time."""
        return replace(self, at=at, due=due)

    def ended(self) -> State:
        """Return the state when no time is left here."""
        return replace(self, at=None, over=True)

    def turned(self, now: float, longest: float) -> State:
        """Return the state at the end of a turn."""
        seconds = 0.0 if self.at is None else min(max(0.0, self.due - now), longest)
        return replace(self, number=self.number + 1, seconds=seconds)

    def fresh(self) -> State:
        """Return the state with which another run goes on."""
        return replace(self, number=0, took=None)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Of times that are due: the one to start, until where all are dealt with, and what became of them."""

    considered: float
    start: float | None = None
    missed: int = 0
    paused: int = 0


def timely(
    schedule: Schedule, name: str, due: Sequence[float], now: float, blocked: float, pauses: Pauses
) -> Chosen:
    """Return which of the times that are due counts now; there is at least one.

    What was due while the schedule was paused is passed over. What was due while it waited for the end of a
    run was not missed. Of the rest all but the last were, and that too when it is late.
    """
    paused = [at for at in due if _within(put_off(schedule, name, at), pauses)]
    left = [at for at in due if at not in set(paused)]
    if not left:
        return Chosen(due[-1], paused=len(paused))
    if schedule.misfire == "all" or put_off(schedule, name, left[0]) <= blocked:
        return Chosen(left[0], left[0], paused=len(paused))
    waited = [at for at in left if put_off(schedule, name, at) > blocked]
    last = waited[-1]
    late = now - put_off(schedule, name, last) > LATE_SECONDS
    if late and schedule.misfire == "none":
        return Chosen(due[-1], missed=len(left), paused=len(paused))
    return Chosen(due[-1], last, missed=len(left) - 1, paused=len(paused))


def _within(at: float, pauses: Pauses) -> bool:
    return any(begin <= at < end for begin, end in pauses)


def paused_at(facts: Iterable[Fact], now: float) -> list[tuple[float, float]]:
    """Return when a schedule was paused, from when until when.

    A turn that is made now may be ahead of the fact that resumed it.
    """
    found: list[tuple[float, float]] = []
    since: float | None = None
    for fact in facts:
        if isinstance(fact, Suspended):
            since = fact.at
        elif isinstance(fact, Resumed) and since is not None:
            found.append((since, fact.at))
            since = None
    return found if since is None else [*found, (since, now)]


def _number(value: Value) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
