"""JSON Schema validation: in words, bounded, and never over the network."""

import pytest

from dirigent.lang.schema import SCHEMAS, schema_fault
from dirigent.model.values import SecretRef, SecretText, Unknown
from dirigent.ports import Schemas


def deep(levels):
    value = {}
    for _ in range(levels):
        value = {"a": value}
    return value


def test_it_fits_its_port():
    port: Schemas = SCHEMAS
    assert port.violation({"type": "string"}, "x") is None


def test_a_violation_names_the_path():
    schema = {"properties": {"a": {"items": {"type": "string"}}}}
    assert SCHEMAS.violation(schema, {"a": ["x", 1]}) == '`a[1]`: 1 is not of type "string"'
    assert SCHEMAS.violation({"minimum": 3}, 1) == "1 is less than the minimum of 3"


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "float"},
        {"pattern": "("},
        {"minimum": "x"},
        {"$ref": "http://example.com/schema"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#/nowhere"},
        {"$schema": "http://example.com/schema"},
        {"required": "a"},
        [],
        "x",
        None,
        deep(200),
    ],
)
def test_a_schema_that_is_none_is_a_fault_and_a_violation_of_everything(schema):
    assert schema_fault(schema)
    assert SCHEMAS.violation(schema, 1).startswith("the schema is not valid")


def test_nothing_is_fetched():
    assert "nothing is fetched" in schema_fault({"$ref": "http://example.com/schema"})


@pytest.mark.parametrize("schema", [{}, True, {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}}])
def test_a_schema_that_is_one_has_no_fault(schema):
    assert schema_fault(schema) is None


def test_false_allows_nothing():
    assert SCHEMAS.violation(False, 1) is not None


def test_older_drafts_say_so():
    schema = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}
    assert SCHEMAS.violation(schema, [1]) is not None


def test_a_secret_is_checked_as_the_text_that_may_be_shown():
    value = SecretText((SecretRef("key"),))
    assert SCHEMAS.violation({"type": "string"}, value) is None
    assert "(secret key)" in SCHEMAS.violation({"type": "number"}, {"a": value}["a"])


def test_what_is_unknown_is_checked_as_null():
    assert SCHEMAS.violation({"type": "null"}, Unknown()) is None


def test_a_value_that_is_too_deep_is_a_violation():
    assert "levels deep" in SCHEMAS.violation({}, deep(300))
    assert SCHEMAS.violation({}, deep(100)) is None


def test_a_pattern_cannot_run_away():
    # An engine that goes back and tries again would not come to an end before this world does.
    assert SCHEMAS.violation({"pattern": "^(a+)+$"}, "a" * 5000 + "b") is not None
    assert SCHEMAS.violation({"pattern": "^(?=(a+)+$)b"}, "a" * 40 + "c") is not None


def test_a_long_message_is_cut():
    assert len(SCHEMAS.violation({"type": "number"}, "x" * 10_000)) <= 300


def test_a_schema_that_refers_to_itself_is_bounded_by_the_value():
    schema = {"properties": {"a": {"$ref": "#"}}, "additionalProperties": False}
    assert SCHEMAS.violation(schema, deep(100)) is None
    assert SCHEMAS.violation(schema, {"a": {"b": 1}}) is not None
