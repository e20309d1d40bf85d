"""How a run ended against how it should have: every difference is a problem at its place in the test file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from fnmatch import fnmatchcase
from typing import assert_never

from dirigent.lang.trial.trial import (
    Answer,
    Ending,
    Expectation,
    Holds,
    Lasting,
    Ran,
    Requested,
    Trial,
    Wanted,
)
from dirigent.model import limits
from dirigent.model.fault import Fault, canonical
from dirigent.model.problem import Problem
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Value
from dirigent.testing.trial.comparing import contains, differences, same, written
from dirigent.testing.trial.world import Call

_NEAR = 4
ENDLESS = "running"
_ENDED = ("completed", "faulted", "cancelled")


@dataclass(frozen=True, slots=True)
class Came:
    """What a run came to. `ran` counts the tasks that ran, by name and by pointer.

    `waits` says what a run stands at that did not end; `refused` are happenings that it could not take,
    `served` how often each answer was given, `computed` what each expectation that is an expression gave.
    """

    phase: str
    seconds: float
    output: Value = None
    fault: Fault | None = None
    ran: Mapping[str, int] = field(default_factory=dict)
    calls: Sequence[Call] = ()
    strange: Sequence[Call] = ()
    waits: Sequence[str] = ()
    refused: Sequence[Problem] = ()
    served: Mapping[int, int] = field(default_factory=dict)
    computed: Mapping[Span, Value | Fault] = field(default_factory=dict)

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
            "requests": requests,
            "tasks": ran,
            "elapsed": self.seconds,
        }


def judged(trial: Trial, came: Came) -> list[Problem]:
    """Return what is not as it was expected; nothing for a test that passes."""
    if came.strange:
        return [_unforeseen(trial, call) for call in came.strange[:1]]
    found = [*came.refused, *_ending(trial.ending, came)]
    for each in trial.expectations:
        found.extend(_expected(each, came))
    for number, answer in enumerate(trial.answers):
        found.extend(_served(answer, came.served.get(number, 0)))
    return found


def _ending(ending: Ending, came: Came) -> list[Problem]:
    if came.phase != ending.phase.value:
        return [_other_phase(ending.phase, came)]
    found: list[Problem] = []
    if ending.output is not None and not same(ending.output.value, came.output):
        found.append(_differs("E7081", "the output is another one", ending.output, came.output, exact=True))
    if ending.contains is not None and not contains(ending.contains.value, came.output):
        found.append(_differs("E7081", "the output lacks this", ending.contains, came.output, exact=False))
    if ending.error is not None:
        wanted, error = ending.error.value, came.error
        if isinstance(error, dict) and isinstance(wanted, dict) and "type" in wanted:
            error = {**error, "type": canonical(str(error["type"]))}
            wanted = {**wanted, "type": canonical(str(wanted["type"]))}
        if not contains(wanted, error):
            told = Wanted(wanted, ending.error.span)
            found.append(_differs("E7082", "the error is another one", told, error, exact=False))
    return found


def _other_phase(wanted: Wanted, came: Came) -> Problem:
    helps: tuple[str, ...] = ()
    if came.fault is not None:
        helps = (f"the error: {written(came.error)}",)
    elif came.phase == "completed":
        helps = (f"the output: {written(came.output)}",)
    elif came.phase == ENDLESS:
        helps = (f"it recorded {limits.TRIAL_FACTS} facts and went on: does it ever end?",)
    elif came.phase not in _ENDED:
        helps = tuple(f"it stands at {each}" for each in came.waits)
    verb = "ended" if came.phase in _ENDED else "is left"
    return Problem(
        "E7080",
        f"the run {verb} `{came.phase}`, not `{wanted.value}`",
        wanted.span,
        f"`{came.phase}`",
        (),
        helps,
    )


def _differs(code: str, message: str, wanted: Wanted, found: Value, *, exact: bool) -> Problem:
    lines = differences(wanted.value, found, exact=exact)
    return Problem(code, message, wanted.span, "differs", (), (*lines, f"the whole of it: {written(found)}"))


def _expected(wanted: Expectation, came: Came) -> list[Problem]:
    match wanted:
        case Ran():
            return _ran(wanted, came)
        case Requested():
            return _requested(wanted, came)
        case Lasting(least, most, span):
            if least <= came.seconds <= most:
                return []
            message = f"the run lasts `{came.seconds:g}` seconds of virtual time"
            limit = (
                f"at least {least:g} were expected"
                if came.seconds < least
                else f"at most {most:g} were expected"
            )
            return [Problem("E7085", message, span, limit)]
        case Holds(expression, span):
            gave = came.computed.get(span)
            if gave is True:
                return []
            told = gave.detail if isinstance(gave, Fault) else f"it gives `{written(gave)}`"
            return [Problem("E7086", f"`{expression.text}` does not hold", span, told)]
        case _:
            assert_never(wanted)


def _ran(wanted: Ran, came: Came) -> list[Problem]:
    count = sum(number for name, number in came.ran.items() if fnmatchcase(name, wanted.task))
    if count == wanted.times or (wanted.times is None and count):
        return []
    expected = "once or more" if wanted.times is None else _times(wanted.times)
    names = [name for name in came.ran if not name.startswith("/")]
    return [
        Problem(
            "E7083",
            f"task `{wanted.task}` ran {_times(count)}",
            wanted.span,
            f"{expected} expected",
            (),
            (f"tasks that ran: {', '.join(names) or 'none'}",),
        )
    ]


def _requested(wanted: Requested, came: Came) -> list[Problem]:
    count = sum(call.fits(wanted.matcher) for call in came.calls)
    if count == wanted.times or (wanted.times is None and count):
        return []
    expected = "once or more" if wanted.times is None else _times(wanted.times)
    message = (
        f"no call is of {wanted.matcher}"
        if not count
        else f"{_times(count)} there is a call of {wanted.matcher}"
    )
    near = [call for call in came.calls if call.fits(replace(wanted.matcher, request=None))]
    helps = [_shown(call) for call in (near or came.calls)[:_NEAR]] or ["no call was made at all"]
    if near and not count:
        helps += [
            f"in the first: {line}"
            for line in differences(wanted.matcher.request, near[0].request, exact=False)
        ]
    return [Problem("E7084", message, wanted.span, f"{expected} expected", (), tuple(helps))]


def _served(answer: Answer, count: int) -> list[Problem]:
    if answer.times is None or answer.times == count:
        return []
    return [
        Problem(
            "E7088",
            f"this answer was given {_times(count)}, not {_times(answer.times)}",
            answer.span,
            f"for {answer.matcher}",
        )
    ]


def _unforeseen(trial: Trial, call: Call) -> Problem:
    used = [answer for answer in trial.answers if answer.times is not None and call.fits(answer.matcher)]
    spent = (
        (f"{len(used)} answer fits it, but was given {_times(used[-1].times or 0)} already",) if used else ()
    )
    return Problem(
        "E7087",
        f"no answer was foreseen for task `{call.task}` (`{call.function}`)",
        trial.span,
        "in this test",
        (),
        (
            f"asked: {written(call.request)}",
            *spent,
            f"add to `answers`: {{task: {call.task}, output: ...}}",
        ),
    )


def _shown(call: Call) -> str:
    return f"asked by `{call.task}` ({call.function}): {written(call.request)}"


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def count_of(names: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return how often each task ran, by name and by pointer; `names` are both of each time."""
    return dict(Counter(each for name, pointer in names for each in (name, pointer)))
