"""The vocabulary of shapes: what each reports and where, what is not said twice, its JSON Schema."""

import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.lang.schema import SCHEMAS, schema_fault
from dirigent.lang.shape import (
    AnyValue,
    ByKey,
    ByKind,
    ByValue,
    ExpressionText,
    Field,
    Fixed,
    Flag,
    Later,
    Lazy,
    ListOf,
    MapOf,
    Number,
    OrExpression,
    Record,
    SingleKeyMap,
    Templates,
    Text,
    Whole,
    check,
    check_value,
    inner_expression,
    json_schema,
    nearest,
)
from dirigent.lang.source import load
from dirigent.lang.tree import plain
from dirigent.model.problem import ordered
from dirigent.model.source import Span
from dirigent.model.values import SecretRef, SecretText, Unknown
from effort import calls


def problems_of(text, shape, **options):
    root, problems = load(text, "f.yaml")
    assert root is not None, problems
    check(root, shape, problems, **options)
    return ordered(problems)


def found(text, shape, **options):
    return [
        f"{p.code} {p.at.line}:{p.at.column}-{p.at.end_column}" for p in problems_of(text, shape, **options)
    ]


def of(shape):
    return Record({"a": Field(shape)})


DEFINITIONS = {
    "task": ByKey(
        {
            "for": Record({"for": Field(Text(), required=True), "do": Field(Lazy("tasks"), required=True)}),
            "do": Record({"do": Field(Lazy("tasks"), required=True)}, title="a group"),
            "set": Record({"set": Field(MapOf(AnyValue()))}),
        },
        title="a task",
    ),
    "tasks": ListOf(SingleKeyMap(Lazy("task")), min=1),
}
CALL = ByValue(
    "call",
    {
        "http": Record({"call": Field(Text()), "uri": Field(Text(), required=True)}),
        "shell": Record({"call": Field(Text()), "command": Field(Text(), required=True)}),
    },
)

