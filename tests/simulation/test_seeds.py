"""The whole engine by seed: every law over every seed of a range, and the seeds that once found something."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from dirigent.core.nodes import extended
from simulation.coverage import Coverage
from simulation.play import chunk, digest, played, reduced, shrunk
from simulation.rig.bench import SOUND
from simulation.rig.plan import plan_of
from simulation.rig.plants import PLANTS

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CORPUS = [int(line.split()[0]) for line in (HERE / "seeds.txt").read_text().splitlines() if line[0] != "#"]
SEEDS, PART = 20_000, 5_000


@pytest.mark.parametrize("seed", CORPUS)
def test_what_was_found_once_stays_mended(seed):
    _, failure = played(plan_of(seed))
    assert failure is None, f"{failure.words}\n{failure.command}"


def test_a_work_that_keeps_its_number_after_a_retry_from_before_it_is_found_out():
    parts = replace(SOUND, core=((extended, "number_anew", lambda work: None),))
    assert played(plan_of(27611), parts)[1] is not None


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_every_law_holds_for_every_seed(first, capsys):
    coverage, failures = chunk(first, first + PART)
    with capsys.disabled():
        print("", *coverage.lines(), sep="\n")
    found = [shrunk(failure) for failure in failures[:3]]
    assert not failures, "\n".join(f"{each.words}\n{each.command}" for each in found)
    assert not coverage.missing()


def test_a_range_that_tried_too_little_is_no_proof():
    coverage, _ = chunk(0, 5)
    coverage.seeds = 5_000
    assert any("abandon: crash" in line for line in coverage.missing())


def test_what_ranges_tried_adds_up_and_survives_json():
    (one, _), (two, _) = chunk(0, 5), chunk(5, 10)
    one.add(two)
    both, _ = chunk(0, 10)
    assert one == both == Coverage.from_value(both.as_value())


def test_a_failing_seed_is_made_smaller_and_told_as_a_command():
    parts, _ = PLANTS["secrets are not redacted"]
    failure = next(found for seed in range(100) if (found := played(plan_of(seed), parts)[1]) is not None)
    small = shrunk(failure, parts)
    assert small.command.startswith(f"make simulate SEED={failure.seed} PLAN='")
    again = reduced(plan_of(small.seed), small.plan.split())
    assert not again.faults
    assert played(again, parts)[1].law == failure.law
    assert played(again)[1] is None


TRACED = """
from simulation.play import digest, played
from simulation.rig.plan import plan_of
print(*(digest(played(plan_of(seed), traced=True)[0]) for seed in range(40)))
"""


@pytest.mark.slow
def test_the_same_seed_is_the_same_trace_in_every_process():
    traces = set()
    for hashes in ("0", "1", "4242"):
        path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests")])
        environment = {"PYTHONPATH": path, "PYTHONHASHSEED": hashes}
        done = subprocess.run(
            [sys.executable, "-c", TRACED], capture_output=True, text=True, check=True, env=environment
        )
        traces.add(done.stdout)
    assert len(traces) == 1
    assert len(set(traces.pop().split())) == 40


def test_the_same_seed_is_the_same_trace_twice_in_one_process():
    assert digest(played(plan_of(7), traced=True)[0]) == digest(played(plan_of(7), traced=True)[0])
