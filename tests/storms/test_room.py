"""Disk and memory run out at each point of a life: nothing acknowledged is lost, and with room it goes on."""

import os
import subprocess
from contextlib import contextmanager

import pytest

from storms.required import needs
from storms.rig.faults import ORDER, Struck, judge
from storms.rig.ledger import check, counted, lines
from storms.rig.life import REFUSED
from storms.rig.nursery import Nursery

pytestmark = pytest.mark.slow

POINTS = int(os.environ.get("DIRIGENT_FAULTS", "50"))
LIFE = "storms.rig.life:live"
# From a disk on which hardly a table fits to one on which all but the last steps do.
LEAST_BYTES, STEP_BYTES, PLENTY_BYTES = 72 << 10, 6 << 10, 64 << 20
MEMORY_BYTES = [(1 << 20) * megabytes for megabytes in (2, 6, 9, 10, 11, 12, 13, 14, 16, 18, 24, 32, 48)]


@pytest.fixture
def nursery(tmp_path):
    made = Nursery(tmp_path)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def small_disk(folder, size):
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    needs("mount", None if done.returncode == 0 else f"nothing can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(("umount", str(folder)), check=True)


def lived(nursery, path, **order):
    """Let one life live to its end; return its exit code, what it said, and what it told people."""
    life = nursery.begin(LIFE, {**ORDER, "path": str(path), **order})
    code = life.ended()
    return code, lines(life.heard), life.told()


def test_a_disk_that_is_full_at_any_point_loses_nothing_and_goes_on_when_there_is_room(nursery, tmp_path):
    found = Struck()
    for point in range(POINTS):
        size = LEAST_BYTES + point * STEP_BYTES * 50 // POINTS
        with small_disk(tmp_path / f"disk-{point}", size) as disk:
            path = disk / "dirigent.db"
            code, said, told = lived(nursery, path)
            judge(f"tmpfs of {size} bytes", code, said, told, found)
            room = ("mount", "-o", f"remount,size={PLENTY_BYTES}", str(disk))
            subprocess.run(room, check=True)
            again, more, told = lived(nursery, path, seed="again")
            assert (again, told) == (0, ""), more[-1:]
            check(str(path), [*said, *more])
        found.points += 1
    print(f"full disk: {found.figures()}")
    assert found.said["E5011"] > POINTS // 2
    assert set(found.said) <= {"E5011", "went on", "E5012"}


def test_memory_that_runs_out_at_any_point_loses_nothing_and_the_next_engine_goes_on(nursery, tmp_path):
    out, acknowledged = 0, 0
    for number, more in enumerate(MEMORY_BYTES):
        path = tmp_path / f"store-{number}" / "dirigent.db"
        code, said, _ = lived(nursery, path, memory=more, runs=12, large=2_000_000)
        out += code not in (0, REFUSED)
        acknowledged += counted(said).total()
        again, later, told = lived(nursery, path, seed="again")
        assert (again, told) == (0, ""), later[-1:]
        check(str(path), [*said, *later])
    print(f"memory: {len(MEMORY_BYTES)} limits, {out} engines ended, {acknowledged} acknowledged, 0 lost")
    assert out >= 3
