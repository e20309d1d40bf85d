"""Whatever the values are, an evaluation ends with a value or with `ExpressionFailed`."""

import math

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from dirigent.jq import LANGUAGE
from dirigent.model.values import SecretRef, SecretText, Unknown
from dirigent.ports import ExpressionFailed
from lang.jq.jq_programs import NAMES, programs

extremes = st.sampled_from(
    [
        10**300,
        10**400,
        -(10**300),
        2**63,
        -(2**63),
        1.7e308,
        -1.7e308,
        5e-324,
        0.0,
        -0.0,
        1e17,
        2.0**53,
        True,
        None,
        "",
        "\x00",
        "9" * 500,
    ]
)
strange = st.one_of(
    extremes,
    st.just(SecretText((SecretRef("key"),))),
    st.just(SecretText(("a", SecretRef("key"), "b"))),
    st.just(Unknown(("db",))),
    st.just(Unknown(())),
    st.integers(-3, 3),
)
values = st.recursive(
    strange,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)


def leaves(value):
    if isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield value


def ends(text, dot, x, y):
    try:
        found = LANGUAGE.compile(text).evaluate(dot, {"x": x, "y": y})
    except ExpressionFailed:
        return
    for leaf in leaves(found):
        assert leaf is None or isinstance(leaf, bool | int | float | str | SecretText | Unknown)
        assert not isinstance(leaf, float) or math.isfinite(leaf)


def checked(examples, number):
    quiet = settings(
        max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    quiet(seed(number)(given(programs, values, values, values)(ends)))()


@pytest.mark.parametrize("number", range(4))
def test_strange_values_end_in_a_value_or_in_words(number):
    checked(40, number)


@pytest.mark.slow
def test_many_strange_values_end_in_a_value_or_in_words():
    checked(4_000, 99)
