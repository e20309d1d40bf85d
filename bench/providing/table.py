"""The results of `providers_bench.py` as a table: `PYTHONPATH=bench python -m providing.table`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
RESULTS: Final = ROOT / "bench" / "providers.json"
PAGE: Final = ROOT / "docs" / "performance.md"
BEGIN: Final = "<!-- measured: bench/providers_bench.py -->\n"
END: Final = "<!-- end of providers -->\n"
COLUMNS: Final = ("plan", "apply", "no-op plan", "change", "warm change", "destroy")

Figures = Mapping[str, Mapping[str, float]]


def table(results: Mapping[str, Figures | str | int]) -> str:
    """Return the table: a line for each tool, shape and count; CPU seconds, and the highest memory."""
    head = " | ".join(("objects", *COLUMNS, "peak MiB"))
    lines = [f"| {head} |", "|---|" + "---:|" * (len(COLUMNS) + 1)]
    for name, figures in results.items():
        if isinstance(figures, str | int):
            continue
        shape, count, tool = name.split(" ", 2)
        seconds = [f"{figures[each]['cpu']:.2f}" if each in figures else "" for each in COLUMNS]
        peak = max(each.get("peak", 0.0) for each in figures.values())
        lines.append(f"| {' | '.join((f'{int(count):,} {shape}, {tool}', *seconds, f'{peak:.0f}'))} |")
    told = "Measured on {date} at {commit}, {cores} cores ({beside}).".format_map(results)
    return f"{told}\n\n" + "\n".join(lines) + "\n"


def with_table(page: str, found: str) -> str:
    """Return the page with this table between its marks."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{found}\n{END}{after}"


def main() -> None:
    """Write it into the page."""
    found = table(json.loads(RESULTS.read_text()))
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), found), encoding="utf-8")


if __name__ == "__main__":
    main()
