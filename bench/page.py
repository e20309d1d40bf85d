"""Put the results into the documentation: `python bench/page.py` writes the tables and the drawing.

The tables stand in `docs/performance.md` between two marks; a test compares the page with the results.
"""

from __future__ import annotations

import sys
from pathlib import Path

from contest.plot import drawn
from contest.results import Results
from contest.table import tables

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "performance.md"
DRAWING = PAGE.with_suffix(".svg")
BEGIN, END = "<!-- measured: bench/page.py -->\n", "<!-- end -->\n"


def with_tables(page: str, found: str) -> str:
    """Return the page with these tables between its marks. Raises `ValueError` when it has no marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no marks {BEGIN.strip()} and {END.strip()}")
    return f"{before}{BEGIN}\n{found}\n{END}{after}"


def measured(results: Results) -> str:
    """Return what stands between the marks: the drawing, then the tables."""
    words = "Steps per second and processor time of Dirigent and its peers"
    return f"![{words}]({DRAWING.name})\n\n{tables(results)}"


def main() -> None:
    """Write both."""
    if not RESULTS.exists():
        sys.exit("there is no bench/results.json: `make bench` writes it")
    results = Results.read(RESULTS)
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8"), measured(results)), encoding="utf-8")
    DRAWING.write_text(drawn(results), encoding="utf-8")
    print(f"wrote {PAGE.name} and {DRAWING.name}")


if __name__ == "__main__":
    main()
