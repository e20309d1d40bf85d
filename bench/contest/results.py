"""The results file: every round of every contestant, its medians, and what it was measured on.

It is written after each workload, so that a run that is broken off can be resumed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from contest.contestants import Contestant, Size
from contest.figures import Figures, middle

FORMAT = 1
SHOWN_DIGITS = 5
Cell: TypeAlias = dict[str, object]


@dataclass(slots=True)
class Results:
    """What has been measured in one session. `engines` maps a name to its facts and its `work` by letter."""

    path: Path
    session: dict[str, object] = field(default_factory=dict)
    machine: dict[str, object] = field(default_factory=dict)
    engines: dict[str, dict[str, object]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Results:
        """Return what a file holds. Raises `ValueError` for a file of another format."""
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.get("format") != FORMAT:
            raise ValueError(f"{path} has format {found.get('format')}, not {FORMAT}: measure anew")
        return cls(path, found["session"], found["machine"], found["engines"])

    def write(self) -> None:
        """Replace the file in one step."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        content = {
            "format": FORMAT,
            "session": self.session,
            "machine": self.machine,
            "engines": self.engines,
        }
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.replace(self.path)

    def enter(self, contestant: Contestant) -> None:
        """Make room for a contestant, and say again what it is."""
        row = self.engines.setdefault(contestant.name, {"work": {}})
        row |= {
            "about": contestant.about,
            "durability": contestant.durability,
            "strict": contestant.strict,
            "ours": contestant.ours,
            "versions": list(contestant.pins + contestant.node),
        }

    def put(self, contestant: Contestant, workload: str, size: Size, rounds: list[Figures]) -> None:
        """Keep the rounds of one workload."""
        cell: Cell = {
            "size": [size.runs, size.steps, size.at_once],
            "median": short(middle(rounds)),
            "rounds": [short(each) for each in rounds],
        }
        self._work(contestant)[workload] = cell

    def refuse(self, contestant: Contestant, workload: str, reason: str) -> None:
        """Keep why there is nothing."""
        self._work(contestant)[workload] = {"error": reason}

    def done(self, contestant: Contestant, workload: str, size: Size) -> bool:
        """Return whether this was measured already, at this size."""
        cell = self.cell(contestant.name, workload)
        return "rounds" in cell and cell["size"] == [size.runs, size.steps, size.at_once]

    def cell(self, name: str, workload: str) -> Cell:
        """Return what there is of one workload of one contestant; empty where nothing was asked."""
        work = self.engines.get(name, {}).get("work", {})
        cell = work.get(workload, {}) if isinstance(work, dict) else {}
        return cell if isinstance(cell, dict) else {}

    def figure(self, name: str, workload: str, figure: str) -> float | None:
        """Return a median, or None where there is none."""
        median = self.cell(name, workload).get("median")
        value = median.get(figure) if isinstance(median, dict) else None
        return float(value) if isinstance(value, int | float) else None

    def _work(self, contestant: Contestant) -> dict[str, Cell]:
        work = self.engines[contestant.name]["work"]
        if not isinstance(work, dict):
            raise TypeError("the results file is damaged")
        return work


def short(figures: Figures) -> Figures:
    """Return figures with five digits: more would only claim to be exact."""
    return {
        name: value if value is None else float(f"{value:.{SHOWN_DIGITS}g}")
        for name, value in figures.items()
    }
