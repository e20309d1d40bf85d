"""The worker's own guard holds even for a text that nobody checked before."""

import json

import jq
import pytest

from dirigent.tasks.oracle_worker import Refused, checked, program

LIMITS = {"nodes": 10, "depth": 3, "safe": 2**53 - 1}


def results(text, dot=None, **variables):
    names = sorted(variables)
    return program(jq, text, names).input_text(json.dumps([dot, *(variables[name] for name in names)])).all()


@pytest.mark.parametrize(
    "text",
    [
        "1) | (2",
        "1)|env|(2",
        "1 as $x | 2) , (3",
        "(",
        ")",
        "",
        "# only a comment",
        'import "/etc/passwd" as $d {raw: true}; $d',
        'include "x"; 1',
        "module {}; 1",
        "def f: 1;",
        "$undefined",
        "$__other",
    ],
)
def test_a_text_cannot_escape_its_brackets(text):
    with pytest.raises(ValueError, match="error"):
        program(jq, text, [])


@pytest.mark.parametrize(
    "name",
    [
        "env",
        "halt",
        "halt_error",
        "halt_error(1)",
        "input",
        "inputs",
        "input_filename",
        "debug",
        "debug(1)",
        "stderr",
        "modulemeta",
        "get_search_list",
        "input_line_number",
        "now",
    ],
)
def test_what_looks_outside_is_shadowed(name):
    with pytest.raises(ValueError, match="not available"):
        results(name)


def test_the_environment_is_empty(monkeypatch):
    monkeypatch.setenv("TOKEN", "hidden")
    assert results("$ENV") == [{}]
    assert results("[$ENV.TOKEN]") == [[None]]


def test_a_comment_at_the_end_does_not_swallow_the_bracket():
    assert results("1 # end") == [1]
    assert results("1 # end \\") == [1]


def test_variables_come_with_the_values_and_now_is_one_of_them():
    assert results("[., $a, $b, now]", 1, a=2, b=3, now=4) == [[1, 2, 3, 4]]
    assert results("def now: 5; now", now=4) == [5]


@pytest.mark.parametrize(
    ("values", "expected"), [([], None), ([1], 1), ([None], None), ([1, 2], [1, 2]), ([[]], [])]
)
def test_results_become_one_value(values, expected):
    assert checked(values, **LIMITS) == expected


@pytest.mark.parametrize(
    "values",
    [
        [2**53],
        [[-(2**53)]],
        [{"a": 1e300}],
        [float("inf")],
        [[float("nan")]],
        [list(range(11))],
        list(range(12)),
        [[[[[1]]]]],
    ],
)
def test_what_is_too_large_or_not_exact_is_refused(values):
    with pytest.raises(Refused):
        checked(values, **LIMITS)


def test_an_endless_stream_is_cut():
    with pytest.raises(Refused, match="too many"):
        checked(iter(int, 1), **LIMITS)
