"""The schema of a provider as a shape: it refuses what the provider's side would refuse, and nothing else."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from dirigent.lang.schema import SCHEMAS
from dirigent.lang.shape import Field, Form, Number, Record, check_value
from dirigent.model.source import Span
from dirigent.model.values import Unknown
from dirigent.providers.tofu.schema.configuration import configured
from dirigent.providers.tofu.schema.shape import Block, NestedBlock, Nesting
from dirigent.providers.tofu.schema.shapes import BlockShape, NestedShape, setup_shape, type_shape
from dirigent.providers.tofu.schema.typed import TypedShape
from dirigent.providers.tofu.values.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    Collection,
    Kind,
    Row,
    Structure,
)
from providers.tofu.schemas import blocks, configurations
from providers.tofu.shapes import BOX, LIMITS, attribute

DRAFT = "http://json-schema.org/draft-07/schema#"
HERE = Span("stack.yaml", 1, 1, 1, 2)
SHAPE = type_shape("fixture_box", BOX).inside


def problems_of(shape, value):
    problems = []
    check_value(value, shape, problems, HERE, path="with", places={})
    return problems


def errors_of(shape, value):
    return sorted(each.message for each in problems_of(shape, value) if each.severity == "error")


CASES = some.deferred(
    lambda: blocks().flatmap(lambda block: some.tuples(some.just(block), configurations(block)))
)


def agrees(shape, block, value):
    return bool(errors_of(shape, value)) == bool(configured(block, value)[1])


def test_a_shape_that_is_too_strict_or_too_lenient_does_not_agree():
    strict, lenient = Record({"size": Field(Number())}), Record({}, open=True)
    sized = Block(dict([attribute("size", NUMBER, optional=True)]))
    assert agrees(type_shape("x_y", sized).inside, sized, {"size": "3"})
    assert not agrees(strict, sized, {"size": "3"})
    assert not agrees(lenient, sized, {"size": "big"})


@pytest.mark.slow
@given(CASES)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_a_shape_refuses_exactly_what_the_configuration_refuses(case):
    block, value = case
    _, odd = configured(block, value)
    shape = BlockShape(block, "a_b", "`with`")
    assert agrees(shape, block, value), (errors_of(shape, value), list(map(str, odd)))
    if not odd:
        assert not errors_of(setup_shape("a", block), value)
        written = {"$schema": DRAFT, **shape.schema(Form(templates=True))}
        assert SCHEMAS.violation(written, _without_nulls(_expressed(value))) is None
    assert not configured(block, shape.example())[1]


RIGHT = {
    "a number as text": {"size": "3"},
    "a text as a number": {"note": 7},
    "a flag as text": {"limits": {"hard": "true"}},
    "null where nothing is demanded": {"size": None, "parts": None, "port": None, "id": None},
    "one block without a list": {"port": {"number": 80}},
    "blocks in a list": {"port": [{"number": 80}, {"number": "81"}]},
    "an expression for a whole block": {"port": Unknown(), "parts": Unknown(), "limits": Unknown()},
    "an expression for one of several": {
        "port": [Unknown(), {"number": Unknown()}],
        "parts": {"a": Unknown()},
    },
    "anything in a map of texts": {"tags": {"a": 1, "b": True, "c": None}},
}


@pytest.mark.parametrize("given", RIGHT.values(), ids=RIGHT)
def test_what_a_provider_takes_is_taken(given):
    value = {"name": "a", **given}
    assert not configured(BOX, value)[1]
    assert not problems_of(SHAPE, value)


KNOWN = "known: group, limits, name, note, parts, port, rule, secret, size, tags"
WRONG = {
    "a number": ({"size": "big"}, "E1201", "`with.size` must be a number, not the text `big`"),
    "a flag": (
        {"limits": {"hard": 1}},
        "E1201",
        "`with.limits.hard` must be `true` or `false`, not the number `1`",
    ),
    "a map": ({"tags": "a"}, "E1201", "`with.tags` must be a mapping from names to texts, not the text `a`"),
    "text": ({"note": {}}, "E1201", "`with.note` must be text, not a mapping"),
    "blocks": (
        {"port": 3},
        "E1201",
        "`with.port` must be a mapping, or a list of at most 3 mappings, not the number `3`",
    ),
    "one of them": ({"port": [None]}, "E1201", "`with.port[0]` must be a mapping, not nothing"),
    "too many": (
        {"port": [{"number": 1}] * 4},
        "E1208",
        "`with.port` may stand at most 3 times, not 4 times",
    ),
    "a list for one": ({"limits": []}, "E1201", "`with.limits` must be a mapping, not a list"),
    "an unknown one": ({"sise": 1}, "E1203", "unknown property `sise` in `with` of a `fixture_box`"),
    "one inside": ({"port": {"number": 1, "nr": 1}}, "E1203", "unknown property `nr` in `fixture_box.port`"),
    "one missing": ({"port": {}}, "E1202", "`with.port` lacks `number`"),
    "null for it": ({"port": {"number": None}}, "E1202", "`with.port` lacks `number`"),
    "decided": (
        {"id": "a"},
        "E1426",
        "`id` of a `fixture_box` is decided by the provider and cannot be set",
    ),
    "decided inside": (
        {"port": {"number": 1, "bound": Unknown()}},
        "E1426",
        "`bound` of `fixture_box.port` is decided by the provider and cannot be set",
    ),
    "to choose": ({"size": {"choose": {"from": 1}}}, "E1204", "`with.size` cannot be left to choose yet"),
}


@pytest.mark.parametrize(("given", "code", "message"), WRONG.values(), ids=WRONG)
def test_what_a_provider_would_refuse_is_said(given, code, message):
    value = {"name": "a", **given}
    assert configured(BOX, value)[1]
    (found,) = problems_of(SHAPE, value)
    assert (found.code, found.message) == (code, message)


def test_a_long_list_of_what_is_known_is_left_to_explain():
    many = Block(dict(attribute(f"a{number}", optional=True) for number in range(20)))
    (found,) = problems_of(type_shape("x_y", many).inside, {"zz": 1})
    assert found.help == ("`dirigent explain x_y` lists all 20 that are known",)
    (found,) = problems_of(SHAPE, {"name": "a", "foo": 1})
    assert found.help == (KNOWN,)


def test_what_is_going_away_is_a_warning():
    going = Block(dict([attribute("a", optional=True, deprecated="use `b`\ninstead")]), deprecated="use x_z")
    block = Block({}, {"part": NestedBlock("part", going, Nesting.LIST)}, deprecated="use x_z")
    found = problems_of(type_shape("x_y", block).inside, {"part": [{"a": 1}]})
    assert [(each.code, each.message) for each in found] == [
        ("W1427", "`x_y` is deprecated: use x_z"),
        ("W1427", "`part` of a `x_y` is deprecated: use x_z"),
        ("W1427", "`a` of `x_y.part` is deprecated: use `b` instead"),
    ]


def test_only_what_is_demanded_makes_with_a_duty():
    assert type_shape("fixture_box", BOX).wanted
    assert not type_shape("x_y", Block(dict([attribute("a", optional=True)]))).wanted
    assert not setup_shape("x", BOX).demanded()


WORDS = {
    "text": STRING,
    "a list of texts": Collection(Kind.LIST, STRING),
    "a list of numbers, in any order": Collection(Kind.SET, NUMBER),
    "a mapping from names to lists": Collection(Kind.MAP, Collection(Kind.LIST, BOOL)),
    "a list of mappings": Collection(Kind.LIST, Structure({"a": STRING})),
    "a mapping with `a`, `b`": Structure({"a": STRING, "b": DYNAMIC}),
    "a list of 2 values": Row((STRING, BOOL)),
    "an empty list": Row(()),
    "a mapping": Structure({}),
}


@pytest.mark.parametrize(("words", "kind"), WORDS.items())
def test_types_have_words(words, kind):
    assert TypedShape(kind).what == words


BOUNDS = {
    (0, 0): "mappings",
    (1, 0): "at least one mapping",
    (2, 2): "2 mappings",
    (1, 3): "1 to 3 mappings",
    (0, 2): "at most 2 mappings",
}


@pytest.mark.parametrize(("bounds", "words"), BOUNDS.items())
def test_numbers_of_blocks_have_words(bounds, words):
    nested = NestedBlock("a", Block(), Nesting.LIST, *bounds)
    assert NestedShape(nested, "x_y.a").what == f"a mapping, or a list of {words}"
    assert NestedShape(nested, "x_y.a", sugared=False).what == f"a list of {words}"


def test_where_only_one_may_stand_it_is_a_mapping():
    nested = NestedBlock("a", LIMITS, Nesting.LIST, 1, 1)
    assert (NestedShape(nested, "x_y.a").what, NestedShape(nested, "x_y.a").example()) == ("a mapping", {})
    assert NestedShape(nested, "x_y.a", sugared=False).what == "a list of one mapping"


def test_the_schema_for_editors_grows_with_the_depth_and_not_with_its_power():
    block = LIMITS
    for _ in range(24):
        block = Block(
            {}, {"a": NestedBlock("a", block, Nesting.LIST), "b": NestedBlock("b", LIMITS, Nesting.SET)}
        )
    written = type_shape("x_y", block).inside.schema(Form(templates=True))
    assert len(json.dumps(written)) < 100_000


def test_what_can_be_said_of_a_type_is_told_with_all_its_keys():
    told = {each.name: each for each in SHAPE.outlines()}
    assert list(told) == [*BOX.attributes, *BOX.blocks]
    assert told["id"].said == ("computed",)
    assert told["secret"].said == ("optional", "sensitive")
    assert told["name"].said == ("required",)
    assert [each.name for each in told["port"].inside] == ["number", "bound"]
    assert [each.name for each in told["parts"].inside] == ["kind", "note"]
    assert told["port"].example == [{"number": 1}]
    assert SHAPE.example() == {"name": "..."}


def _expressed(value):
    match value:
        case Unknown():
            return "${ . }"
        case dict():
            return {name: _expressed(each) for name, each in value.items()}
        case list():
            return [_expressed(each) for each in value]
        case _:
            return value


def _without_nulls(value):
    """Leave out what is null: an editor that marks it is right that it says nothing."""
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value
