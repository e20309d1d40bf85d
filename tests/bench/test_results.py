"""Results: kept in one step, resumed, shown as tables and bars, and compared with what was aimed at."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from bars import Outcome, best_peer, line, outcomes
from contest.contestants import Contestant, Size
from contest.plot import PANELS, bars_of, decades, drawn
from contest.results import Results
from contest.table import tables
from page import BEGIN, DRAWING, END, PAGE, RESULTS, measured, with_tables
from providing import table as providing
from providing.table import table, with_table

SESSION = {"begun": "2026-11-23 09:00 UTC", "commit": "abc", "repeat": 3}
MACHINE = {
    "processors": 2,
    "processor": "x",
    "memory_gib": 1,
    "filesystem": "ext4",
    "python": "3",
    "sqlite": "3",
}
OURS = Contestant("dirigent", "ours", "flushes", "x.py", ours=True)
FAST = Contestant("fast", "does not flush", "none", "x.py", strict=False, pins=("fast==1",))
FIRM = Contestant("firm", "flushes", "full", "x.py", pins=("firm==2",))
SIZE = Size(1000, 10, 100)


def speed(rate, **more):
    return {"steps_per_s": rate, "cpu_s_per_1000": 0.05, "flush_ms": 0.2, **more}


@pytest.fixture
def results(tmp_path):
    results = Results(tmp_path / "deep" / "results.json", dict(SESSION), dict(MACHINE))
    for each in (OURS, FAST, FIRM):
        results.enter(each)
    results.put(OURS, "B", SIZE, [speed(20_000.0), speed(30_000.0), speed(10_000.0)])
    results.put(FAST, "B", SIZE, [speed(90_000.0)])
    results.put(FIRM, "B", SIZE, [speed(2_000.0)])
    return results


def test_what_was_written_is_read_again(results):
    results.write()
    again = Results.read(results.path)
    assert (again.session, again.engines) == (results.session, results.engines)
    assert [path.name for path in results.path.parent.iterdir()] == ["results.json"]


def test_a_file_of_another_format_is_refused(tmp_path):
    (tmp_path / "r.json").write_text('{"format": 99}')
    with pytest.raises(ValueError, match="measure anew"):
        Results.read(tmp_path / "r.json")


def test_the_median_counts_and_every_round_is_kept(results):
    assert results.figure("dirigent", "B", "steps_per_s") == 20_000
    assert len(results.cell("dirigent", "B")["rounds"]) == 3


def test_only_what_was_measured_at_this_size_is_done(results):
    assert results.done(OURS, "B", SIZE)
    assert not results.done(OURS, "B", Size(10, 10, 10))
    assert not results.done(OURS, "A", SIZE)
    results.refuse(FIRM, "B", "it broke")
    assert not results.done(FIRM, "B", SIZE)


def test_a_failure_stands_in_the_table_with_its_reason(results):
    results.refuse(FIRM, "A", "no | such\nthing")
    text = tables(results)
    assert "| firm | failed: no / such thing |" in text
    assert "| **dirigent** | 1,000 x 10, 100 at a time | 20,000 |" in text


def test_every_row_of_a_table_has_the_columns_of_its_head(results):
    results.refuse(FIRM, "B", "it broke")
    for block in tables(results).split("\n\n"):
        rows = [row for row in block.splitlines() if row.startswith("|")]
        assert len({row.count("|") for row in rows}) <= 1, block


def test_the_best_peer_is_one_that_flushes_and_is_not_ours(results):
    assert best_peer(results, "B") == ("firm", 2000)
    assert best_peer(results, "A") is None


def test_bars_are_reached_missed_or_not_measured(results):
    by_text = {outcome.text: outcome for outcome in outcomes(results)}
    eight = by_text["B dirigent: 8 x the fastest peer that flushes each step (firm)"]
    assert (eight.reached, eight.ratio) == (True, 20_000 / 16_000)
    assert by_text["B dirigent: CPU s per 1,000 steps"].reached
    assert by_text["A dirigent-pipelined: idempotent steps a second"].reached is None


@pytest.mark.parametrize(
    ("value", "target", "less", "reached"),
    [
        (2, 1, False, True),
        (1, 2, False, False),
        (1, 2, True, True),
        (3, 2, True, False),
        (0, 0, True, True),
        (1, 0, True, False),
    ],
)
def test_a_bar_is_a_floor_or_a_ceiling(value, target, less, reached):
    outcome = Outcome("x", value, target, less)
    assert outcome.reached is reached
    assert ("NOT REACHED" in line(outcome)) is not reached


def test_a_slow_disk_is_said_beside_the_bar(results):
    results.put(OURS, "B", SIZE, [speed(9_000.0, flush_ms=4.0)])
    found = next(each for each in outcomes(results) if each.text == "B dirigent: steps a second")
    assert "a flush took 4 ms" in line(found)


def test_the_drawing_is_well_formed_and_has_a_bar_for_each_figure(results):
    root = ET.fromstring(drawn(results))
    kinds = [each.get("class") for each in root.iter("{http://www.w3.org/2000/svg}rect")]
    panels = [panel for panel in PANELS if bars_of(results, panel)]
    assert kinds.count("ours") == kinds.count("peer") == kinds.count("loose") == len(panels) == 2
    assert "prefers-color-scheme: dark" in drawn(results)


def test_the_best_stands_first_also_where_less_is_better(results):
    results.put(FIRM, "B", SIZE, [speed(2_000.0) | {"cpu_s_per_1000": 0.001}])
    rates, costs = (bars_of(results, PANELS[number]) for number in (1, 2))
    assert [bar.name for bar in rates] == ["fast", "dirigent", "firm"]
    assert costs[0].name == "firm"


@pytest.mark.parametrize(("values", "powers"), [([20, 300], (1, 3)), ([10, 1000], (0, 3)), ([5], (0, 1))])
def test_no_bar_is_empty_and_none_leaves_the_scale(values, powers):
    assert decades(values) == powers


def test_tables_go_between_the_marks_and_nowhere_else():
    page = f"before\n{BEGIN}old\n{END}after\n"
    assert with_tables(page, "new") == f"before\n{BEGIN}\nnew\n{END}after\n"
    with pytest.raises(ValueError, match="no marks"):
        with_tables("nothing", "new")


@pytest.mark.skipif(not RESULTS.exists(), reason="nothing has been measured yet: `make bench`")
def test_the_page_shows_the_results():
    results, page = Results.read(RESULTS), PAGE.read_text()
    assert with_tables(page, measured(results)) == page, "run `python bench/page.py`"
    assert DRAWING.read_text() == drawn(results), "run `python bench/page.py`"


def test_the_page_shows_the_results_of_providers():
    found = table(json.loads(providing.RESULTS.read_text()))
    page = providing.PAGE.read_text()
    assert with_table(page, found) == page, "run `PYTHONPATH=bench python -m providing.table`"


def test_a_table_of_providers_has_a_line_for_each_tool_and_the_highest_memory():
    figures = {"plan": {"cpu": 1.234, "peak": 10.0}, "apply": {"cpu": 2.0, "peak": 20.0}}
    told = {"date": "2026-01-01", "commit": "abc", "cores": 2, "beside": "quiet"}
    found = table({**told, "count 1000 dirigent": figures})
    assert "| 1,000 count, dirigent | 1.23 | 2.00 |  |  |  |  | 20 |" in found


def test_every_workload_of_the_page_is_one_that_there_is():
    rows = [row for row in Path(PAGE).read_text().splitlines() if row[:3] in {f"| {c}" for c in "ABCDEFG"}]
    assert [row[2] for row in rows[:6]] == list("ABCDEF")
