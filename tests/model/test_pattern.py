"""Regular expressions of filters say what those of the standard library say, and cannot run away."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.model.events.pattern import PatternError, compiled, is_pattern

PIECES = st.sampled_from(["a", "b", "ab", ".", "[ab]", "[^a]", "(?:a|b)", "(a)", r"\d", r"\w", r"\."])
REPEATS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,2}", "{0,1}", "{2,}"])
PARTS = st.lists(st.tuples(PIECES, REPEATS).map("".join), min_size=1, max_size=4).map("".join)
PATTERNS = st.lists(PARTS, min_size=1, max_size=3).map("|".join)
TEXTS = st.text("ab1. ", max_size=6)


@settings(derandomize=True, deadline=None, max_examples=1_000)
@given(PATTERNS, TEXTS)
def test_a_text_matches_as_the_standard_library_says(pattern, text):
    assert compiled(pattern).matches(text) is (re.fullmatch(pattern, text) is not None)


def test_an_expression_that_others_choke_on_takes_one_pass():
    # A set of states is kept for each character: with back-tracking this would be 2 to the power of 500.
    assert not compiled("(a+)+b").matches("a" * 500)


@pytest.mark.parametrize("text", ["^a.c$", "a.c"])
def test_marks_of_beginning_and_end_change_nothing(text):
    assert compiled(text).matches("abc")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(a", "not closed"),
        ("a)", "closes nothing"),
        ("[a", "not closed"),
        ("*a", "repeats nothing"),
        ("a**", "repeats a repetition"),
        ("a{", "no number"),
        ("a{3,1}", "backwards"),
        ("[b-a]", "backwards"),
        (r"\p{L}", "means nothing"),
        (r"(a)\1", "means nothing"),
        ("(?=a)", "may begin"),
        ("a$b", "stands alone"),
        ("x" * 2_000, "more than"),
        ("(a{50}){50}", "states"),
        ("(" * 40 + ")" * 40, "deeper"),
    ],
)
def test_what_is_no_expression_is_said(text, why):
    with pytest.raises(PatternError, match=why):
        compiled(text)


def test_a_dot_alone_makes_no_expression():
    assert not is_pattern("com.example.paid")
    assert is_pattern("com.example.*")
