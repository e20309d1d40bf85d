"""The page of rulings names a test for each, and the test is there."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "open-workflow" / "interpretation.md"
ROWS = {
    row.split("|")[1].strip(): [cell.strip() for cell in row.strip().strip("|").split("|")]
    for row in PAGE.read_text().splitlines()
    if re.match(r"\| Q\d+ \|", row)
}


def shown_by(cell):
    """The files, functions and cases that a row names."""
    found = re.findall(r"`([^`]+)`(?:: ((?:\*[^*]+\*(?:, )?)+))?", cell)
    return [(path, re.findall(r"\*([^*]+)\*", titles)) for path, titles in found]


def test_every_point_of_the_register_has_a_ruling():
    assert list(ROWS) == [f"Q{number}" for number in range(1, 31)]
    assert all(len(cells) == 4 and all(cells) for cells in ROWS.values())


@pytest.mark.parametrize("point", ROWS)
def test_what_shows_a_ruling_is_there(point):
    cell = ROWS[point][3]
    if cell.startswith("comes with"):
        return
    named = shown_by(cell)
    assert named, cell
    for path, titles in named:
        file, _, function = path.partition("::")
        folder = TESTS / "conformance" if file.startswith("semantics/") else TESTS
        text = (folder / file).read_text()
        assert not function or f"def {function}(" in text, path
        for title in titles:
            assert f"\n# {title}\n" in f"\n{text}", f"{file}: {title}"


def test_a_title_that_is_nowhere_would_be_noticed():
    """A control: the page names titles, and they are looked for as whole lines."""
    (named,) = shown_by("`semantics/flow.yaml`: *exit in a for ends the loop*")
    assert named == ("semantics/flow.yaml", ["exit in a for ends the loop"])
    text = (TESTS / "conformance" / named[0]).read_text()
    assert "\n# exit in a for ends the loo\n" not in text
