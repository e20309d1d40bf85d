"""A soak in short: what an engine holds does not grow with the runs it has seen, and a leak would show."""

import asyncio

import pytest
from soak import SAMPLES, Sample, Soak

pytestmark = pytest.mark.slow
# The page cache and the arenas of Python settle over some thousand runs; a leak of one dictionary is more.
BYTES_A_RUN = 150


def soaked(tmp_path, runs, **more):
    soak = Soak(runs, at_once=100, keep=300, **more)
    asyncio.run(soak.go(str(tmp_path / "soak.db"), quiet=True))
    return soak


def test_memory_descriptors_tasks_and_store_stay_as_they_are(tmp_path):
    soak = soaked(tmp_path, 12_000)
    later = soak.samples[SAMPLES // 3 :]
    assert soak.slope() < BYTES_A_RUN, [each.line() for each in soak.samples]
    assert max(each.descriptors for each in later) <= min(each.descriptors for each in later) + 2
    assert max(each.tasks for each in later) <= min(each.tasks for each in later) + 2
    assert later[-1].store < 2 * later[0].store + 2**20


def test_a_leak_of_a_kibibyte_a_run_is_caught(tmp_path):
    assert soaked(tmp_path, 6_000, leak=1024).slope() > BYTES_A_RUN


def test_the_slope_is_that_of_a_line():
    soak = Soak(0)
    soak.samples = [Sample(n, float(n), 5 * n + 10**9, 1, 1, 1) for n in range(0, 1200, 100)]
    assert soak.slope() == pytest.approx(5.0)