CASES = [
    ("text", "a: b", of(Text()), []),
    ("a number for a text", "a: 80", of(Text()), ["E1201 1:4-6"]),
    ("a list for a text", "a: [b]", of(Text()), ["E1201 1:1-2"]),
    ("nothing for a text", "a:", of(Text()), ["E1201 1:1-2"]),
    ("an empty text", "a: ''", of(Text(min_length=1)), ["E1205 1:4-6"]),
    ("a pattern that fits", "a: ab", of(Text("[ab]+")), []),
    ("a pattern that fits only a part", "a: abc", of(Text("[ab]+")), ["E1205 1:4-7"]),
    ("a pattern with a line end", 'a: "ab\\n"', of(Text("[ab]+")), ["E1205 1:4-10"]),
    ("a choice", "a: x", of(Text(choices=("x", "y"))), []),
    ("another choice", "a: z", of(Text(choices=("x", "y"))), ["E1206 1:4-5"]),
    ("a whole number", "a: 3", of(Whole(min=3, max=3)), []),
    ("a number too small", "a: 2", of(Whole(min=3)), ["E1207 1:4-5"]),
    ("a number too large", "a: 4.5", of(Number(max=4)), ["E1207 1:4-7"]),
    ("a fraction for a whole number", "a: 1.5", of(Whole()), ["E1201 1:4-7"]),
    ("a flag for a number", "a: true", of(Number()), ["E1201 1:4-8"]),
    ("a flag for a whole number", "a: true", of(Whole()), ["E1201 1:4-8"]),
    ("a flag", "a: false", of(Flag()), []),
    ("a text for a flag", "a: yes", of(Flag()), ["E1201 1:4-7"]),
    ("anything", "a: [{b: 1}]", of(AnyValue()), []),
    ("a list", "a: [1, 2]", of(ListOf(Whole())), []),
    ("elements of another type", "a: [1, x, 2, y]", of(ListOf(Whole())), ["E1201 1:8-9", "E1201 1:14-15"]),
    ("too few elements", "a: []", of(ListOf(Whole(), min=1)), ["E1208 1:1-2"]),
    ("too many elements", "a: [1, 2]", of(ListOf(Whole(), max=1)), ["E1208 1:1-2"]),
    ("names of a mapping", "a: {B: 1}", of(MapOf(Whole(), "[a-z]")), ["E1211 1:5-6"]),
    ("values of a mapping", "a: {b: x}", of(MapOf(Whole(), "[a-z]")), ["E1201 1:8-9"]),
    ("too few entries", "a: {}", of(MapOf(Whole(), min=1)), ["E1208 1:1-2"]),
    ("an unknown key", "b: 1", of(Text()), ["E1203 1:1-2"]),
    ("an unknown key of an open record", "b: 1", Record({}, open=True), []),
    (
        "a missing key of the root",
        "b: 1",
        Record({"a": Field(Text(), required=True), "b": Field(Whole())}),
        ["E1202 1:1-2"],
    ),
    (
        "a missing key inside",
        "b: {}",
        Record({"b": Field(Record({"a": Field(Text(), required=True)}))}),
        ["E1202 1:1-2"],
    ),
    (
        "a missing key in a list",
        "a: [{}]",
        of(ListOf(Record({"b": Field(Text(), required=True)}))),
        ["E1202 1:5-7"],
    ),
    (
        "a misspelt key that is required",
        "bame: x",
        Record({"name": Field(Text(), required=True)}),
        ["E1203 1:1-5"],
    ),
    ("one key", "a: {b: 1}", of(SingleKeyMap(Whole())), []),
    ("no key where one must be", "a: {}", of(SingleKeyMap(Whole())), ["E1212 1:4-6"]),
    ("two keys where one must be", "a: {b: 1, c: x}", of(SingleKeyMap(Whole())), ["E1212 1:11-12"]),
    ("a list where one key must be", "a: [b]", of(SingleKeyMap(Whole())), ["E1201 1:1-2"]),
    ("kinds", "a: {b: 1}", of(ByKind(text=Text(), map=MapOf(Whole()))), []),
    ("a kind that has no shape", "a: 5", of(ByKind(text=Text(), map=MapOf(Whole()))), ["E1201 1:4-5"]),
    ("inside of a kind", "a: {b: x}", of(ByKind(text=Text(), map=MapOf(Whole()))), ["E1201 1:8-9"]),
    ("null as a kind", "a:", of(ByKind(null=AnyValue(), flag=Flag())), []),
    ("a number as a kind", "a: 1.5", of(ByKind(number=Whole(), list=ListOf(Whole()))), ["E1201 1:4-7"]),
    ("a later key", "a: 1", of(Later("use `b`")), ["E1204 1:1-2"]),
    ("an expression", "a: ${ .x }", of(ExpressionText()), []),
    ("no expression", "a: .x", of(ExpressionText()), ["E1210 1:4-6"]),
    ("a bare expression", "a: .x", of(ExpressionText(bare=True)), []),
    ("an empty expression", "a: ${ }", of(ExpressionText(bare=True)), ["E1210 1:4-8"]),
    ("a number for an expression", "a: 5", of(ExpressionText(bare=True)), ["E1201 1:4-5"]),
    ("an expression for a number", "a: ${ .x }", of(OrExpression(Whole())), []),
    ("a text for a number or expression", "a: x", of(OrExpression(Whole())), ["E1201 1:4-5"]),
    ("templates", "a: {b: '${ .x }'}", of(Templates(MapOf(Whole()))), []),
    ("templates as a whole", "a: ${ .x }", of(Templates(MapOf(Whole()))), []),
    ("templates not as a whole", "a: ${ .x }", of(Templates(MapOf(Whole()), whole=False)), ["E1214 1:4-11"]),
    ("fixed among templates", "a: {b: '${ .x }'}", of(Templates(MapOf(Fixed(Text())))), ["E1214 1:8-17"]),
    ("below fixed", "a: {b: ['${ .x }']}", of(Templates(MapOf(Fixed(ListOf(Whole()))))), ["E1201 1:9-18"]),
    ("a choice that comes later", "a: {choose: [1]}", of(Templates(Whole())), ["E1204 1:5-11"]),
    ("a value tells", "call: http\nuri: x", CALL, []),
    ("a value tells what is missing", "call: http\ncommand: x", CALL, ["E1202 1:1-5", "E1203 2:1-8"]),
    ("an unknown value", "call: htp\nuri: x", CALL, ["E1206 1:7-10"]),
    ("no value", "uri: x", CALL, ["E1202 1:1-4"]),
    ("a value of another type", "call: [x]\nuri: x", CALL, ["E1201 1:1-5"]),
    ("a text for it all", "x", CALL, ["E1201 1:1-2"]),
]


