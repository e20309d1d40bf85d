"""A test file, read whole: every problem in its place, and the tests when there is none."""

from __future__ import annotations

import json
from dataclasses import field
from datetime import UTC, datetime
from typing import Final

from dirigent.lang.shape import check, head_of, shortened
from dirigent.lang.source import load
from dirigent.lang.tree import Leaf, Members, Node, plain
from dirigent.lang.trial.answers import answer
from dirigent.lang.trial.expecting import ending, expectations
from dirigent.lang.trial.reading import Reading, all_of, items_of, moment, seconds, text_of
from dirigent.lang.trial.shapes import SHAPE
from dirigent.lang.trial.trial import Answer, Happening, Suite, Trial, Wanted
from dirigent.model.problem import Label, Problem, ordered
from dirigent.model.record import dataclass
from dirigent.model.source import Span
from dirigent.model.values import Value
from dirigent.ports import Language

START: Final = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
RUN: Final = "test"
# What is said of the end of one run.
_OF_A_RUN: Final = (
    "output",
    "outputContains",
    "outputSchema",
    "error",
    "context",
    "contextContains",
    "elapsed",
)
_WORDS: Final = ("cancel", "suspend", "resume", "signal", "event", "down")


def read_trials(text: str, file: str, language: Language) -> tuple[Suite | None, list[Problem]]:
    """Return the tests of a file and every problem of the text, in order of place; no tests with an error."""
    root, problems = load(text, file)
    if root is None:
        return None, problems
    found = list(problems)
    other = _other_document(root)
    if other is not None:
        return None, [*found, other]
    check(root, SHAPE, found)
    if isinstance(root, Members) and not any(each.severity == "error" for each in found):
        reading = Reading(file, language, found)
        suite = _suite(reading, root)
        if not any(each.severity == "error" for each in found):
            return suite, list(ordered(found))
    return None, list(ordered(found))


def _other_document(root: Node) -> Problem | None:
    """Return what to say of a stack or a workflow that stands where a test file should."""
    if not isinstance(root, Members) or "tests" in root.members:
        return None
    for key, what in (("stack", "a stack"), ("document", "a workflow")):
        if key in root.members:
            return Problem(
                "E6014",
                f"this is {what}, not a test file",
                root.members[key].key_span,
                f"{what} begins so",
                (),
                (
                    "a test file names it, as `workflow: FILE`, and lists `tests`",
                    "`dirigent test --record RUN` makes one of a run that has ended",
                ),
            )
    return None


@dataclass(frozen=True, slots=True)
class _Shared:
    """What the top of a file says for all its tests."""

    input: Node | None
    start: float
    crash: str
    run: str
    secrets: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Value] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    answers: tuple[Answer, ...] = ()


def _suite(reading: Reading, root: Members) -> Suite:
    shared = _Shared(
        root.get("input"),
        _start(reading, root, START),
        text_of(root.get("crash")),
        text_of(root.get("run")) or RUN,
        _texts(root, "secrets"),
        _metadata(root),
        _texts(root, "files"),
        _answers(reading, root),
    )
    written = root.members["workflow"]
    named = isinstance(written.node, Leaf)
    trials = tuple(_trial(reading, node, shared) for node in items_of(root.get("tests")))
    _check_names(reading, trials)
    return Suite(
        reading.file,
        text_of(written.node) if named else "",
        written.node.span if named else written.key_span,
        trials,
        "" if named else json.dumps(plain(written.node)),
        tuple(Wanted(text_of(each), each.span) for each in all_of(root.get("workflows"))),
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
        ending=ending(reading, within, expect.key_span),
        start=_start(reading, node, shared.start),
        secrets={**shared.secrets, **_texts(node, "secrets")},
        answers=(*_answers(reading, node), *shared.answers),
        happenings=tuple(_happening(reading, each) for each in items_of(node.get("happens"))),
        expectations=tuple(expectations(reading, within)),
        crash=text_of(node.get("crash")) or shared.crash,
        run=text_of(node.get("run")) or shared.run,
        metadata={**shared.metadata, **_metadata(node)},
        files={**shared.files, **_texts(node, "files")},
        scheduled=_scheduled(reading, node, within),
    )


def _scheduled(reading: Reading, node: Members, within: Members) -> float | None:
    """Return for how long a schedule is played, or None. Report what does not fit that (E6009)."""
    found = node.get("schedule")
    for name in ("starts",) if found is None else _OF_A_RUN:
        if name in within.members:
            reading.complain(
                "E6009",
                f"`{name}` is of a schedule"
                if found is None
                else f"`{name}` is of one run, not of a schedule",
                within.members[name].key_span,
                "here",
                "play a schedule with `schedule: P1D`"
                if found is None
                else "ask for it with `check`: `.starts`",
            )
    return None if found is None else seconds(reading, found)


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
        seconds(reading, node.members["down"].node) if what == "down" else 0.0,
    )


def _answers(reading: Reading, node: Members) -> tuple[Answer, ...]:
    return tuple(answer(reading, each) for each in items_of(node.get("answers")))


def _metadata(node: Members) -> dict[str, Value]:
    found = node.get("metadata")
    return {each.key: plain(each.node) for each in found} if isinstance(found, Members) else {}


def _texts(node: Members, name: str) -> dict[str, str]:
    found = node.get(name)
    return {each.key: text_of(each.node) for each in found} if isinstance(found, Members) else {}


def _start(reading: Reading, node: Members, otherwise: float) -> float:
    found = node.get("start")
    if found is None:
        return otherwise
    return moment(reading, found, otherwise)


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
