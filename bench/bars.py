"""Compare measured results with what issue 3 asks for: `python bench/bars.py [FILE]`.

Prints for each bar whether it is reached and by which ratio (1 and more is reached). Never a test: figures
depend on the machine. Ends with 1 when a bar that was measured is not reached.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from contest.results import Results

RESULTS = Path(__file__).resolve().parent / "results.json"
FLUSH_MS = 1.0
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """One bar. `value` None: not measured. `target` None: there is nothing to compare with."""

    text: str
    value: float | None
    target: float | None
    less: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Return how far the value reaches: 1 is the bar, more is better."""
        if self.value is None or self.target is None:
            return None
        if not self.less:
            return self.value / self.target if self.target else None
        if self.value <= self.target:
            return self.target / self.value if self.value > 0 and self.target else 1.0
        return self.target / self.value

    @property
    def reached(self) -> bool | None:
        """Return whether it is reached, None when nobody knows."""
        return None if self.ratio is None else self.ratio >= 1


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure that must be at least, or with `less` at most, a fixed value."""

    name: str
    letter: str
    figure: str
    target: float
    text: str
    less: bool = False
    where_quick: bool = False

    def outcome(self, results: Results) -> Outcome:
        """Return what came of it; `where_quick` bars count where a flush takes under a millisecond."""
        flush = results.figure(self.name, self.letter, "flush_ms")
        slow = self.where_quick and flush is not None and flush >= FLUSH_MS
        note = f"a flush took {flush:g} ms, the bar is for under {FLUSH_MS:g}" if slow else ""
        value = results.figure(self.name, self.letter, self.figure)
        text = f"{self.letter} {self.name}: {self.text}"
        return Outcome(text, value, self.target, self.less, note)


DURABLE = ("dirigent", "dirigent-postgres")
FIXED = (
    Bar("dirigent", "A", "share_of_commits", 0.85, "share of SQLite's single-row commits"),
    Bar("dirigent-pipelined", "A", "steps_per_s", 5000, "idempotent steps a second"),
    *(Bar(name, "B", "steps_per_s", 15_000, "steps a second", where_quick=True) for name in DURABLE),
    Bar("dirigent-python", "B", "steps_per_s", 10_000, "steps a second", where_quick=True),
    *(
        Bar(name, "B", "step_p99_ms", 20, "p99 of a step, ms", less=True, where_quick=True)
        for name in DURABLE
    ),
    *(Bar(name, "B", "cpu_s_per_1000", 0.08, "CPU s per 1,000 steps", less=True) for name in DURABLE),
    Bar("dirigent", "C", "steps_per_s", 10_000, "steps a second"),
    Bar("dirigent", "E", "peak_pss_mib", 60, "MiB with 1,000 live runs", less=True),
    Bar("dirigent", "D", "starts_per_s", 10_000, "starts a second"),
    Bar("dirigent", "D", "kib_each", 0.5, "KiB a sleeping run", less=True),
    Bar("dirigent", "E", "recovered_s", 2, "s until all has finished", less=True),
    Bar("dirigent-postgres", "E", "recovered_s", 6, "s until all is taken over and has finished", less=True),
    *(Bar(name, "E", "lost", 0, "steps lost", less=True) for name in DURABLE),
    Bar("dirigent-keyed", "E", "lost", 0, "steps lost", less=True),
    Bar("dirigent-keyed", "E", "again", 0, "keyed steps executed twice", less=True),
    Bar("dirigent", "F", "cold_s", 0.25, "s from nothing to a result", less=True),
)


def best_peer(results: Results, letter: str) -> tuple[str, float] | None:
    """Return the fastest peer that flushes each step, and its steps a second."""
    found = [
        (name, value)
        for name, row in results.engines.items()
        if row["strict"] and not row["ours"] and (value := results.figure(name, letter, "steps_per_s"))
    ]
    return max(found, key=lambda pair: pair[1]) if found else None


def against_peers(results: Results) -> Iterator[Outcome]:
    """Yield the bars that are relative to the peers of the same session."""
    for letter, factor, name in (("A", 1, "dirigent"), ("B", 8, "dirigent"), ("B", 8, "dirigent-postgres")):
        peer = best_peer(results, letter)
        text = f"{letter} {name}: {factor} x the fastest peer that flushes each step"
        value = results.figure(name, letter, "steps_per_s")
        yield Outcome(f"{text} ({peer[0]})" if peer else text, value, factor * peer[1] if peer else None)


def million(results: Results) -> Iterator[Outcome]:
    """Yield the bar for a million sleeping runs, which only `--million` measures."""
    runs, before = (results.figure("dirigent", "D", figure) for figure in ("runs", "base_pss_mib"))
    after = results.figure("dirigent", "D", "pss_mib")
    whole = runs is not None and runs >= MILLION and before is not None and after is not None
    yield Outcome(
        "D dirigent: MiB for 1,000,000 sleeping runs", after - before if whole else None, 200, less=True
    )


SOURCES: tuple[Callable[[Results], Iterator[Outcome]], ...] = (
    lambda results: (bar.outcome(results) for bar in FIXED),
    against_peers,
    million,
)


def outcomes(results: Results) -> list[Outcome]:
    """Return what came of every bar."""
    return [outcome for source in SOURCES for outcome in source(results)]


def line(outcome: Outcome) -> str:
    """Return an outcome on one line."""
    words = {True: "reached", False: "NOT REACHED", None: "not measured"}[outcome.reached]
    if outcome.ratio is None or outcome.value is None or outcome.target is None:
        return f"{words:12} {'':6}  {outcome.text}"
    sign = "at most" if outcome.less else "at least"
    figures = f"{outcome.value:,.4g}, {sign} {outcome.target:,.4g}"
    note = f" ({outcome.note})" if outcome.note else ""
    return f"{words:12} {outcome.ratio:6.2f}  {outcome.text}: {figures}{note}"


def main() -> None:
    """Print every bar."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS
    if not path.exists():
        sys.exit(f"there is no {path}: `make bench` writes it")
    found = outcomes(Results.read(path))
    for outcome in found:
        print(line(outcome))
    missed = sum(outcome.reached is False for outcome in found)
    unknown = sum(outcome.reached is None for outcome in found)
    print(
        f"{len(found) - missed - unknown} of {len(found)} bars reached, {missed} not, {unknown} not measured"
    )
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
