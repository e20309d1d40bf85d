"""The local language says what libjq says, on programs that nobody wrote."""

import os

import pytest
from hypothesis import HealthCheck, given, note, seed, settings

from dirigent.jq import LANGUAGE
from dirigent.ports import ExpressionFailed
from lang.jq.jq_programs import JqFailed, alike, dots, judged, programs, variables

CAMPAIGN = int(os.environ.get("DIRIGENT_CAMPAIGN", "0"))


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
def test_five_thousand_generated_programs_agree_with_libjq():
    checked(5_000)


@pytest.mark.parametrize("number", range(1, 17))
def test_some_generated_programs_agree_with_libjq(number):
    checked(30, number)


@pytest.mark.slow
@pytest.mark.skipif(not CAMPAIGN, reason="a campaign is asked for by DIRIGENT_CAMPAIGN=100000")
@pytest.mark.parametrize("number", range(100, 110))
def test_a_campaign_of_generated_programs_agrees_with_libjq(number):
    checked(CAMPAIGN // 10, number)
