"""The proposed new state, and what a plan and its apply may say."""

import pytest

from dirigent.model.values import Unknown
from dirigent.providers.tofu.lifecycle.checking import check_kept, check_plan
from dirigent.providers.tofu.lifecycle.proposing import proposed, same
from dirigent.providers.tofu.schema.configuration import configured
from dirigent.providers.tofu.schema.shape import empty
from providers.tofu.shapes import BOX


def config(**given):
    found, odd = configured(BOX, {"name": "a", **given})
    assert not odd
    return found


def state(**given):
    return {**empty(BOX), "id": "7", "name": "a", "note": "made", **given}


def test_what_is_new_is_its_configuration():
    assert proposed(BOX, None, config(size=3)) == config(size=3)


def test_what_a_configuration_leaves_open_stays_as_it_was():
    found = proposed(BOX, state(size=1), config(size=2))
    assert found == state(size=2)


def test_what_only_a_configuration_sets_goes_with_it():
    assert proposed(BOX, state(size=1, tags={"a": "b"}), config()) == state()


def test_blocks_of_a_list_meet_by_index_those_of_a_map_by_key():
    prior = state(port=[{"number": 1, "bound": "x"}, {"number": 2, "bound": "y"}], group={"a": {"gid": "1"}})
    found = proposed(BOX, prior, config(port=[{"number": 5}], group={"a": {}, "b": {}}))
    assert found["port"] == [{"number": 5, "bound": "x"}]
    assert found["group"] == {"a": {"gid": "1"}, "b": {"gid": None}}


def test_blocks_of_a_set_meet_by_what_was_written():
    prior = state(rule=[{"path": "/a", "key": "1", "token": None}, {"path": "/b", "key": "2", "token": None}])
    found = proposed(BOX, prior, config(rule=[{"path": "/b"}, {"path": "/c"}]))
    assert found["rule"] == [
        {"path": "/b", "key": "2", "token": None},
        {"path": "/c", "key": None, "token": None},
    ]


def test_an_optional_object_that_is_left_out_goes_only_if_it_was_written():
    written = state(parts={"a": {"kind": "x", "note": "made"}})
    assert proposed(BOX, written, config())["parts"] is None
    made = state(parts={"a": {"kind": None, "note": "made"}})
    assert proposed(BOX, made, config())["parts"] == {"a": {"kind": None, "note": "made"}}


def test_nested_attributes_keep_what_the_provider_gave():
    prior = state(parts={"a": {"kind": "x", "note": "made"}})
    found = proposed(BOX, prior, config(parts={"a": {"kind": "y"}, "b": {"kind": "z"}}))
    assert found["parts"] == {"a": {"kind": "y", "note": "made"}, "b": {"kind": "z", "note": None}}


def test_what_is_unknown_stays_unknown():
    found = proposed(BOX, state(), config(size=Unknown(), port=Unknown(), rule=[Unknown()]))
    assert (found["size"], found["port"], found["rule"]) == (Unknown(), Unknown(), [Unknown()])


def odd(prior, wanted, planned):
    return [str(each) for each in check_plan(BOX, prior, wanted, planned)]


@pytest.mark.parametrize(
    ("prior", "given", "planned"),
    [
        (None, {}, {"id": Unknown(), "note": Unknown()}),
        (None, {"size": 3}, {"size": 3, "id": "7"}),
        ({"size": 3}, {"size": 4}, {"size": 3}),
        ({}, {"port": [{"number": 1}]}, {"port": [{"number": 1, "bound": Unknown()}]}),
        ({}, {"rule": [{"path": "/a"}]}, {"rule": [{"path": "/a", "key": "k", "token": None}]}),
        ({}, {"parts": {"a": {}}}, {"parts": {"a": {"kind": None, "note": "n"}}}),
        ({}, {"size": Unknown()}, {"size": 9}),
    ],
)
def test_a_plan_may_fill_in_what_is_its_own(prior, given, planned):
    past = None if prior is None else state(**prior)
    wanted = config(**given)
    assert odd(past, wanted, {**wanted, **planned}) == []


@pytest.mark.parametrize(
    ("given", "planned", "path"),
    [
        ({}, {"size": 3}, "size"),
        ({"size": 4}, {"size": 5}, "size"),
        ({"size": 4}, {"size": None}, "size"),
        ({"note": "mine"}, {"note": "theirs"}, "note"),
        ({"port": [{"number": 1}]}, {"port": []}, "port"),
        ({"port": [{"number": 1}]}, {"port": [{"number": 2, "bound": None}]}, "port[0].number"),
        ({"rule": [{}]}, {"rule": []}, "rule"),
        ({"limits": {"hard": True}}, {"limits": None}, "limits"),
        ({"group": {"a": {}}}, {"group": {"b": {"gid": None}}}, "group"),
        ({"parts": {"a": {"kind": "x"}}}, {"parts": {"a": {"kind": "y", "note": None}}}, "parts.a.kind"),
    ],
)
def test_a_plan_that_says_another_thing_than_was_written_is_found_out(given, planned, path):
    wanted = config(**given)
    found = list(check_plan(BOX, None, wanted, {**wanted, **planned}))
    assert [str(each).split("`")[1] for each in found] == [path]


@pytest.mark.parametrize(
    ("planned", "actual", "count"),
    [
        ({"a": 1, "b": Unknown()}, {"a": 1, "b": [2]}, 0),
        ({"a": 1}, {"a": 2}, 1),
        ({"a": 1}, {"a": True}, 1),
        ({"a": [1, 2]}, {"a": [1]}, 1),
        ({"a": [Unknown()]}, {"a": [1, 2]}, 0),
        ({"a": [Unknown(), 3]}, {"a": [1]}, 1),
        ({"a": {"x": None}}, {"a": {"x": "y"}}, 1),
        ({"a": None}, {"a": None, "b": 2}, 1),
        ({"a": 1}, None, 1),
    ],
)
def test_what_was_promised_must_come(planned, actual, count):
    assert len(list(check_kept(planned, actual))) == count


def test_true_is_not_one():
    assert not same([True], [1])
    assert same({"a": [1.0]}, {"a": [1]})
