"""Repeat one seed and print what happened, or play a range of seeds and say what was tried."""

from __future__ import annotations

import argparse
import os
import sys
import time

from simulation.play import FAILURES_SHOWN, digest, lines_of, played, ranged, reduced, shrunk
from simulation.rig.plan import plan_of

# A broken law may quote a whole engine; the beginning says enough.
WORDS_MAX = 1_000


def main():
    """Play what the arguments say and return an exit code."""
    options = argparse.ArgumentParser(prog="simulate", description=__doc__)
    options.add_argument("--seed", type=int, help="one seed, with its trace")
    options.add_argument("--plan", default="", help="words that make it smaller, as a failure prints them")
    options.add_argument("--seeds", default="0..2000", help="from..to, without the last")
    options.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    given = options.parse_args()
    if given.seed is not None:
        return one(given.seed, given.plan.split())
    first, _, last = given.seeds.partition("..")
    if not (first.isdecimal() and last.isdecimal() and int(first) < int(last)):
        print(f"simulate: `{given.seeds}` is no range of seeds; write SEEDS=0..20000", file=sys.stderr)
        return 2
    return many(int(first), int(last), given.processes)


def one(seed, words):
    """Play one seed and print everything."""
    plan = reduced(plan_of(seed), words)
    simulation, failure = played(plan, traced=True)
    print(f"seed {seed}: {len(plan.runs)} runs, faults planned: {len(plan.faults)}, words: {len(plan.words)}")
    for fault in plan.faults:
        print(f"  planned: {fault.what} at time {fault.number} of `{fault.place}`, {fault.seconds} s")
    for line in lines_of(simulation):
        print(line)
    for run, end in simulation.history.ends.items():
        print(f"{run} ended {end.phase}: {end.output if end.fault is None else end.fault.as_value()}")
    print(f"trace {digest(simulation)}, {sum(simulation.history.checked.values())} checks of laws")
    if failure is None:
        print("every law holds")
        return 0
    print(f"BROKEN: {failure.words[:WORDS_MAX]}")
    return 1


def many(first, last, processes):
    """Play a range, tell what was tried, and make the first failures smaller."""
    begun, spent = time.monotonic(), sum(os.times()[:4])
    coverage, failures = ranged(first, last, processes)
    seconds, cpu = time.monotonic() - begun, sum(os.times()[:4]) - spent
    for line in coverage.lines():
        print(line)
    print(f"{coverage.seeds} seeds in {seconds:.0f} s, {coverage.seeds / cpu:.0f} a CPU second")
    for failure in failures[:FAILURES_SHOWN]:
        small = shrunk(failure)
        print(f"BROKEN by seed {failure.seed}: {small.words[:WORDS_MAX]}\n  {small.command}")
    too_little = coverage.missing()
    for line in too_little:
        print(f"TOO LITTLE: {line}")
    print(f"{len(failures)} broken seeds" if failures else "every law holds")
    return 1 if failures or too_little else 0


if __name__ == "__main__":
    sys.exit(main())
