"""Lengths of time, in every form, and every way to get one wrong."""

import contextlib
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.model import limits
from dirigent.model.duration import UNITS, seconds_of

EXACT = settings(derandomize=True, deadline=None, max_examples=60)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (0, 0.0),
        (1.5, 1.5),
        ("PT30S", 30.0),
        (" PT30S ", 30.0),
        ("PT0.25S", 0.25),
        ("PT0,25S", 0.25),
        ("PT1H30M", 5_400.0),
        ("P2DT12H", 216_000.0),
        ("P1W", 604_800.0),
        ("P1.5W", 907_200.0),
        ("P0D", 0.0),
        ({"minutes": 1, "seconds": 30}, 90.0),
        ({"days": 1, "hours": 1, "milliseconds": 500}, 90_000.5),
        (limits.WAIT_SECONDS, float(limits.WAIT_SECONDS)),
    ],
)
def test_a_duration_is_its_seconds(written, seconds):
    assert seconds_of(written) == seconds


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (True, "`True` is not a duration"),
        (None, "an empty value is not a duration"),
        ([1], "is not a duration"),
        (-1, "must be zero or more"),
        (math.nan, "must be zero or more"),
        (math.inf, "longer than the limit"),
        (10**400, "longer than the limit"),
        ("", "not an ISO 8601 duration"),
        ("P", "not an ISO 8601 duration"),
        ("PT", "not an ISO 8601 duration"),
        ("1H", "not an ISO 8601 duration"),
        ("PT1M30", "not an ISO 8601 duration"),
        ("P1H", "not an ISO 8601 duration"),
        ("PT-5S", "not an ISO 8601 duration"),
        ("P٣D", "not an ISO 8601 duration"),
        ("P1M", "counts months"),
        ("P1Y2M", "counts years"),
        ("P99999999999D", "longer than the limit"),
        ({}, "an empty object"),
        ({"second": 1}, "`second` is not a unit"),
        ({"seconds": "1"}, "`1` is not a number of seconds"),
        ({"seconds": True}, "`True` is not a number of seconds"),
        ({"days": -1}, "negative"),
        ({"days": math.nan}, "negative or longer"),
        ({"days": 10**400}, "longer than"),
        ({"days": limits.WAIT_SECONDS}, "longer than the limit"),
    ],
)
def test_what_is_no_duration_is_refused_in_words(written, sentence):
    with pytest.raises(ValueError, match=r".") as refused:
        seconds_of(written)
    assert sentence in str(refused.value)


@EXACT
@given(st.dictionaries(st.sampled_from(sorted(UNITS)), st.integers(0, 1000), min_size=1))
def test_an_object_and_its_iso_form_are_the_same_length(members):
    days, hours, minutes = (members.get(unit, 0) for unit in ("days", "hours", "minutes"))
    seconds = members.get("seconds", 0) * 1000 + members.get("milliseconds", 0)
    written = f"P{days}DT{hours}H{minutes}M{seconds // 1000}.{seconds % 1000:03}S"
    assert seconds_of(written) == pytest.approx(seconds_of(members))


@EXACT
@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=4)
)
def test_anything_gives_seconds_within_the_limit_or_a_sentence(anything):
    with contextlib.suppress(ValueError):
        assert 0 <= seconds_of(anything) <= limits.WAIT_SECONDS
