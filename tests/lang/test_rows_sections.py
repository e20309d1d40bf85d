"""The sections `moved`, `forget` and `import`: what they may say, and every problem in its place."""

from __future__ import annotations

import pytest

from dirigent.app.resources import TYPES
from dirigent.model.problem import Refusal
from dirigent.model.stack import Adoption, Move, Release
from dirigent.model.values import Expression
from dirigent.service.stacks import load_stack

HEAD = """stack: demo
inputs: {ids: {type: object, default: {a: x}}}
resources:
  web: {type: file, with: {path: a, content: b}}
  many: {type: file, each: [a], with: {path: '${ $each.key }', content: b}}
"""


@pytest.fixture
def read(tmp_path):
    def reading(text):
        (tmp_path / "stack.yaml").write_text(HEAD + text)
        return load_stack(tmp_path / "stack.yaml", TYPES).stack

    return reading


def plain(entries):
    return [
        type(entry)(*(getattr(entry, name) for name in entry.__slots__ if name != "span"))
        for entry in entries
    ]


def test_all_three_are_read(read):
    stack = read(
        "moved: [{from: old, to: web}, {from: 'gone[0]', to: 'many[\"a\"]'}]\n"
        "forget: [{resource: former}, {resource: 'web#deposed'}]\n"
        "import: [{to: web, id: x}, {to: many, each: '${ $inputs.ids }', id: '${ $each.value }'}]\n"
    )
    assert plain(stack.moved) == [Move("old", "web"), Move("gone[0]", 'many["a"]')]
    assert plain(stack.released) == [Release("former"), Release("web#deposed")]
    first, second = stack.imports
    assert (first.to, first.id, first.each) == ("web", "x", None)
    assert isinstance(second, Adoption)
    assert (second.id, second.each) == (Expression("$each.value", second.id.span), second.each)


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("moved: [{from: web, to: site}]\n", "E1430", 6),
        ("moved:\n- {from: a, to: b}\n- {from: a, to: c}\n", "E1431", 8),
        ("moved:\n- {from: a, to: c}\n- {from: b, to: c}\n", "E1431", 8),
        ("moved:\n- {from: a, to: b}\n- {from: b, to: a}\n", "E1432", 7),
        ("moved: [{from: a, to: a}]\n", "E1432", 6),
        ("forget: [{resource: web}]\n", "E1433", 6),
        ("import: [{to: wbe, id: x}]\n", "E1434", 6),
        ("import: [{to: 'many[\"a\"]', each: [a], id: x}]\n", "E1434", 6),
        ("import: [{to: web, id: '${ $resources.many.a.path }'}]\n", "E1435", 6),
        ("import: [{to: web, id: '${ $each.key }'}]\n", "E1408", 6),
        ("moved: [{from: 'web[', to: b}]\n", "E1205", 6),
        ("moved: [{from: a}]\n", "E1202", 6),
        ("forget: [web]\n", "E1201", 6),
    ],
)
def test_what_makes_no_sense_is_reported_at_its_place(read, text, code, line):
    with pytest.raises(Refusal) as caught:
        read(text)
    problem = caught.value.problems[0]
    assert (problem.code, problem.at.line) == (code, line), problem


def test_a_circle_is_told_once(read):
    with pytest.raises(Refusal) as caught:
        read("moved: [{from: a, to: b}, {from: b, to: c}, {from: c, to: a}, {from: x, to: a}]\n")
    assert sorted(problem.code for problem in caught.value.problems) == ["E1431", "E1432"]
