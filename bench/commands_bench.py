"""Whole commands as a user starts them, in CPU seconds: the median of several runs beside the bar.

    python bench/commands_bench.py [RUNS]

`check` reads a stack of 10,000 lines, `plan` one of 1,000 resources that are all in place.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
BARS = {"--help": 0.08, "plan --help": 0.08, "check, 10,000 lines": 1.5, "plan, 1,000 unchanged": 3.0}


def spent(folder: Path, *words: str) -> float:
    """Return the CPU seconds (user and system) of one command and all it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "dirigent", *words], cwd=folder, stdout=subprocess.DEVNULL, check=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def files_stack(count: int) -> str:
    """Return a stack of so many files in one directory, ten lines each."""
    entries = [
        f"""\
  file-{number}:
    type: file
    with:
      path: ${{ $resources.folder.path + "/{number}.txt" }}
      mode: "0640"
      content: |
        This is file {number}.
        It stands here so that the file has ten lines,
        and says nothing else.

"""
        for number in range(count)
    ]
    head = "stack: many\nresources:\n  folder:\n    type: directory\n    with: {path: out}\n"
    return head + "".join(entries)


def measure(name: str, folder: Path, *words: str) -> None:
    """Print the median of a command beside its bar."""
    figures = sorted(spent(folder, *words) for _ in range(RUNS))
    middle = statistics.median(figures)
    print(f"{name:24} {middle:6.3f} s   ({figures[0]:.3f} to {figures[-1]:.3f}, bar {BARS[name]:g} s)")


def main() -> None:
    """Measure every command of `BARS`."""
    with tempfile.TemporaryDirectory(prefix="dirigent-bench-") as name:
        folder = Path(name)
        (folder / "stack.yaml").write_text(files_stack(1000), encoding="utf-8")
        print(f"{RUNS} runs each, CPU seconds, Python {sys.version.split()[0]}, {os.cpu_count()} processors")
        measure("--help", folder, "--help")
        measure("plan --help", folder, "plan", "--help")
        measure("check, 10,000 lines", folder, "check")
        spent(folder, "up", "--yes")
        measure("plan, 1,000 unchanged", folder, "plan")


if __name__ == "__main__":
    main()