@pytest.mark.parametrize(
    ("text", "shape", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_shape_reports_what_does_not_fit_at_the_smallest_text(text, shape, expected):
    assert found(text, shape) == expected


RECURSIVE = [
    ("- a: {set: {}}\n- b: {do: [c: {set: {}}]}", []),
    ("- a: {do: []}", ["E1208 1:7-9"]),
    ("- a: {for: x}", ["E1202 1:3-4"]),
    ("- a: {sett: {}}", ["E1203 1:7-11"]),
    ("- a: {x: {}}", ["E1209 1:3-4"]),
    ("- a: {}", ["E1209 1:3-4"]),
    ("- a: {do: [b: {set: {}}], set: 5}", ["E1213 1:27-30"]),
    ("- a: {do: [b: {sat: {}}], set: 5}", ["E1203 1:16-19", "E1213 1:27-30"]),
    ("- a: {set: {}}\n  b: {set: {}}", ["E1212 2:3-4"]),
    ("- set: {}", ["E1209 1:3-6"]),
]


@pytest.mark.parametrize(("text", "expected"), RECURSIVE)
def test_recursive_shapes_are_named(text, expected):
    assert found(text, Lazy("tasks"), definitions=DEFINITIONS) == expected


def test_an_unknown_key_comes_with_a_suggestion_and_what_is_known():
    shape = Record(
        {"replicas": Field(Whole()), "runtime": Field(Text()), "soon": Field(Later())}, title="a service"
    )
    (problem,) = problems_of("replcas: 3", shape)
    assert problem.message == "unknown property `replcas` in a service"
    assert problem.label == "did you mean `replicas`?"
    assert problem.help == ("change it to `replicas`", "known: replicas, runtime")


def test_a_key_that_stands_already_is_not_suggested():
    (problem,) = problems_of("name: a\nnome: b", Record({"name": Field(Text()), "x": Field(Text())}))
    assert "did you mean" not in problem.label


def test_messages_name_the_path():
    shape = Record({"list": Field(ListOf(MapOf(Whole())))})
    (problem,) = problems_of("list: [{a: 1}, {b: x}]", shape)
    assert problem.message.startswith("`list[1].b` must be a whole number, not the text `x`")
    root, problems = load("x", "f.yaml")
    check(root, Whole(), problems, path="resources.web.count")
    assert problems[0].message.startswith("`resources.web.count` must be")


def test_long_texts_are_cut_in_messages():
    (problem,) = problems_of(f"a: {'x' * 5000}", of(Whole()))
    assert len(problem.message) < 200


def test_a_second_telling_key_marks_the_first():
    (problem,) = problems_of("- a: {set: {}, do: [b: {set: {}}]}", Lazy("tasks"), definitions=DEFINITIONS)
    assert "`do` and `set`" in problem.message
    assert problem.others[0].text == "the first of them"


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("replcas", ["replicas", "runtime"], "replicas"),
        ("bd", ["db", "web"], "db"),
        ("NAME", ["name"], "name"),
        ("Name", ["name", "Name"], "name"),
        ("zzz", ["name"], None),
        ("x", [], None),
        ("x" * 100_000, ["name"], None),
    ],
)
def test_the_nearest_word_is_what_was_meant(word, known, meant):
    assert nearest(word, known) == meant


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ("${ .x }", " .x "),
        (" ${.x}\n", ".x"),
        ("${}", ""),
        ("x ${ .x }", None),
        ("${ .x } x", None),
        ("{ .x }", None),
        ("${", None),
        ("$}", None),
        ("", None),
    ],
)
def test_only_a_whole_string_is_an_expression(text, inner):
    assert inner_expression(text) == inner


