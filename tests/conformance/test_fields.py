"""Every field of the published schema is in a document that runs, and refuses what is wrong in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance import kit
from conformance.fields import FREE, GIVEN, fields, page, refusal, suites_of, uses

pytestmark = kit.needed

PAGE = Path(__file__).parents[2] / "docs" / "open-workflow" / "fields.md"


def test_the_schema_was_understood():
    names = list(fields().values())
    assert len(names) == len(set(names)) > 250
    assert {"document.dsl", "callTask(http).with.method", "retryPolicy.jitter.from"} <= set(names)


def test_every_field_is_used_by_a_document_that_runs():
    blank = [name for pointer, name in fields().items() if not suites_of(uses()[pointer])]
    assert [name for name in blank if name not in GIVEN] == []


def test_every_field_refuses_something_at_its_place():
    takes_all = [name for pointer, name in fields().items() if refusal(uses()[pointer]) is None]
    assert [name for name in takes_all if name not in FREE] == []


@pytest.mark.slow
def test_the_page_is_what_the_suites_say(request):
    text = page()
    if request.config.getoption("--rewrite"):
        PAGE.write_text(text)
    assert PAGE.read_text() == text, "write it anew: pytest tests/conformance/test_fields.py --rewrite"
