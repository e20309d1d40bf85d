"""What this machine is and what it can do just now: its processors, its disk's flush, its other guests."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

PROBES = 60
COMMITS = 1000
PAGE_BYTES = 4096
TICKS = os.sysconf("SC_CLK_TCK")
# An event of about a kilobyte, as a step of a real workflow might leave one.
ROW = json.dumps(
    {"step": "resize-image", "attempt": 1, "output": {"rows": list(range(40)), "text": "y" * 760}}
)


@dataclass(frozen=True, slots=True)
class Ticks:
    """Processor time since boot, in clock ticks: all of it, and what was idle."""

    total: int
    idle: int


def ticks() -> Ticks:
    """Return the processor time of the whole machine."""
    words = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
    values = [int(word) for word in words[1:9]]
    return Ticks(sum(values), values[3] + values[4])


def used_seconds(before: Ticks, after: Ticks) -> tuple[float, float]:
    """Return the processor seconds that there were between two readings, and those that were used."""
    total = (after.total - before.total) / TICKS
    return total, total - (after.idle - before.idle) / TICKS


def quiet(share: float, seconds: float) -> float:
    """Wait until less than `share` of the processors is used, at most so many seconds; return the share."""
    until = time.monotonic() + seconds
    while True:
        before = ticks()
        time.sleep(0.3)
        total, used = used_seconds(before, ticks())
        busy = used / max(total, 1 / TICKS)
        if busy < share or time.monotonic() > until:
            return round(busy, 2)


def flush_milliseconds(folder: Path) -> float:
    """Return the median latency of fdatasync on 4 KiB in a file that has its blocks already."""
    path = folder / "flush.probe"
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.posix_fallocate(number, 0, PAGE_BYTES * PROBES)
        os.fsync(number)
        found = []
        for probe in range(PROBES):
            os.pwrite(number, b"x" * PAGE_BYTES, probe * PAGE_BYTES)
            began = time.perf_counter()
            os.fdatasync(number)
            found.append((time.perf_counter() - began) * 1000)
    finally:
        os.close(number)
        path.unlink()
    return round(statistics.median(found), 3)


def commits_per_second(folder: Path, commits: int = COMMITS) -> float:
    """Return how many single rows of a kilobyte SQLite commits (WAL, FULL, key of run and number)."""
    path = folder / "commits.probe"
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.execute(
            "create table event(run blob, seq integer, body blob, primary key(run, seq)) without rowid"
        )
        body = ROW.encode()
        spent = 0.0
        for number in range(commits):
            run = (number % 97).to_bytes(16, "big")
            began = time.perf_counter()
            connection.execute("insert into event values(?, ?, ?)", (run, number, body))
            spent += time.perf_counter() - began
    finally:
        connection.close()
        for leftover in folder.glob("commits.probe*"):
            leftover.unlink()
    return round(commits / spent, 1)


def filesystem(folder: Path) -> str:
    """Return the type of the file system under a folder, `tmpfs` where nothing is ever flushed."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    there = folder.resolve()
    over = [(Path(words[1]), words[2]) for words in mounts]
    holding = [(len(place.parts), kind) for place, kind in over if there.is_relative_to(place)]
    return max(holding)[1] if holding else "unknown"


def described(folder: Path) -> dict[str, str | float]:
    """Return what this machine is."""
    memory = int(Path("/proc/meminfo").read_text(encoding="ascii").split()[1])
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processors": os.cpu_count() or 0,
        "processor": models[0] if models else platform.machine(),
        "memory_gib": round(memory / 2**20, 1),
        "kernel": platform.release(),
        "filesystem": filesystem(folder),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
