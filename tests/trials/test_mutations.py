"""Test files that are damaged in a thousand ways: each is read, or refused with a code and a place."""

from __future__ import annotations

import json

import pytest
import yaml

from cli.rig import ROOT
from dirigent.app.trials.finding import suite_of_text
from dirigent.app.trials.playing import played
from dirigent.jq import LANGUAGE
from dirigent.lang.trial import read_trials
from dirigent.model.problem import Refusal
from dirigent.testing.dice import Dice

FILES = sorted(ROOT.glob("examples/**/*.test.yaml"))
# What stands in for a part of a file: each is wrong somewhere.
STRANGE = (
    None,
    True,
    0,
    -1,
    1.5,
    10**30,
    "",
    "x",
    "${ . }",
    "${ ",
    "*",
    [],
    [None],
    {},
    {"x": 1},
    {"at": []},
)
TEXTS = ("\t", "{", "]", ":", "- ", "'", "&a ", "*a", "!!x ", "\x00", "é", "${", "# ", "\n", "|", "%")
ROUNDS = 120


def places(value, path=()):
    """Return the path of every part of a value."""
    found = [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        found += places(each, (*path, key))
    return found


def changed(value, path, what):
    """Return a value with a part of it replaced, or with its name changed."""
    if not path:
        return what
    head, *rest = path
    if isinstance(value, list):
        return [changed(each, rest, what) if index == head else each for index, each in enumerate(value)]
    if not rest and what == "x":
        return {f"{key}x" if key == head else key: each for key, each in value.items()}
    return {key: changed(each, rest, what) if key == head else each for key, each in value.items()}


def looked_at(text):
    """Read a text; what is refused has a code, a place and words."""
    suite, problems = read_trials(text, "t.yaml", LANGUAGE)
    errors = [problem for problem in problems if problem.severity == "error"]
    assert (suite is None) == bool(errors)
    for problem in errors:
        assert problem.code
        assert problem.message
        assert problem.at is not None
        assert problem.at.file == "t.yaml"
    return suite is None


def test_there_are_files_to_damage():
    assert len(FILES) >= 4
    assert not any(looked_at(path.read_text()) for path in FILES)


@pytest.mark.slow
def test_parts_of_another_kind_are_refused_in_their_place():
    dice, refused = Dice(1), 0
    for number in range(ROUNDS):
        value = yaml.safe_load(FILES[number % len(FILES)].read_text())
        wrong = changed(value, dice.one_of(places(value)), dice.one_of(STRANGE))
        refused += looked_at(json.dumps(wrong, default=str))
    assert refused > ROUNDS // 3, "most of what is strange is wrong"


@pytest.mark.slow
def test_damaged_text_is_refused_in_its_place():
    dice, refused = Dice(2), 0
    for number in range(ROUNDS):
        text = FILES[number % len(FILES)].read_text()
        at = dice.below(len(text))
        cut = dice.one_of((0, 0, 1, 7))
        refused += looked_at(text[:at] + dice.one_of(TEXTS) + text[at + cut :])
    assert refused > ROUNDS // 4


@pytest.mark.slow
def test_what_is_strange_but_no_error_is_played_to_a_verdict():
    """Answers, inputs and events may be anything: what the workflow makes of them is said, never thrown."""
    dice, met = Dice(3), {"refused": 0, "passed": 0, "failed": 0}
    for number in range(ROUNDS // 2):
        path = FILES[number % len(FILES)]
        value = yaml.safe_load(path.read_text())
        value.pop("crash", None)
        value["tests"] = [{**each, "crash": "after-each-append"} for each in value["tests"][:1]]
        wrong = changed(value, dice.one_of([each for each in places(value) if each]), dice.one_of(STRANGE))
        met[verdict_of(json.dumps(wrong, default=str), path)] += 1
    assert min(met.values()) > 0, met


def verdict_of(text, path):
    try:
        suite, piece, _ = suite_of_text(text, path)
    except Refusal:
        return "refused"
    for trial in suite.trials:
        _, problems = played(piece, trial)
        if problems:
            assert all(problem.code and problem.message for problem in problems)
            return "failed"
    return "passed"
