"""The table of small cases: what a program gives on a dot, as libjq says it."""

import json
from pathlib import Path

import pytest

from dirigent.jq import LANGUAGE
from dirigent.jq.functions import PLAIN, WITH_VALUE
from dirigent.jq.functions.flows import BUILT
from dirigent.jq.names import FOREIGN, LOCAL, REFUSED
from dirigent.ports import ExpressionFailed
from lang.jq.jq_programs import JqFailed, JqFolded, alike, judged

FAILS = "fails"
LINES = Path(__file__).with_name("cases.txt").read_text(encoding="utf-8").splitlines()


def cases():
    for number, line in enumerate(LINES, 1):
        if "⟨" in line:
            text, _, rest = line.replace("␤", "\n").partition("  ⟨")
            dot, _, expected = rest.partition("⟩  ")
            yield pytest.param(text, dot, expected, id=f"{number}:{text}")


def bound(text):
    return {"x": "k" if text == "{$x:1}" else {"a": "k"}, "y": [10, 20]}


@pytest.mark.parametrize(("text", "dot", "expected"), list(cases()))
def test_a_program_gives_what_the_table_says(text, dot, expected):
    compiled = LANGUAGE.compile(text) if expected != FAILS else None
    if compiled is None:
        with pytest.raises(ExpressionFailed):
            LANGUAGE.compile(text).evaluate(json.loads(dot), bound(text))
        return
    assert compiled.local
    assert alike(compiled.evaluate(json.loads(dot), bound(text))) == alike(json.loads(expected))


@pytest.mark.slow
def test_the_table_says_what_libjq_says():
    for case in cases():
        text, dot, expected = case.values
        try:
            found = json.dumps(judged(text, json.loads(dot), bound(text)), ensure_ascii=False)
        except (JqFailed, JqFolded):
            found = FAILS
        assert found == expected, text


def test_every_local_function_has_an_implementation_and_no_other_has():
    assert {*PLAIN, *WITH_VALUE, *BUILT} == set(LOCAL)


def test_no_function_is_in_two_lists():
    assert not LOCAL & FOREIGN
    assert not {name.partition("/")[0] for name in LOCAL | FOREIGN} & set(REFUSED)
