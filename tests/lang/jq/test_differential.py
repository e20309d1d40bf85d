"""The local language says what libjq says, on programs that nobody wrote."""

import pytest
from hypothesis import HealthCheck, given, note, seed, settings

from dirigent.jq import LANGUAGE
from dirigent.ports import ExpressionFailed
from lang.jq.jq_programs import JqFailed, alike, dots, judged, programs, variables
from lang.jq.pairs import Wrong, compared


def agree(text, dot, bound):
    compiled = LANGUAGE.compile(text)
    assert compiled.local, f"{text} should be evaluated here"
    note(f"{text}   on {dot!r} with {bound!r}")
    try:
        expected = alike(judged(text, dot, bound))
    except JqFailed as failure:
        note(f"libjq fails: {failure}")
        with pytest.raises(ExpressionFailed):
            compiled.evaluate(dot, bound)
        return
    assert alike(compiled.evaluate(dot, bound)) == expected


def checked(examples, number=0):
    quiet = settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    quiet(seed(number)(given(programs, dots, variables)(agree)))()


@pytest.mark.slow
def test_five_thousand_generated_programs_give_the_same_here_and_in_the_worker():
    seen = compared(5_000, 1)
    assert seen["pairs"] == 5_000
    assert seen["values"] > 2_000
    assert seen["errors"] > 500


def test_an_evaluator_with_a_planted_fault_is_found():
    with pytest.raises(AssertionError):
        compared(300, 1, lambda text: Wrong(LANGUAGE.compile(text)))


@pytest.mark.parametrize("number", range(1, 17))
def test_some_generated_programs_agree_with_libjq(number):
    checked(30, number)
