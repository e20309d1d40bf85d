"""The tables are whole: every kind of task has a shape and a lowering, every misspelt key a suggestion."""

import jsonschema_rs
import pytest

from dirigent.lang.shape import Record, json_schema
from dirigent.lang.workflow import shapes
from dirigent.lang.workflow.document import read_naked
from dirigent.lang.workflow.tasks.kinds import KINDS
from lang.workflow.languages import Brackets

HEAD = "document: {dsl: 1.0.3, namespace: tests, name: case, version: 1.0.0}\n"


def problems_of(text):
    return read_naked(HEAD + text, "flow.yaml", Brackets())[1]


def test_every_kind_of_task_that_has_a_shape_is_lowered():
    assert list(shapes.KINDS) == list(KINDS)


@pytest.mark.parametrize("kind", [kind for kind, shape in shapes.KINDS.items() if isinstance(shape, Record)])
def test_every_kind_of_task_has_the_common_members(kind):
    common = {"if", "input", "output", "export", "timeout", "then", "metadata"}
    assert common < set(shapes.KINDS[kind].fields)
    assert not shapes.KINDS[kind].open


@pytest.mark.parametrize("key", ["if", "input", "output", "export", "timeout", "then", "metadata"])
def test_a_misspelt_common_member_is_told_with_what_was_meant(key):
    wrong = key[:-1] + "xx" if key == "if" else key[:-2] + key[-1] + key[-2]
    (problem,) = problems_of(f"do: [{{a: {{set: {{x: 1}}, {wrong}: y}}}}]\n")
    assert problem.code == "E1203"
    assert key == "if" or f"`{key}`" in problem.label


@pytest.mark.parametrize("key", sorted(shapes.USE.fields))
def test_every_section_of_use_refuses_what_is_neither_map_nor_list(key):
    assert {problem.code for problem in problems_of(f"use: {{{key}: 3}}\ndo: []\n")} == {"E1201"}


def test_an_empty_list_of_tasks_is_a_workflow_that_passes_its_input_on():
    program, problems = read_naked(HEAD + "do: []\n", "flow.yaml", Brackets())
    assert problems == []
    assert program.root.node.tasks == ()


@pytest.mark.parametrize(
    "document",
    [
        {"do": []},
        {"document": {"dsl": "1.0.3", "namespace": "a b", "name": "b", "version": "1.0.0"}, "do": []},
        {"document": {"dsl": "1.0.3", "namespace": "a", "name": "b", "version": "1.0.0"}, "do": [{"a": {}}]},
        {
            "document": {"dsl": "1.0.3", "namespace": "a", "name": "b", "version": "1.0.0"},
            "do": [{"a": {"set": {"x": 1}, "thne": "end"}}],
        },
    ],
)
def test_the_schema_for_editors_refuses_what_the_reader_refuses(document):
    schema = jsonschema_rs.validator_for(json_schema(shapes.DOCUMENT, definitions=shapes.DEFINITIONS))
    assert not schema.is_valid(document)
