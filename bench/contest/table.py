"""The results as Markdown: who took part, and one table for each workload. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from contest.results import Results

NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its head, the figure under it, and how many digits after the point."""

    head: str
    figure: str
    digits: int = 0
    factor: float = 1


STATE = (Column("flush ms", "flush_ms", 2), Column("others' CPU %", "cpu_of_others", 0, 100))
RATE = (
    Column("steps/s", "steps_per_s"),
    Column("CPU s per 1,000", "cpu_s_per_1000", 3),
    Column("p50 ms", "step_p50_ms", 2),
    Column("p99 ms", "step_p99_ms", 2),
    Column("peak MiB", "peak_pss_mib"),
    *STATE,
)
WORKLOADS: dict[str, tuple[str, tuple[Column, ...]]] = {
    "A": (
        "one run of steps one after the other",
        (*RATE[:4], Column("of SQLite's commits %", "share_of_commits", 0, 100), *STATE),
    ),
    "B": ("many runs of 10 steps, 100 at a time", RATE),
    "C": ("one run that forks and joins", (*RATE[:2], Column("peak MiB", "peak_pss_mib"), *STATE)),
    "D": (
        "runs that sleep an hour",
        (
            Column("starts/s", "starts_per_s"),
            Column("KiB each", "kib_each", 2),
            Column("MiB before", "base_pss_mib"),
            Column("MiB asleep", "pss_mib"),
            Column("CPU s per 1,000", "cpu_s_per_1000", 3),
            STATE[0],
        ),
    ),
    "E": (
        "kill -9 in the middle of B",
        (
            Column("all finished after s", "recovered_s", 2),
            Column("killed at step", "killed_at"),
            Column("steps lost", "lost"),
            Column("executed twice", "again"),
            Column("peak MiB", "peak_pss_mib"),
            STATE[0],
        ),
    ),
    "F": (
        "from the start of the command to the result of one step",
        (Column("s", "cold_s", 2), Column("CPU s", "cpu_s", 2), STATE[0]),
    ),
}


def shown(value: float | None, digits: int = 0) -> str:
    """Return a figure for people: thousands parted, a dash where there is none."""
    return NOTHING if value is None else f"{value:,.{digits}f}"


def tables(results: Results) -> str:
    """Return all that was measured, as Markdown."""
    session, machine = results.session, results.machine
    head = (
        f"Measured {session['begun']} at commit `{session['commit']}`: {machine['processors']} processors "
        f"({machine['processor']}), {machine['memory_gib']} GiB, {machine['filesystem']}, "
        f"Python {machine['python']}, SQLite {machine['sqlite']}. "
        f"Medians of up to {session['repeat']} rounds.\n"
    )
    parts = [head, _engines(results), *(_workload(results, letter) for letter in WORKLOADS)]
    return "\n".join(part for part in parts if part)


def _engines(results: Results) -> str:
    lines = ["| engine | what it is | as shipped | versions |", "|---|---|---|---|"]
    for name, row in results.engines.items():
        versions = row["versions"]
        pins = ", ".join(map(str, versions)) if isinstance(versions, list) else ""
        flushed = "" if row["strict"] else " (not flushed step by step)"
        shown_name = f"**{name}**" if row["ours"] else name
        shipped = f"{row['durability']}{flushed}"
        lines.append(f"| {shown_name} | {row['about']} | {shipped} | {pins or 'this commit'} |")
    return "\n".join(lines) + "\n"


def _workload(results: Results, letter: str) -> str:
    title, columns = WORKLOADS[letter]
    rows = [name for name in results.engines if results.cell(name, letter)]
    if not rows:
        return ""
    heads = ["engine", "size", *(column.head for column in columns), "rounds"]
    lines = [f"### {letter}: {title}\n", f"| {' | '.join(heads)} |", "|---|---|" + "---:|" * (len(heads) - 2)]
    lines += [_row(results, name, letter, columns) for name in rows]
    return "\n".join(lines) + "\n"


def _row(results: Results, name: str, letter: str, columns: tuple[Column, ...]) -> str:
    cell, ours = results.cell(name, letter), results.engines[name]["ours"]
    title = f"**{name}**" if ours else name
    if "error" in cell:
        reason = " ".join(str(cell["error"]).replace("|", "/").replace("`", "'").split())[:160]
        return f"| {title} | failed: {reason} |" + " |" * (len(columns) + 1)
    size, rounds = cell["size"], cell["rounds"]
    if not isinstance(size, list) or not isinstance(rounds, list):
        raise TypeError(f"{name} {letter} is damaged")
    figures = []
    for column in columns:
        value = results.figure(name, letter, column.figure)
        figures.append(shown(None if value is None else value * column.factor, column.digits))
    return f"| {title} | {_size(letter, size)} | {' | '.join(figures)} | {len(rounds)} |"


def _size(letter: str, size: list[int]) -> str:
    runs, steps, at_once = size
    match letter:
        case "A":
            return f"{steps:,} steps"
        case "B" | "E":
            return f"{runs:,} x {steps}, {at_once:,} at a time"
        case "C":
            return f"1 → {runs:,}"
        case "D":
            return f"{runs:,} runs"
        case _:
            return "1 step"
