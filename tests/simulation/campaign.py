"""Play many seeds; `python -m simulation.campaign --until 1000000` goes on where it ended.

The record is JSON, written after every part: one stretch for each stay (seeds, date, commit, version, CPU
seconds, broken seeds), and all that was tried. Beside it lies the same for people.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from dirigent import __version__
from simulation.coverage import Coverage
from simulation.play import Failure, chunk

ROOT = Path(__file__).resolve().parents[2]
RECORD = ROOT / "docs" / "campaigns" / "simulation.json"
PART = 1_000


def main():
    """Play parts until the last seed, and return 1 when one of them broke a law."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--until", type=int, default=1_000_000)
    asked.add_argument("--record", type=Path, default=RECORD)
    given = asked.parse_args()
    record = read(given.record)
    stretch = stretch_from(record)
    while stretch["until"] < given.until:
        first, spent = stretch["until"], sum(os.times()[:2])
        last = min(first + PART, given.until)
        coverage, failures = chunk(first, last)
        stretch["until"] = last
        stretch["cpu_seconds"] = round(stretch["cpu_seconds"] + sum(os.times()[:2]) - spent, 1)
        stretch["broken"] += [asdict(each) for each in failures if isinstance(each, Failure)]
        known = Coverage.from_value(record["coverage"])
        known.add(coverage)
        record["coverage"] = known.as_value()
        write(given.record, record)
        print(f"{last:,} of {given.until:,}, {len(stretch['broken'])} broken", flush=True)
    return 1 if any(stretch["broken"] for stretch in record["stretches"]) else 0


def read(path):
    """The record so far, or an empty one."""
    if path.is_file():
        return json.loads(path.read_text())
    return {"stretches": [], "coverage": Coverage().as_value()}


def stretch_from(record):
    """Begin a stretch where the last one ended."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    first = record["stretches"][-1]["until"] if record["stretches"] else 0
    stretch = {
        "from": first,
        "until": first,
        "date": datetime.now(UTC).date().isoformat(),
        "commit": commit,
        "version": __version__,
        "cpu_seconds": 0.0,
        "broken": [],
    }
    record["stretches"].append(stretch)
    return stretch


def write(path, record):
    """Write both forms, each in one piece."""
    path.parent.mkdir(parents=True, exist_ok=True)
    replaced(path, json.dumps(record, indent=1) + "\n")
    replaced(path.with_suffix(".md"), "\n".join(lines_of(record)) + "\n")


def replaced(path, text):
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


def lines_of(record):
    """The record for people."""
    coverage = Coverage.from_value(record["coverage"])
    yield "# Campaign of the simulation"
    yield ""
    yield "| seeds | date | commit | version | CPU seconds | broken seeds |"
    yield "|---|---|---|---|---|---|"
    for each in record["stretches"]:
        seeds = f"{each['from']:,} to {each['until'] - 1:,}"
        broken = ", ".join(str(failure["seed"]) for failure in each["broken"]) or "none"
        cells = (seeds, each["date"], each["commit"], each["version"], each["cpu_seconds"], broken)
        yield "| " + " | ".join(map(str, cells)) + " |"
    yield ""
    yield from (line + "\n" for line in coverage.lines())


if __name__ == "__main__":
    sys.exit(main())
