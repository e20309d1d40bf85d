"""Checks of a stack file: what they may say, what they see, and every problem in its place."""

from __future__ import annotations

import pytest

from dirigent.app.resources import TYPES
from dirigent.model.problem import Refusal
from dirigent.service.stacks import load_stack

HEAD = """stack: demo
inputs: {n: {type: integer, default: 1}}
secrets: {pay: {env: PAY}}
resources:
  web: {type: file, with: {path: a, content: b}}
"""


@pytest.fixture
def read(tmp_path):
    def reading(text):
        (tmp_path / "stack.yaml").write_text(HEAD + text)
        return load_stack(tmp_path / "stack.yaml", TYPES)

    return reading


def own(part, check, more=""):
    """A resource with one check, which begins on line 10."""
    head = f"  db:\n    type: file\n    {more}\n    with: {{path: c, content: d}}\n"
    return f"{head}    checks: {{{part}: [{check}]}}\n"


def test_checks_of_a_resource_are_read_in_their_order(read):
    stack = read(
        "  db:\n    type: file\n    with: {path: c, content: d}\n    checks:\n      before:\n"
        "        - that: ${ $inputs.n > 0 }\n          message: none\n"
        "      after:\n"
        "        - that: ${ $self.bytes > $resources.web.bytes }\n"
        "          message: '${ \"only \\($self.bytes)\" }'\n          on-failure: warn\n"
    ).stack
    first, second = stack.resources["db"].checks
    assert (first.that.text, first.message, first.before, first.warns) == (
        "$inputs.n > 0",
        "none",
        True,
        False,
    )
    assert (second.that.text, second.before, second.warns) == (
        "$self.bytes > $resources.web.bytes",
        False,
        True,
    )
    assert second.message.text == '"only \\($self.bytes)"'
    assert (first.that.span.line, first.that.span.column) == (11, 20)


def test_checks_of_the_stack_have_names_and_only_warn(read):
    (check,) = read(
        "checks:\n  there: {that: '${ $resources.web.path != null }', message: gone}\n"
    ).stack.checks
    assert (check.name, check.warns, check.message) == ("there", True, "gone")


def test_each_is_seen_where_there_is_one(read):
    check = "{that: '${ $each.key > 0 and $self.bytes > 0 }', message: no}"
    assert read(own("after", check, "count: 2")).stack.resources["db"].checks


@pytest.mark.parametrize(
    ("part", "check", "code"),
    [
        ("before", "{that: '${ $self.bytes > 0 }', message: no}", "E1436"),
        ("after", "{that: '${ $self.bytes > 0 }', message: no, on-failure: stopp}", "E1206"),
        ("after", "{that: '${ $self.bytes > 0 }'}", "E1202"),
        ("after", "{message: no}", "E1202"),
        ("after", "{that: true, message: no}", "E1201"),
        ("after", "{that: '$self.bytes > 0', message: no}", "E1210"),
        ("after", "{that: '${ $self. > }', message: no}", "E1301"),
        ("after", "{that: '${ $secrets.pay == $self.path }', message: no}", "E1411"),
        ("after", "{that: '${ $each.key > 0 }', message: no}", "E1408"),
        ("after", "{that: '${ $resources.db.bytes > 0 }', message: no}", "E1406"),
        ("after", "{that: '${ $resources.wbe.bytes > 0 }', message: no}", "E1401"),
        ("after", "{that: '${ $self.bytes > 0 }', message: [no]}", "E1201"),
        ("afterwards", "{that: '${ $inputs.n > 0 }', message: no}", "E1203"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(read, part, check, code):
    with pytest.raises(Refusal) as refused:
        read(own(part, check))
    problem = next(each for each in refused.value.problems if each.code == code)
    assert problem.at.line == 10


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("outputs: {x: '${ $self.bytes }'}\n", "E1436"),
        ("checks: {up: {that: '${ $self.bytes > 0 }', message: no}}\n", "E1436"),
        ("checks: {up: {that: '${ $resources.db.bytes > 0 }', message: no}}\n", "E1401"),
        ("checks: {Up: {that: '${ $inputs.n > 0 }', message: no}}\n", "E1211"),
        ("checks: {up: {that: '${ $inputs.n > 0 }', message: no, on-failure: stop}}\n", "E1203"),
        ("checks: [1]\n", "E1201"),
    ],
)
def test_what_is_wrong_elsewhere_is_said_too(read, text, code):
    with pytest.raises(Refusal) as refused:
        read(text)
    assert code in [each.code for each in refused.value.problems]


def test_a_module_has_its_checks_in_its_own_file(read, tmp_path):
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "stack.yaml").write_text(
        "stack: net\ninputs: {n: {type: integer}}\n"
        "checks: {small: {that: '${ $inputs.n < 9 }', message: large}}\n"
    )
    module = "  net: {type: stack, with: {from: ./net, inputs: {n: 3}}}\n"
    assert read(module).stack.modules["net"].stack.checks[0].name == "small"
    with pytest.raises(Refusal, match="E1203"):
        read(module.replace("}}}", "}}, checks: {before: [{that: '${ $inputs.n > 0 }', message: no}]}}"))


def test_a_condition_that_looks_at_nothing_is_warned_of(read):
    (warning,) = read(own("after", "{that: '${ 1 > 0 }', message: no}")).warnings
    assert (warning.code, warning.at.line) == ("W1436", 10)
