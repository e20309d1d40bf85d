"""One engine at a time, and never a lock to remove."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dirigent.model.problem import Refusal
from dirigent.stores import files
from dirigent.stores.lock import EngineLock, holder

SOURCE = str(Path(__file__).parents[2] / "src")
HOLD = """
import subprocess, sys
from dirigent.stores.lock import EngineLock
lock = EngineLock.try_take(sys.argv[1])
child = subprocess.Popen(["sleep", "60"], close_fds=False)
print(lock is not None, child.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state" / "engine.lock")


def test_a_lock_that_is_held_cannot_be_taken_and_can_be_once_it_is_released(path):
    lock = EngineLock.try_take(path)
    assert EngineLock.try_take(path) is None
    lock.release()
    lock.release()
    with EngineLock.try_take(path) as again:
        assert again is not None
        assert EngineLock.try_take(path) is None
    assert EngineLock.try_take(path) is not None


def test_who_holds_it_is_said_in_words(path):
    assert holder(path) == "nobody"
    with EngineLock.try_take(path):
        assert holder(path).startswith(f"process {os.getpid()}, since 20")
        assert ", boot " in holder(path)


def test_a_longer_word_of_the_holder_before_leaves_nothing_behind(path):
    EngineLock.try_take(path).release()
    Path(path).write_text("process 4194304, since a long time ago " * 20)
    with EngineLock.try_take(path):
        assert holder(path).count("process") == 1
    Path(path).write_bytes(b"\xff\xfe rubbish")
    with EngineLock.try_take(path):
        assert holder(path).startswith("process")


def test_the_lock_and_its_directory_are_private(path):
    with EngineLock.try_take(path):
        assert Path(path).stat().st_mode & 0o777 == 0o600
        assert Path(path).parent.stat().st_mode & 0o777 == 0o700


def test_a_lock_in_a_place_that_cannot_be_written_is_a_refusal_not_a_holder(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Refusal) as refusal:
        EngineLock.try_take(str(tmp_path / "file" / "engine.lock"))
    assert refusal.value.problems[0].code == "E5012"
    assert "Not a directory" in refusal.value.problems[0].message


def test_a_store_that_may_not_even_be_looked_at_is_a_refusal(tmp_path):
    (tmp_path / "round").symlink_to("round")
    with pytest.raises(Refusal) as refusal:
        files.there(str(tmp_path / "round" / "dirigent.db"))
    assert refusal.value.problems[0].code == "E5012"


def test_a_store_that_is_missing_is_not_there(tmp_path):
    (tmp_path / "file").write_text("")
    assert not files.there(str(tmp_path / "none" / "dirigent.db"))
    assert not files.there(str(tmp_path / "file" / "dirigent.db"))
    assert files.there(str(tmp_path / "file"))


def test_the_death_of_the_holder_frees_the_lock_even_while_its_children_live(path):
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    engine = subprocess.Popen(
        [sys.executable, "-c", HOLD, path], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    taken, child = engine.stdout.readline().split()
    try:
        assert taken == b"True"
        assert EngineLock.try_take(path) is None
        assert holder(path).startswith(f"process {engine.pid},")
        engine.kill()
        engine.wait()
        lock = EngineLock.try_take(path)
        assert lock is not None
        os.kill(int(child), 0)
        lock.release()
    finally:
        os.kill(int(child), signal.SIGKILL)
        engine.stdout.close()
        engine.stdin.close()
