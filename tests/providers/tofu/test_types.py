"""Types of providers: read, written, and said in words."""

import pytest
from hypothesis import given

from dirigent.providers.tofu.values.types import (
    STRING,
    NoType,
    Structure,
    described,
    read_type,
    write_type,
)
from providers.tofu.samples import TYPES


@given(TYPES)
def test_what_is_written_is_read_again(kind):
    assert read_type(write_type(kind)) == kind


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'"string"', "string"),
        (b'["list","number"]', "list of number"),
        (b'["map",["set","bool"]]', "map of set of bool"),
        (b'["object",{"b":"string","a":"dynamic"}]', "object with b, a"),
        (b'["object",{}]', "empty object"),
        (b'["tuple",["string","bool"]]', "tuple of string, bool"),
        (b'"dynamic"', "any value"),
    ],
)
def test_a_type_is_said_in_words(text, words):
    assert described(read_type(text)) == words


def test_members_that_may_be_left_out_are_kept():
    kind = read_type('["object",{"a":"string","b":"string"},["b"]]')
    assert kind == Structure({"a": STRING, "b": STRING}, frozenset({"b"}))
    assert read_type(write_type(kind)) == kind


@pytest.mark.parametrize(
    "text", [b"", b"3", b'"text"', b'["list"]', b'["heap","string"]', b'{"a":1}', b'["tuple",3]']
)
def test_what_is_no_type_is_refused(text):
    with pytest.raises(NoType):
        read_type(text)
