"""The witness knows what was being turned when a process died, and how often that has happened there."""

import os
import signal
import stat
from pathlib import Path

import pytest

from dirigent.model.problem import Refusal
from dirigent.stores.folder.witness import FILE_BYTES, KEPT, FileWitness


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "state" / "turning")


def die(path, run, place, *, amid=True):
    """Turn a run in a process that is killed then; or between two turns."""
    pid = os.fork()
    if not pid:
        witness = FileWitness(path)
        witness.begin(run, place)
        if not amid:
            witness.end()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)


def deaths(path):
    witness = FileWitness(path)
    try:
        return dict(witness.deaths())
    finally:
        witness.close()


def test_who_was_being_turned_when_the_process_was_killed_is_known(path):
    die(path, "poison", 7)
    assert deaths(path) == {"poison": (7, 1)}


def test_a_death_between_two_turns_is_nobodys(path):
    die(path, "poison", 7, amid=False)
    assert deaths(path) == {}


def test_deaths_at_one_place_are_counted_and_another_place_begins_anew(path):
    die(path, "poison", 7)
    die(path, "other", 3)
    die(path, "poison", 7)
    assert deaths(path) == {"other": (3, 1), "poison": (7, 2)}
    die(path, "poison", 8)
    assert deaths(path)["poison"] == (8, 1)


def test_looking_counts_nothing_twice(path):
    die(path, "poison", 7)
    assert deaths(path) == deaths(path) == {"poison": (7, 1)}


def test_what_is_forgiven_is_forgotten(path):
    die(path, "poison", 7)
    witness = FileWitness(path)
    witness.forgive("poison")
    witness.forgive("nobody")
    witness.close()
    assert deaths(path) == {}


def test_the_oldest_deaths_are_forgotten_when_there_are_many(path):
    for number in range(KEPT + 2):
        die(path, f"run-{number}", 1)
    assert list(deaths(path)) == [f"run-{number}" for number in range(2, KEPT + 2)]


@pytest.mark.parametrize("rubbish", [b"\xff" * FILE_BYTES, b"7 \n", b"x" * 10, b"1 r\n" + b"{" * 4000])
def test_rubbish_in_the_file_does_no_harm(path, rubbish):
    FileWitness(path).close()
    with Path(path).open("r+b") as file:
        file.write(rubbish)
    assert set(deaths(path)) <= {"r"}
    die(path, "poison", 7)
    assert deaths(path)["poison"] == (7, 1)


def test_the_file_is_private_and_a_path_that_cannot_be_is_refused(path, tmp_path):
    FileWitness(path).close()
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o600
    with pytest.raises(Refusal, match="E5012"):
        FileWitness(str(tmp_path))
