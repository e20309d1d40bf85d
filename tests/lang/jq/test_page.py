"""The user's page says what the code does."""

from pathlib import Path

import pytest

from dirigent.jq import LANGUAGE
from dirigent.jq.names import FORMATS, LOCAL, REFUSED
from dirigent.model import limits
from dirigent.ports import ExpressionFailed

PAGE = (Path(__file__).parents[3] / "docs" / "expressions.md").read_text(encoding="utf-8")
WORDS = set(PAGE.replace("`", " ").replace(",", " ").replace(".", " ").split())


@pytest.mark.parametrize("name", sorted({name.partition("/")[0] for name in LOCAL} | FORMATS | {"now"}))
def test_every_local_function_and_format_is_named(name):
    assert name in WORDS | {word.strip("().;") for word in WORDS}


@pytest.mark.parametrize(
    "name", sorted(set(REFUSED) - {"halt_error", "input_line_number", "get_jq_origin", "get_prog_origin"})
)
def test_every_refusal_is_named(name):
    assert f"`{name}`" in PAGE


@pytest.mark.parametrize(
    "figure",
    [
        limits.EXPRESSION_CHARACTERS,
        limits.EXPRESSION_DEPTH,
        limits.EXPRESSION_STEPS,
        limits.EXPRESSION_RESULT_NODES,
        limits.VALUE_DEPTH,
        limits.PAYLOAD_BYTES,
    ],
)
def test_every_limit_has_its_figure(figure):
    assert f"{figure:,}" in PAGE


def test_the_limits_of_the_worker_have_their_figures():
    assert f"{limits.EXPRESSION_WORKER_SECONDS:g} s, {limits.EXPRESSION_WORKER_BYTES // 2**20} MiB" in PAGE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9007199254740993 + 1", 9007199254740994),
        ("60.0 | tostring", "60"),
        ("30 * 2.0", 60),
        (".a? // 1", 1),
        (".items[].id", [1, 2]),
    ],
)
def test_the_examples_hold(text, expected):
    assert LANGUAGE.compile(text).evaluate({"items": [{"id": 1}, {"id": 2}]}, {}) == expected


def test_the_known_trap_is_a_trap():
    with pytest.raises(ExpressionFailed, match="syntax error"):
        LANGUAGE.compile(".a?// 1")
