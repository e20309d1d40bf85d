"""Differences, path by path."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.model.source import Span
from dirigent.model.values import Unknown
from dirigent.planning.values.difference import differences, joined, keep_ignored, related, segments, span_of
from planning.world import secret

CALM = settings(derandomize=True, deadline=None, max_examples=200)

PLACE = Span("stack.yaml", 1, 1, 1, 2)
OTHER = Span("stack.yaml", 2, 1, 2, 2)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, []),
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": 0}, {"a": None}, [("a", 0, None)]),
        ({"a": None}, {"a": None}, []),
        ({}, {"a": 1}, [("a", None, 1)]),
        ({"a": 1}, {}, [("a", 1, None)]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, [("a.c", 2, 3)]),
        ({"a": {"b": 1}}, {"a": {}}, [("a.b", 1, None)]),
        ({"a": {}}, {"a": []}, [("a", {}, [])]),
        ({"a": {"b": 1}}, {"a": "b"}, [("a", {"b": 1}, "b")]),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, [("a[1]", 2, 3), ("a[2]", None, 4)]),
        ({"a": [1, 2]}, {"a": []}, [("a[0]", 1, None), ("a[1]", 2, None)]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, [("a[0].b", 1, 2)]),
        ({"a.b": {"c d": 1}}, {"a.b": {"c d": 2}}, [('["a.b"].c d', 1, 2)]),
        ({"a": 1}, {"a": Unknown()}, [("a", 1, Unknown())]),
        ({"a": [Unknown()]}, {"a": [Unknown()]}, [("a[0]", Unknown(), Unknown())]),
        ({"a": secret("k")}, {"a": secret("k")}, []),
        ({"a": secret("k")}, {"a": secret("l")}, [("a", secret("k"), secret("l"))]),
        ({"a": "(secret k)"}, {"a": secret("k")}, [("a", "(secret k)", secret("k"))]),
        ({"z": 1, "y": 1}, {"y": 2, "z": 2}, [("y", 1, 2), ("z", 1, 2)]),
    ],
)
def test_differences_are_found_in_order(before, after, expected):
    assert [(item.path, item.before, item.after) for item in differences(before, after)] == expected


def test_what_is_nested_too_deep_is_compared_as_a_whole():
    deep, other = 1, 2
    for _ in range(1_000):
        deep, other = {"a": deep}, {"a": other}
    (found,) = differences(deep, other)
    assert found.path.count("a") == 128


def test_the_place_is_that_of_the_nearest_path():
    spans = {"with.a.b": PLACE, "with.a": OTHER, "c": PLACE}
    assert span_of("a.b", spans) == PLACE
    assert span_of("a.b[2].x", spans) == PLACE
    assert span_of("a.z", spans) == OTHER
    assert span_of("c.d", spans) == PLACE
    assert span_of("z", spans) is None


def test_an_index_is_passed_over_where_one_mapping_stands_for_a_list():
    spans = {"with": OTHER, "with.port": OTHER, "with.port.number": PLACE}
    assert span_of("port[0].number", spans) == PLACE
    assert span_of("port[0].name", spans) == OTHER


def test_an_attribute_with_the_name_of_a_key_of_every_resource_is_that_under_with():
    spans = {"type": OTHER, "with": OTHER, "with.type": PLACE}
    assert span_of("type", spans) == PLACE
    assert span_of("type", {"type": OTHER, "with": PLACE}) == OTHER


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a", "a", True),
        ("a.b", "a", True),
        ("a", "a[0]", True),
        ("ab", "a", False),
        ("a.b", "a.c", False),
    ],
)
def test_paths_are_related_when_one_lies_below_the_other(one, other, expected):
    assert related(one, other) is expected


@CALM
@given(st.lists(st.integers(0, 9) | st.text("ab. -[]", min_size=1), min_size=1, max_size=4))
def test_a_path_says_its_parts_again(parts):
    assert segments(joined(parts)) == parts


@pytest.mark.parametrize(
    ("desired", "standing", "ignore", "expected"),
    [
        ({"a": 1}, {"a": 2}, ["a"], {"a": 2}),
        ({"a": 1}, {}, ["a"], {}),
        ({}, {"a": 2}, ["a"], {"a": 2}),
        ({"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 2}}, ["a.b"], {"a": {"b": 2, "c": 1}}),
        ({}, {"a": {"b": 2, "c": 2}}, ["a.b"], {"a": {"b": 2}}),
        ({"a": [1, 2]}, {"a": [8, 9]}, ["a[1]"], {"a": [1, 9]}),
        ({"a": [1]}, {"a": [8, 9]}, ["a[1]"], {"a": [1]}),
        ({"a": 1}, {"a": {"b": 2}}, ["a.b"], {"a": {"b": 2}}),
        ({"a": 1}, {"a": 2}, ["b.c", "a.x"], {"a": 1}),
        ({"a": 1}, {"a": 2}, ["with.a", ""], {"a": 2}),
        ({"with": {"a": 1}}, {"with": {"a": 2}}, ["with.a"], {"with": {"a": 2}}),
    ],
)
def test_what_is_ignored_stays_as_it_stands(desired, standing, ignore, expected):
    before = repr(desired)
    assert keep_ignored(desired, standing, ignore) == expected
    assert repr(desired) == before, "nothing is changed in place"


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x"]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("abc"), below, max_size=3),
    max_leaves=8,
)
CONFIGS = st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3)


@CALM
@given(CONFIGS, CONFIGS)
def test_no_difference_means_the_same_and_the_same_means_none(before, after):
    assert (differences(before, after) == ()) == (repr_sorted(before) == repr_sorted(after))


def repr_sorted(value):
    """Null and absent are shown alike, but are told apart; so are true and 1."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{repr_sorted(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(repr_sorted, value)) + "]"
    return repr(value)
