"""Measure Dirigent and its peers on the same workloads, and write `bench/results.json`.

    python bench/compare.py [--only NAME ...] [--work AB] [--repeat 3] [--resume] [--out FILE]

Each round has a folder and servers of its own, and waits for a quiet machine. What cannot be installed or
fails is in the results with its reason. Written after each workload: `--resume` goes on where it broke off.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from contest import family, machine
from contest.client import Failed
from contest.contestants import MILLION, WORKLOADS, Contestant, Size, chosen
from contest.environments import Environments, NotInstalled
from contest.figures import Figures
from contest.results import Results
from contest.rounds import Ground, held
from contest.servers import NotStarted

HERE = Path(__file__).resolve().parent
OUT = HERE / "results.json"
ASIDE = HERE.parent / "build" / "bench" / "results.json"
UNFLUSHED = {"tmpfs", "ramfs"}


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description="Measure Dirigent and its peers.")
    parser.add_argument(
        "--only", nargs="*", default=[], help="names; `dirigent` all of ours, `peers` the rest"
    )
    parser.add_argument("--work", default=WORKLOADS, help="letters of workloads")
    parser.add_argument("--repeat", type=int, default=3, help="rounds of each, of which the median counts")
    parser.add_argument("--budget", type=float, default=25, help="seconds after which a peer's rounds stop")
    parser.add_argument("--resume", action="store_true", help="go on with the session in the results file")
    parser.add_argument("--again", action="store_true", help="with --resume: measure also what is there")
    parser.add_argument("--million", action="store_true", help="1,000,000 sleeping runs in D of ours")
    parser.add_argument("--scale", type=float, default=1, help="a factor for all sizes")
    parser.add_argument("--quiet", type=float, default=10, help="seconds to wait for a quiet machine")
    parser.add_argument("--folder", type=Path, help="where stores are made: on a real disk")
    parser.add_argument("--peers", type=Path, default=Path.home() / ".cache" / "dirigent-bench")
    parser.add_argument("--out", type=Path, help=f"the results file, {OUT.name} beside this unless in part")
    return parser.parse_args()


def session_of(asked: argparse.Namespace) -> Results:
    """Return the results to add to: those of the file with `--resume`, else none yet.

    What is measured in part goes aside, so that it never stands in the documentation.
    """
    whole = not asked.only and set(asked.work) == set(WORKLOADS) and asked.scale == 1
    path = asked.out or (OUT if whole or asked.resume else ASIDE)
    if asked.resume and path.exists():
        return Results.read(path)
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
    )
    session: dict[str, object] = {
        "begun": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit.stdout.strip() or "unknown",
        "repeat": asked.repeat,
    }
    return Results(path, session)


def size_of(contestant: Contestant, workload: str, asked: argparse.Namespace) -> Size:
    """Return how much of a workload."""
    if workload == "D" and asked.million and contestant.ours:
        return MILLION
    size = contestant.size(workload)
    return size if asked.scale == 1 or workload == "F" else size.scaled(asked.scale)


def rounds_of(
    contestant: Contestant, workload: str, ground: Ground, asked: argparse.Namespace
) -> list[Figures]:
    """Hold the rounds of one workload; a peer that is slow gets as many as fit its budget, but one."""
    began, found = time.monotonic(), []
    size = size_of(contestant, workload, asked)
    for number in range(asked.repeat):
        found.append(held(contestant, workload, size, ground))
        spent = time.monotonic() - began
        if not contestant.ours and spent + spent / (number + 1) > asked.budget:
            break
    return found


def shown(figures: Figures) -> str:
    """Return the figures of a round on one line."""
    return "  ".join(f"{name} {value:,.4g}" for name, value in figures.items() if value is not None)


def measure(
    contestant: Contestant, workload: str, results: Results, ground: Ground, asked: argparse.Namespace
) -> None:
    """Measure one workload, or write down why not."""
    print(f"== {contestant.name} {workload}", flush=True)
    began = time.monotonic()
    try:
        rounds = rounds_of(contestant, workload, ground, asked)
    except (Failed, NotInstalled, NotStarted, OSError) as failure:
        print(f"   FAILED: {failure}", flush=True)
        results.refuse(contestant, workload, str(failure))
    else:
        results.put(contestant, workload, size_of(contestant, workload, asked), rounds)
        for figures in rounds:
            print(f"   {shown(figures)}", flush=True)
    print(f"   took {time.monotonic() - began:.1f} s", flush=True)
    results.write()


def main() -> None:
    """Measure what was asked for."""
    asked = arguments()
    family.adopt_orphans()
    # Whoever ends this, by a word or by Ctrl-C, leaves no server behind.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit("broken off: --resume goes on"))
    results = session_of(asked)
    with tempfile.TemporaryDirectory(prefix="dirigent-bench-", dir=asked.folder) as name:
        folder = Path(name)
        results.machine = {**machine.described(folder)}
        if results.machine["filesystem"] in UNFLUSHED:
            sys.exit(
                f"{folder} is in memory, where nothing is flushed: name a folder on a disk with --folder"
            )
        ground = Ground(folder, Environments(asked.peers.absolute()), asked.quiet)
        for contestant in chosen(asked.only):
            results.enter(contestant)
            for workload in asked.work:
                if workload not in contestant.workloads:
                    continue
                if not asked.again and results.done(
                    contestant, workload, size_of(contestant, workload, asked)
                ):
                    continue
                measure(contestant, workload, results, ground, asked)
    results.session["ended"] = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    results.write()
    print(f"wrote {results.path}")


if __name__ == "__main__":
    main()
