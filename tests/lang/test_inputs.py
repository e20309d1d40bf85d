"""Values for a stack's inputs, from a command line, an environment or a file."""

import pytest

from dirigent.lang.inputs import Given, resolve_inputs
from dirigent.lang.schema import SCHEMAS
from dirigent.model.source import Span
from dirigent.model.stack import Input

SPAN = Span("stack.yaml", 3, 3, 3, 7)


def declared(name="rate", default=None, *, required=True, **schema):
    return {name: Input(name, schema, default, required, SPAN)}


def given(value, *, raw=True, name="rate"):
    return {name: Given(value, "--input", raw)}


def resolve(inputs, values):
    return resolve_inputs(inputs, values, SCHEMAS)


@pytest.mark.parametrize(
    ("schema", "written", "value"),
    [
        ({"type": "number"}, "3", 3),
        ({"type": "number"}, "1e3", 1000.0),
        ({"type": "integer"}, "-4", -4),
        ({"type": "boolean"}, "true", True),
        ({"type": "string"}, "3", "3"),
        ({"type": "string"}, "true", "true"),
        ({"type": "string"}, "", ""),
        ({"type": "string"}, "a: b", "a: b"),
        ({"type": "array"}, "[1, 'x']", [1, "x"]),
        ({"type": "object"}, '{"a": [true]}', {"a": [True]}),
        ({"type": "object"}, "a: 1", {"a": 1}),
        ({"type": ["string", "null"]}, "x", "x"),
        ({"type": ["string", "integer"]}, "3", 3),
        ({"enum": ["on", "off"]}, "on", "on"),
        ({"enum": ["1", "2"]}, "1", "1"),
        ({}, "3", 3),
        ({}, "a, b: c: d", "a, b: c: d"),
        ({}, "[", "["),
    ],
)
def test_a_raw_text_is_read_as_the_schema_wants_it(schema, written, value):
    values, problems = resolve(declared(**schema), given(written))
    assert problems == []
    assert values == {"rate": value}
    assert type(values["rate"]) is type(value)


def test_a_value_from_a_file_is_taken_as_it_is():
    assert resolve(declared(type="string"), given("3", raw=False))[0] == {"rate": "3"}
    _, (problem,) = resolve(declared(type="number"), given("3", raw=False))
    assert problem.code == "E1416"


def test_what_is_not_given_is_the_default():
    assert resolve(declared(default=20, required=False, type="number"), {}) == ({"rate": 20}, [])
    assert resolve(declared(default=None, required=False), {}) == ({"rate": None}, [])


def test_an_input_without_a_value_is_a_problem():
    _, (problem,) = resolve(declared(type="number"), {})
    assert (problem.code, problem.at) == ("E1417", SPAN)
    assert "--input rate=VALUE" in problem.help[0]


def test_an_unknown_input_comes_with_a_suggestion():
    _, (problem,) = resolve(declared(default=1, required=False), given("3", name="rte"))
    assert problem.code == "E1415"
    assert problem.help[0] == "change it to `rate`"
    _, (problem,) = resolve({}, given("3", name="rte"))
    assert problem.help == ("inputs of this stack: none",)


def test_a_value_that_does_not_fit_says_why_and_where_it_came_from():
    _, (problem,) = resolve(declared(type="number", minimum=5), given("3"))
    assert problem.code == "E1416"
    assert "given by --input" in problem.message
    assert "minimum of 5" in problem.message


def test_all_problems_are_found_at_once():
    inputs = {**declared("a", type="number"), **declared("b", type="boolean"), **declared("c", type="string")}
    values = {
        "a": Given("x", "--input", True),
        "b": Given("3", "--input", True),
        "d": Given(1, "inputs.yaml"),
    }
    _, problems = resolve(inputs, values)
    assert sorted(problem.code for problem in problems) == ["E1415", "E1416", "E1416", "E1417"]
