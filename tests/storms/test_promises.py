"""The page of guarantees is true: what it names exists, and what it claims stands in a record."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guarantees.md"
CAMPAIGNS = ROOT / "docs" / "campaigns"
NAMED = re.compile(r"`(tests/[\w/]+(?:\.py)?)(?:::(\w+))?`")
RECORD = re.compile(r"\]\(campaigns/([\w-]+\.json)\)")
FIGURE = re.compile(r"\d{1,3}(?:,\d{3})+|\d+")
PROMISES = 17
OURS = ("kills", "powercut", "faults")


def lacking(text):
    """Return what a page names that is not there."""
    return [
        f"{path}::{test}"
        for path, test in NAMED.findall(text)
        if not (ROOT / path).exists() or (test and f"def {test}(" not in (ROOT / path).read_text())
    ]


def figures(record):
    """Return every number in a record."""
    match record:
        case dict():
            return {each for key, value in record.items() for each in figures(value) | figures(str(key))}
        case list():
            return {each for value in record for each in figures(value)}
        case str():
            return set(FIGURE.findall(record))
        case _:
            return {f"{record:,}"} | {str(record)}


def unproved(text):
    """Return the figures of a page that do not stand in the record which their line names."""
    found = []
    for line in text.splitlines():
        for name in RECORD.findall(line):
            path = CAMPAIGNS / name
            if not path.exists():
                found.append(f"there is no record {name}")
                continue
            known = figures(json.loads(path.read_text()))
            claimed = set(FIGURE.findall(line.partition("[Record]")[0]))
            found += [f"{figure} is not in {name}" for figure in sorted(claimed - known)]
    return found


def test_everything_that_the_page_names_exists():
    assert lacking(PAGE.read_text()) == []


def test_every_figure_beside_a_record_stands_in_it():
    text = PAGE.read_text()
    assert unproved(text) == []
    assert {f"{name}.json" for name in OURS} <= set(RECORD.findall(text))


@pytest.mark.parametrize("name", OURS)
def test_a_record_says_how_it_was_made_and_what_came_of_it(name):
    record = json.loads((CAMPAIGNS / f"{name}.json").read_text())
    assert record["command"].startswith(f"make campaign NAME={name} ")
    assert {"commit", "date", "machine", "seconds", "cpu_seconds", "result"} <= record.keys()
    controls = [value for key, value in record["result"].items() if key.startswith("control")]
    assert controls


def test_every_promise_has_its_line():
    rows = re.findall(r"^\| (\d+) \|", PAGE.read_text(), re.MULTILINE)
    assert rows == [str(number + 1) for number in range(PROMISES)]


def test_a_page_that_claims_too_much_is_found_out():
    assert lacking("`tests/storms/test_kills.py::test_that_nobody_wrote` `tests/nowhere.py`") == [
        "tests/storms/test_kills.py::test_that_nobody_wrote",
        "tests/nowhere.py::",
    ]
    assert unproved("987,654 kills, 0 lost. [Record](campaigns/kills.json)") == [
        "987,654 is not in kills.json"
    ]
    assert unproved("[Record](campaigns/nothing.json)") == ["there is no record nothing.json"]
