"""Values on the wire: read by their type, exact, and refused with a path where they do not fit."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from dirigent.model.values import Unknown
from dirigent.providers.tofu.values.coding import decode, encode
from dirigent.providers.tofu.values.conversion import converted
from dirigent.providers.tofu.values.paths import Misfit, shown
from dirigent.providers.tofu.values.types import (
    DYNAMIC,
    NUMBER,
    STRING,
    Collection,
    Kind,
    Structure,
    read_type,
)
from providers.tofu.samples import TYPES, values


@given(TYPES.flatmap(lambda kind: some.tuples(some.just(kind), values(kind))))
def test_every_value_comes_back_as_it_went(pair):
    kind, value = pair
    assert decode(encode(value, kind), kind) == value


@pytest.mark.parametrize(
    ("value", "content"),
    [
        (None, b"\xc0"),
        (7, b"\x07"),
        (0.5, b"\xcb\x3f\xe0\x00\x00\x00\x00\x00\x00"),
        (0.1, b"\xa30.1"),
        (2**64, b"\xb418446744073709551616"),
        (2**53 + 1, b"\xcf\x00\x20\x00\x00\x00\x00\x00\x01"),
        (Unknown(), b"\xd4\x00\x00"),
    ],
)
def test_a_number_is_written_without_a_loss(value, content):
    assert encode(value, NUMBER) == content
    assert decode(content, NUMBER) == value


@pytest.mark.parametrize(
    "content", [b"\xa51e400", b"\xa55e-01", b"\xa43.50", b"\xcb\x40\x08\x00\x00\x00\x00\x00\x00"]
)
def test_numbers_of_every_spelling_are_read(content):
    assert decode(content, NUMBER) in {10**400, 0.5, 3.5, 3}


def test_a_refined_unknown_is_an_unknown():
    refined = msgspec.msgpack.encode(
        {"a": msgspec.msgpack.Ext(12, msgspec.msgpack.encode({1: False, 2: "x-"}))}
    )
    assert decode(refined, Structure({"a": STRING})) == {"a": Unknown()}


def test_a_value_of_any_type_brings_its_type():
    content = msgspec.msgpack.encode([b'["list","number"]', [1, 2]])
    assert decode(content, DYNAMIC) == [1, 2]
    assert msgspec.msgpack.decode(encode({"a": True}, DYNAMIC)) == [b'["object",{"a":"bool"}]', {"a": True}]


def test_a_set_has_no_order_and_nothing_twice():
    kind = Collection(Kind.SET, STRING)
    assert decode(msgspec.msgpack.encode(["b", "a", "b"]), kind) == ["a", "b"]
    assert converted(["b", "a", "b"], kind) == ["a", "b"]


@pytest.mark.parametrize(
    ("value", "kind", "path"),
    [
        ({"a": [1, "x"]}, '["object",{"a":["list","number"]}]', "a[1]"),
        ({"a.b": 3}, '["map","string"]', '["a.b"]'),
        ([1], '["tuple",["number","number"]]', ""),
        ({}, '["object",{"a":"string"}]', ""),
        (True, '"number"', ""),
        ("x", '"bool"', ""),
        (3, '"dynamic"', ""),
        ("NaN", '"number"', ""),
        ("1e99999999", '"number"', ""),
        ({1: 2}, '["map","number"]', ""),
    ],
)
def test_what_a_provider_may_not_send_is_refused_with_its_path(value, kind, path):
    with pytest.raises(Misfit) as misfit:
        decode(msgspec.msgpack.encode(value), read_type(kind))
    assert shown(misfit.value.path) == path


@pytest.mark.parametrize("content", [b"", b"\xc1", b"\x81", b"\x91" * 100_000])
def test_what_is_no_messagepack_is_refused(content):
    with pytest.raises(Misfit):
        decode(content, STRING)


@pytest.mark.parametrize(
    ("value", "kind", "wanted"),
    [
        (8080, '"string"', "8080"),
        (2.0, '"string"', "2"),
        (True, '"string"', "true"),
        ("8080", '"number"', 8080),
        ("0.5", '"number"', 0.5),
        ("true", '"bool"', True),
        ({"b": 1, "a": 2}, '["map","string"]', {"a": "2", "b": "1"}),
        ({"a": 1}, '["object",{"a":"string","b":"bool"}]', {"a": "1", "b": None}),
        ([1, "2"], '["tuple",["string","number"]]', ["1", 2]),
        ([3, [1]], '"dynamic"', [3, [1]]),
    ],
)
def test_what_people_write_is_converted(value, kind, wanted):
    assert converted(value, read_type(kind)) == wanted


@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        ("many", '"number"', "should be a number, not `many`"),
        ([1], '"string"', "should be a string, not `a list`"),
        ({"a": {"x": "maybe"}}, '["map",["object",{"x":"bool"}]]', "`a.x` should be a bool, not `maybe`"),
        ({"c": 1}, '["object",{"a":"string"}]', "`c` is not known here; there are `a`"),
    ],
)
def test_what_cannot_be_converted_is_said(value, kind, words):
    with pytest.raises(Misfit) as misfit:
        converted(value, read_type(kind))
    assert str(misfit.value) == words
