"""The table of constructs says what the front-end does, and the page says what the table says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance import test_examples, test_kit
from conformance.constructs import TABLE, page
from dirigent.jq import LANGUAGE
from dirigent.lang.workflow.document import read_naked

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "open-workflow" / "coverage.md"

# The suites may be absent; how many they hold is known.
SCENARIOS, EXAMPLES = 21, 66


def read(construct):
    return read_naked(json.dumps(construct.document), "fragment.json", LANGUAGE)


def each(rows):
    return pytest.mark.parametrize("construct", rows, ids=[f"{row.section}: {row.name}" for row in rows])


@each([row for row in TABLE if not row.later])
def test_what_is_there_is_read_without_a_complaint(construct):
    _, problems = read(construct)
    assert [str(problem) for problem in problems if problem.severity == "error"] == []


@each([row for row in TABLE if row.later])
def test_what_comes_later_is_refused_by_name(construct):
    program, problems = read(construct)
    assert program is None, "it is there: name the tests that cover it"
    assert {problem.code for problem in problems if problem.severity == "error"} == {"E1204"}


@pytest.mark.parametrize("path", sorted({test for row in TABLE for test in row.tests}))
def test_the_tests_that_cover_it_are_there(path):
    assert (ROOT / "tests" / path).exists()


def test_no_construct_stands_twice():
    names = [(row.section, row.name) for row in TABLE]
    assert len(names) == len(set(names))


def test_the_page_is_what_the_table_says(request):
    kit = (SCENARIOS - len(test_kit.LATER), SCENARIOS)
    text = page(kit, (len(test_examples.NOW), EXAMPLES))
    assert len(test_examples.NOW) == EXAMPLES
    if request.config.getoption("--rewrite"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text, "write it anew: pytest tests/conformance/test_coverage.py --rewrite"
