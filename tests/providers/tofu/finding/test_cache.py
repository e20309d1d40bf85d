"""The cache: whole or not at all, whoever else is at it, and whoever died in the middle."""

import fcntl
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dirigent.model.problem import Refusal
from dirigent.providers.tofu.finding.disk.cache import WORKING, keep_archive, keep_folder, sweep
from dirigent.providers.tofu.finding.disk.hashes import content_of
from providers.tofu.finding.samples import FILES, archive, h1, lay

OTHER = {**FILES, "LICENSE": b"otherwise\n"}


def zipped(tmp_path, name="a.zip", files=None):
    path = tmp_path / name
    path.write_bytes(archive(files))
    return path


def test_many_at_once_leave_one_whole_provider_and_nothing_else(tmp_path):
    path, place = zipped(tmp_path), tmp_path / "cache" / "1.2.0" / "linux_amd64"
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: keep_archive(path, place).h1, range(24)))
    assert set(found) == {h1()}
    assert content_of(place).h1 == h1()
    assert [each.name for each in place.parent.iterdir()] == ["linux_amd64"]


def test_many_at_once_with_other_contents_leave_one_of_them_whole(tmp_path):
    paths = [zipped(tmp_path), zipped(tmp_path, "b.zip", OTHER)]
    place = tmp_path / "cache" / "1.2.0" / "linux_amd64"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda at: keep_archive(paths[at % 2], place), range(24)))
    assert content_of(place).h1 in {h1(), h1(OTHER)}
    assert [each.name for each in place.parent.iterdir()] == ["linux_amd64"]


def test_what_lies_there_makes_room_and_who_runs_it_goes_on(tmp_path):
    place = lay(tmp_path / "cache" / "here", OTHER)
    with (place / "LICENSE").open("rb") as running:
        keep_archive(zipped(tmp_path), place)
        assert running.read() == OTHER["LICENSE"]
    assert content_of(place).h1 == h1()
    assert keep_folder(lay(tmp_path / "folder", OTHER), place).h1 == h1(OTHER)
    assert content_of(place).h1 == h1(OTHER)


DYING = """
import os, sys
from pathlib import Path
from dirigent.providers.tofu.finding.disk import cache
with cache.working_folder(Path(sys.argv[1])) as aside:
    (aside / "half").write_bytes(b"half")
    print(aside.name, flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_what_a_process_left_that_was_killed_is_cleared_away_and_nothing_else(tmp_path):
    words = [sys.executable, "-c", DYING, str(tmp_path)]
    # From before: nobody holds it.
    (tmp_path / f"{WORKING}old").mkdir()
    with subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ, PYTHONPATH=src()),
    ) as process:
        name = process.stdout.readline().strip()
        sweep(tmp_path)
        assert [each.name for each in tmp_path.iterdir()] == [name]
        process.send_signal(signal.SIGKILL)
        process.wait()
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def src():
    return str(Path(__file__).parents[4] / "src")


def test_a_folder_that_somebody_holds_stays(tmp_path):
    place = tmp_path / f"{WORKING}x"
    place.mkdir()
    hold = os.open(place, os.O_RDONLY)
    fcntl.flock(hold, fcntl.LOCK_SH)
    sweep(tmp_path)
    assert place.exists()
    os.close(hold)
    sweep(tmp_path)
    assert not place.exists()


def test_a_cache_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(Refusal, match="E3036"):
        keep_archive(zipped(tmp_path), tmp_path / "file" / "1.2.0" / "linux_amd64")
