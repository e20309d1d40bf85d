"""How a run ended against how it should have: every difference is a problem at its place in the test file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import assert_never

from dirigent.lang.schema import SCHEMAS
from dirigent.lang.trial.trial import (
    Answer,
    Ending,
    Expectation,
    Holds,
    Lasting,
    Ordered,
    Ran,
    Requested,
    Starts,
    Tells,
    Trial,
    Wanted,
)
from dirigent.lang.trial.updating import Change
from dirigent.model.fault import Fault, canonical
from dirigent.model.problem import Problem
from dirigent.model.values import Value
from dirigent.testing.trial.coming import Came, listed, other_phase
from dirigent.testing.trial.comparing import contains, differences, same, written
from dirigent.testing.trial.scheduling import began, endings
from dirigent.testing.trial.world import Call

_NEAR = 4
# What is said of a value that is another one.
_VALUES = ("E7081", "E6007")


def judged(trial: Trial, came: Came) -> list[Problem]:
    """Return what is not as it was expected; nothing for a test that passes."""
    if came.strange:
        return [_unforeseen(trial, call) for call in came.strange[:1]]
    if came.refused and not came.order:
        return list(came.refused)
    found = list(came.refused)
    found += _ending(trial.ending, came) if trial.scheduled is None else endings(trial, came)
    for each in trial.expectations:
        found.extend(_expected(each, came))
    for number, answer in enumerate(trial.answers):
        found.extend(_served(answer, came.served.get(number, 0)))
    return found


def changes_of(trial: Trial, came: Came, problems: Sequence[Problem]) -> list[Change]:
    """Return what a test would have to expect to pass; nothing when more than its values differs."""
    ending = trial.ending
    found = {
        wanted.span: Change(wanted, value)
        for wanted, value in ((ending.output, came.output), (ending.context, came.context))
        if wanted is not None
    }
    if not all(each.code in _VALUES and each.at in found for each in problems):
        return []
    return [change for span, change in found.items() if any(each.at == span for each in problems)]


def _ending(ending: Ending, came: Came) -> list[Problem]:
    if came.phase != ending.phase.value:
        return [other_phase(ending.phase, came)]
    found: list[Problem] = []
    if ending.output is not None and not same(ending.output.value, came.output):
        found.append(_differs("E7081", "the output is another one", ending.output, came.output, exact=True))
    if ending.contains is not None and not contains(ending.contains.value, came.output):
        found.append(_differs("E7081", "the output lacks this", ending.contains, came.output, exact=False))
    if ending.schema is not None:
        found.extend(_fits(ending.schema, came.output))
    if ending.context is not None and not same(ending.context.value, came.context):
        found.append(_differs("E6007", "`$context` is another one", ending.context, came.context, exact=True))
    if ending.keeps is not None and not contains(ending.keeps.value, came.context):
        found.append(_differs("E6007", "`$context` lacks this", ending.keeps, came.context, exact=False))
    if ending.error is not None:
        wanted, error = ending.error.value, came.error
        if isinstance(error, dict) and isinstance(wanted, dict) and "type" in wanted:
            error = {**error, "type": canonical(str(error["type"]))}
            wanted = {**wanted, "type": canonical(str(wanted["type"]))}
        if not contains(wanted, error):
            told = Wanted(wanted, ending.error.span)
            found.append(_differs("E7082", "the error is another one", told, error, exact=False))
    return found


def _fits(wanted: Wanted, output: Value) -> list[Problem]:
    fault = SCHEMAS.violation(wanted.value, output)
    if fault is None:
        return []
    helps = (fault, f"the whole of it: {written(output)}")
    return [Problem("E7081", "the output does not fit its schema", wanted.span, "of this schema", (), helps)]


def _differs(code: str, message: str, wanted: Wanted, found: Value, *, exact: bool) -> Problem:
    lines = differences(wanted.value, found, exact=exact)
    return Problem(code, message, wanted.span, "differs", (), (*lines, f"the whole of it: {written(found)}"))


def _expected(wanted: Expectation, came: Came) -> list[Problem]:
    match wanted:
        case Ran():
            found = _ran(wanted, came)
        case Starts():
            found = began(wanted, came)
        case Ordered():
            found = _in_order(wanted, came)
        case Requested():
            found = _requested(wanted, came)
        case Tells():
            found = _told(wanted, came)
        case Lasting():
            found = _lasted(wanted, came)
        case Holds():
            found = _held(wanted, came)
        case _:
            assert_never(wanted)
    return found


def _held(wanted: Holds, came: Came) -> list[Problem]:
    gave = came.computed.get(wanted.span)
    if gave is True:
        return []
    told = gave.detail if isinstance(gave, Fault) else f"it gives `{written(gave)}`"
    return [Problem("E7086", f"`{wanted.expression.text}` does not hold", wanted.span, told)]


def _ran(wanted: Ran, came: Came) -> list[Problem]:
    count = sum(number for name, number in came.ran.items() if fnmatchcase(name, wanted.task))
    if count == wanted.times or (wanted.times is None and count):
        return []
    expected = "once or more" if wanted.times is None else _times(wanted.times)
    names = [name for name in came.ran if not name.startswith("/")]
    return [
        Problem(
            "E7083",
            f"task `{wanted.task}` ran {_times(count)}" if count else f"task `{wanted.task}` never ran",
            wanted.span,
            f"{expected} expected",
            (),
            (f"tasks that ran: {listed(names)}",),
        )
    ]


def _in_order(wanted: Ordered, came: Came) -> list[Problem]:
    """Return nothing when some workflow that ran has these tasks one after the other."""
    reached = max((_reached(wanted.tasks, began) for began in came.order), default=0)
    if reached == len(wanted.tasks):
        return []
    late, before = wanted.tasks[reached], f" after `{wanted.tasks[reached - 1]}`" if reached else ""
    names = [name for began in came.order[:1] for name, _ in began]
    return [
        Problem(
            "E6006",
            f"`{late}` does not begin{before}",
            wanted.span,
            "another order",
            (),
            (f"they began so: {listed(names)}",),
        )
    ]


def _reached(tasks: Sequence[str], began: Sequence[tuple[str, str]]) -> int:
    """Return how many of the tasks began in their order."""
    reached = 0
    for names in began:
        if reached < len(tasks) and any(fnmatchcase(name, tasks[reached]) for name in names):
            reached += 1
    return reached


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


def _told(wanted: Tells, came: Came) -> list[Problem]:
    if any(contains(wanted.event, each) for each in came.events):
        return []
    told = tuple(f"emitted: {written(each)}" for each in came.events[:_NEAR])
    message = f"no event {written(wanted.event)} was emitted"
    return [Problem("E7084", message, wanted.span, "expected", (), told or ("no event was emitted at all",))]


def _lasted(wanted: Lasting, came: Came) -> list[Problem]:
    if wanted.least <= came.seconds <= wanted.most:
        return []
    message = f"the run lasts `{came.seconds:g}` seconds of virtual time"
    short = came.seconds < wanted.least
    limit = f"at least {wanted.least:g}" if short else f"at most {wanted.most:g}"
    return [Problem("E7085", message, wanted.span, f"{limit} were expected")]


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
    if not call.position:
        return _elsewhere(trial, call)
    fitting = [answer for answer in trial.answers if call.fits(answer.matcher)]
    if any(reply.earnest for answer in fitting for reply in answer.replies):
        return Problem(
            "E6004",
            f"`{call.task}` calls `{call.function}`, which no test makes in earnest",
            trial.span,
            "in this test",
            (),
            ("`real: true` is for the steps of a workflow in Python; give it an `output`",),
        )
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


def _elsewhere(trial: Trial, call: Call) -> Problem:
    uri = str(call.request.get("endpoint")) if isinstance(call.request, dict) else ""
    return Problem(
        "E6003",
        f"the workflow needs `{uri}`, and a test fetches nothing",
        trial.span,
        "in this test",
        (),
        (f"put its text into the file: `files: {{{uri}: ...}}`",),
    )


def _shown(call: Call) -> str:
    return f"asked by `{call.task}` ({call.function}): {written(call.request)}"


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")
