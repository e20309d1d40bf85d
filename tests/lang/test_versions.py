"""Versions by semver 2, and what constraints allow of them."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from dirigent.lang.stack.outside.versions import NoVersion, read_constraints, read_version, readable

# The order that semver.org gives as its example, and releases around it.
ORDERED = [
    "0.9.10",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.1.0",
    "1.10.0",
    "2.0.0-1",
    "2.0.0",
]


def test_versions_are_in_the_order_of_semver():
    found = [read_version(text) for text in ORDERED]
    assert sorted(found, key=lambda each: (each, str(each))) == found
    assert all(first < second for first, second in itertools.pairwise(found))


def test_what_stands_after_a_plus_makes_no_difference():
    assert read_version("1.2.3+linux") == read_version("v1.2.3+darwin.2")
    assert str(read_version("v1.2.3+linux")) == "1.2.3+linux"


@pytest.mark.parametrize(
    "text", ["", "1", "1.2", "01.2.3", "1.2.3-", "1.2.3.4", "a", "1.2.3 ", "1.2." + "9" * 99]
)
def test_other_texts_are_no_versions(text):
    with pytest.raises(NoVersion):
        read_version(text)


@pytest.mark.parametrize(
    ("demand", "allowed", "refused"),
    [
        ("", "0.0.1 9.9.9", "1.0.0-rc1"),
        ("~> 2.5", "2.5.0 2.5.9 2.99.0", "2.4.9 3.0.0 2.6.0-rc1"),
        ("~>2.5.1", "2.5.1 2.5.9", "2.5.0 2.6.0"),
        ("~> 2", "2.0.0 2.9.9", "1.9.9 3.0.0"),
        ("~> 2.5.0-beta1", "2.5.0 2.5.3", "2.5.0-beta1 2.6.0"),
        (">= 1.2, < 2, != 1.5.0", "1.2.0 1.5.1 1.99.0", "1.1.9 1.5.0 2.0.0 1.6.0-a"),
        ("1.5.0", "1.5.0 1.5.0+x", "1.5.1 1.5.0-rc1"),
        ("= 1.5", "1.5.0", "1.5.1"),
        ("1.5.0-rc1", "1.5.0-rc1", "1.5.0 1.5.0-rc2"),
        (">= 1.0.0-rc1", "1.0.0 1.1.0", "1.0.0-rc1 1.0.0-rc2 0.9.0"),
        ("1.0.0-rc1, != 1.0.0-rc1", "", "1.0.0-rc1 1.0.0"),
        ("> 1, <= 2", "1.0.1 2.0.0", "1.0.0 2.0.1"),
    ],
)
def test_a_demand_allows_what_it_says(demand, allowed, refused):
    constraints = read_constraints(demand)
    assert [text for text in allowed.split() if not constraints.allows(read_version(text))] == []
    assert [text for text in refused.split() if constraints.allows(read_version(text))] == []


@pytest.mark.parametrize(
    "text", ["latest", "1.x", "~> 1.2-beta", ">= 1.2 < 2", "1.2,", "=> 1", "~> 1.2.3.4", ","]
)
def test_other_texts_are_no_demands(text):
    with pytest.raises(NoVersion):
        read_constraints(text)


def test_the_newest_that_is_allowed_is_chosen_and_the_nearest_are_named():
    found = list(readable([*ORDERED, "rubbish"]).values())
    assert str(read_constraints("~> 1.0").newest(found)) == "1.10.0"
    assert read_constraints("~> 3.0").newest(found) is None
    assert [str(each) for each in read_constraints("~> 3.0").nearest(found, 2)] == ["2.0.0", "2.0.0-1"]
    assert [str(each) for each in read_constraints("1.0.2").nearest(found, 4)] == [
        "1.10.0",
        "1.1.0",
        "1.0.1",
        "1.0.0",
    ]
    assert [str(each) for each in read_constraints("").nearest(found, 1)] == ["2.0.0"]


NUMBERS = some.integers(0, 30)
VERSIONS = some.builds(lambda a, b, c: read_version(f"{a}.{b}.{c}"), NUMBERS, NUMBERS, NUMBERS)


@settings(derandomize=True, deadline=None)
@given(VERSIONS, VERSIONS)
def test_a_tilde_is_two_plain_comparisons(wanted, found):
    major, minor, _ = wanted.numbers
    tilde = read_constraints(f"~> {wanted}").allows(found)
    plain = read_constraints(f">= {wanted}, < {major}.{minor + 1}.0").allows(found)
    assert tilde == plain