# What the check accepts, the JSON Schema accepts, and the other way round.
AGREEING = [case for case in CASES if "later" not in case[0] and "empty expression" not in case[0]]


@pytest.mark.parametrize(
    ("text", "shape", "expected"), [case[1:] for case in AGREEING], ids=[case[0] for case in AGREEING]
)
def test_the_json_schema_agrees_with_the_check(text, shape, expected):
    schema = json_schema(shape)
    assert schema_fault(schema) is None
    violation = SCHEMAS.violation(schema, plain(load(text, "f.yaml")[0]))
    assert (violation is None) == (expected == []), violation


@pytest.mark.parametrize(("text", "expected"), RECURSIVE)
def test_the_json_schema_of_recursive_shapes_agrees(text, expected):
    schema = json_schema(Lazy("tasks"), definitions=DEFINITIONS)
    violation = SCHEMAS.violation(schema, plain(load(text, "f.yaml")[0]))
    assert (violation is None) == (expected == []), violation


def test_the_json_schema_carries_descriptions_and_a_title():
    schema = json_schema(Record({"a": Field(Text(), description="the name")}, title="a thing"), title="Thing")
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["properties"]["a"]["description"] == "the name"


SHAPES = [case[2] for case in CASES] + [Lazy("tasks"), Lazy("task")]
TREES = st.recursive(
    st.sampled_from(["x", "http", 1, 2.5, True, None, "${ .x }", "", "choose"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["a", "b", "do", "set", "for", "call", "uri", "choose"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(TREES, st.sampled_from(SHAPES))
def test_no_tree_makes_a_check_raise_and_each_problem_has_a_place(tree, shape):
    for problem in problems_of(f"[{json.dumps(tree)}]", ListOf(shape), definitions=DEFINITIONS):
        assert problem.at is not None
        assert problem.code.startswith("E12")


def test_a_wide_document_is_checked_in_linear_time():
    text = "a:\n" + "".join(f"  k{number}: {{v: x}}\n" for number in range(4000))
    root, _ = load(text, "f.yaml")
    problems = []
    shape = of(MapOf(Record({"w": Field(Whole(), required=True), "v": Field(Text())})))
    assert calls(lambda: check(root, shape, problems)) < 4000 * 40
    assert len(problems) == 4000


def test_all_shapes_describe_themselves():
    for shape in itertools.chain(SHAPES, DEFINITIONS.values()):
        assert shape.what


AT = Span("stack.yaml", 9, 5, 9, 9)
CONFIG = Record(
    {
        "port": Field(Whole(max=9)),
        "health": Field(Record({"http": Field(Text(), required=True)})),
        "command": Field(ListOf(Text())),
    }
)
PLACES = {
    "with.health": Span("stack.yaml", 12, 1, 12, 7),
    "with.command[1]": Span("stack.yaml", 14, 3, 14, 4),
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"port": 3, "health": {"http": "/"}, "command": ["a"]}, []),
        ({"port": Unknown(), "health": Unknown(("a",)), "command": [Unknown()]}, []),
        ({"port": "x"}, ["E1201 9:5"]),
        ({"prt": 3}, ["E1203 9:5"]),
        ({"port": 10, "health": {}}, ["E1202 12:1", "E1207 9:5"]),
        ({"health": {"http": SecretText((SecretRef("k"),))}}, []),
        ({"command": ["a", 3, 4]}, ["E1201 14:3", "E1201 9:5"]),
        ("x", ["E1201 9:5"]),
        (None, ["E1201 9:5"]),
    ],
)
def test_computed_values_are_checked_by_the_same_shapes(value, expected):
    problems = []
    check_value(value, CONFIG, problems, AT, path="with", places=PLACES)
    assert sorted(f"{problem.code} {problem.at.line}:{problem.at.column}" for problem in problems) == expected


def test_a_computed_value_that_is_too_deep_is_refused():
    value = []
    for _ in range(500):
        value = [value]
    problems = []
    check_value({"a": {"b": value}}, Record({}, open=True), problems, AT, places={})
    assert [problem.code for problem in problems] == ["E1105"]
