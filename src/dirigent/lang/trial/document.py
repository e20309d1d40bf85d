"""A test file, read whole: every problem in its place, and the tests when there is none."""

from __future__ import annotations

import json
from dataclasses import field
from datetime import UTC, datetime
from typing import Final

from dirigent.lang.shape import check, head_of, shortened
from dirigent.lang.source import load
from dirigent.lang.tree import Items, Leaf, Members, Node, plain
from dirigent.lang.trial.answers import answer, matcher, wanted_error
from dirigent.lang.trial.reading import Reading, expression, seconds, text_of, whole_of
from dirigent.lang.trial.shapes import SHAPE
from dirigent.lang.trial.trial import (
    Answer,
    Ending,
    Expectation,
    Happening,
    Holds,
    Lasting,
    Ran,
    Requested,
    Suite,
    Tells,
    Trial,
    Wanted,
)
from dirigent.model.problem import Label, Problem, ordered
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.ports import Language

START: Final = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
_WORDS: Final = ("cancel", "suspend", "resume", "signal", "event")
# What the virtual clock may differ by from a sum of fractions.
_GRAIN: Final = 1e-6


def read_trials(text: str, file: str, language: Language) -> tuple[Suite | None, list[Problem]]:
    """Return the tests of a file and every problem of the text, in order of place; no tests with an error."""
    root, problems = load(text, file)
    if root is None:
        return None, problems
    found = list(problems)
    check(root, SHAPE, found)
    if isinstance(root, Members) and not any(each.severity == "error" for each in found):
        reading = Reading(file, language, found)
        suite = _suite(reading, root)
        if not any(each.severity == "error" for each in found):
            return suite, list(ordered(found))
    return None, list(ordered(found))


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the top of a file says for all its tests."""

    input: Node | None
    start: float
    crash: str
    secrets: dict[str, str] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()


def _suite(reading: Reading, root: Members) -> Suite:
    shared = _Shared(
        root.get("input"),
        _start(reading, root, START),
        text_of(root.get("crash")),
        _secrets(root),
        _answers(reading, root),
    )
    written = root.members["workflow"]
    named = isinstance(written.node, Leaf)
    trials = tuple(_trial(reading, node, shared) for node in _items(root.get("tests")))
    _check_names(reading, trials)
    return Suite(
        reading.file,
        text_of(written.node) if named else "",
        written.node.span if named else written.key_span,
        trials,
        "" if named else json.dumps(plain(written.node)),
        tuple(Wanted(text_of(each), each.span) for each in _all(root.get("workflows"))),
        reading.tasks,
    )


def _trial(reading: Reading, node: Members, shared: _Shared) -> Trial:
    given = node.get("input") or shared.input
    expect = node.members["expect"]
    within = expect.node if isinstance(expect.node, Members) else node
    return Trial(
        name=text_of(node.get("name")),
        span=node.members["name"].node.span,
        input={} if given is None else plain(given),
        ending=_ending(reading, within, expect.key_span),
        start=_start(reading, node, shared.start),
        secrets={**shared.secrets, **_secrets(node)},
        answers=(*_answers(reading, node), *shared.answers),
        happenings=tuple(_happening(reading, each) for each in _items(node.get("happens"))),
        expectations=tuple(_expectations(reading, within)),
        crash=text_of(node.get("crash")) or shared.crash,
    )


def _ending(reading: Reading, node: Members, at: Span) -> Ending:
    found = node.members.get("error")
    error = None if found is None else Wanted(wanted_error(reading, found.node), found.key_span)
    written = _wanted(node, "phase")
    implied = "completed" if error is None else "faulted"
    phase = written or Wanted(implied, at if error is None else error.span)
    return Ending(phase, _wanted(node, "output"), _wanted(node, "outputContains"), error)


def _wanted(node: Members, name: str) -> Wanted | None:
    found = node.members.get(name)
    return None if found is None else Wanted(plain(found.node), found.key_span)


def _expectations(reading: Reading, node: Members) -> list[Expectation]:
    found: list[Expectation] = []
    ran = node.get("ran")
    if isinstance(ran, Members):
        found += [
            Ran(reading.task(each.key, each.key_span), whole_of(each.node), each.key_span) for each in ran
        ]
    else:
        found += [Ran(reading.task(text_of(each), each.span), None, each.span) for each in _all(ran)]
    found += [Ran(reading.task(text_of(each), each.span), 0, each.span) for each in _all(node.get("notRan"))]
    for wanted in _items(node.get("requests")):
        found.append(Requested(matcher(reading, wanted), whole_of(wanted.get("times")), head_of(wanted)))
    found += [Tells(plain(told), head_of(told)) for told in _items(node.get("events"))]
    lasting = node.members.get("elapsed")
    if lasting is not None:
        found.append(_lasting(reading, lasting.node, lasting.key_span))
    holds = node.get("check")
    for text in (holds,) if isinstance(holds, Leaf) else _all(holds):
        found.append(Holds(expression(reading, text), text.span))
    return found


def _lasting(reading: Reading, node: Node, at: Span) -> Lasting:
    if not isinstance(node, Members) or not {"min", "max"} & node.members.keys():
        exact = seconds(reading, node)
        return Lasting(exact - _GRAIN, exact + _GRAIN, at)
    for each in node:
        if each.key not in ("min", "max"):
            reading.complain(
                "E1203", f"unknown property `{shortened(each.key)}` in `elapsed`", each.key_span, "unknown",
                "known: min, max",
            )  # fmt: skip
    least, most = node.get("min"), node.get("max")
    return Lasting(
        0.0 if least is None else seconds(reading, least) - _GRAIN,
        float("inf") if most is None else seconds(reading, most) + _GRAIN,
        at,
    )


def _happening(reading: Reading, node: Members) -> Happening:
    what = next(word for word in _WORDS if word in node.members)
    at = node.members["at"].node
    value = node.get("event" if what == "event" else "data")
    return Happening(
        seconds(reading, at),
        what,
        head_of(node),
        text_of(node.get(what)),
        None if value is None else plain(value),
    )


def _answers(reading: Reading, node: Members) -> tuple[Answer, ...]:
    return tuple(answer(reading, each) for each in _items(node.get("answers")))


def _secrets(node: Members) -> dict[str, str]:
    found = node.get("secrets")
    return {each.key: text_of(each.node) for each in found} if isinstance(found, Members) else {}


def _start(reading: Reading, node: Members, otherwise: float) -> float:
    found = node.get("start")
    if found is None:
        return otherwise
    text = text_of(found)
    moment = _moment(text)
    if moment is None:
        reading.complain(
            "E7071",
            f"`{shortened(text)}` is no time of a run",
            found.span,
            "not a time with its zone",
            "write it as `2026-03-29T00:30:00Z`",
        )
    return otherwise if moment is None else moment


def _moment(text: str) -> float | None:
    try:
        found = datetime.fromisoformat(text)
        return found.timestamp() if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


def _items(node: Node | None) -> list[Members]:
    return [each for each in _all(node) if isinstance(each, Members)]


def _all(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, Items) else ()


def _check_names(reading: Reading, trials: tuple[Trial, ...]) -> None:
    seen: dict[str, Span] = {}
    for trial in trials:
        first = seen.setdefault(trial.name, trial.span)
        if first is not trial.span:
            reading.problems.append(
                Problem(
                    "E7075",
                    f"two tests are called `{shortened(trial.name)}`",
                    trial.span,
                    "the same name",
                    (Label(first, "the first one"),),
                    ("change one of them: a test is found by its name",),
                )
            )
