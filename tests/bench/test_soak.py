"""A soak in short: what an engine holds does not grow with the runs it has seen, and a leak would show."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest
from soak import SAMPLES, Sample, Soak, soaked

pytestmark = pytest.mark.slow
# The page cache and the arenas of Python settle over 8,000 runs or so; a leak of one dictionary is more.
BYTES_A_RUN = 150


def soak_of(tmp_path, runs, **more):
    """Soak in a process of its own: what other tests have left in the memory of this one is no measure."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        soak = Soak(runs, at_once=100, keep=300, **more)
        return pool.submit(soaked, soak, str(tmp_path / "soak.db")).result()


def test_memory_descriptors_tasks_and_store_stay_as_they_are(tmp_path):
    soak = soak_of(tmp_path, 24_000)
    later = soak.samples[SAMPLES // 3 :]
    assert soak.slope() < BYTES_A_RUN, [each.line() for each in soak.samples]
    assert max(each.descriptors for each in later) <= min(each.descriptors for each in later) + 2
    assert max(each.tasks for each in later) <= min(each.tasks for each in later) + 2
    assert later[-1].store < 2 * later[0].store + 2**20


def test_a_leak_of_a_kibibyte_a_run_is_caught(tmp_path):
    assert soak_of(tmp_path, 6_000, leak=1024).slope() > BYTES_A_RUN


def test_the_slope_is_that_of_a_line():
    soak = Soak(0)
    soak.samples = [Sample(n, float(n), 5 * n + 10**9, 1, 1, 1) for n in range(0, 1200, 100)]
    assert soak.slope() == pytest.approx(5.0)
