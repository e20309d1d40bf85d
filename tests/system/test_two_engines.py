"""Two processes on one store: one is the engine, the other its client, until the first is gone."""

import signal

import pytest

from dirigent.stores.lock import EngineLock

pytestmark = pytest.mark.slow

CONFLICT = 8


def test_a_second_process_works_through_the_first(desk):
    first = desk.start_gated("first")
    second = desk.call("run", "notify", "--id", "second")
    assert (second.process.returncode, first.lives) == (0, True), second.told()
    assert desk.server.posts["second"] == 1
    desk.server.gate.set()
    assert first.ended() == 0, first.told()


def test_a_second_process_applies_a_plan_through_the_first(desk):
    first = desk.start_gated("first")
    second = desk.call("up", "--yes")
    assert (second.process.returncode, first.lives) == (0, True), second.told()
    assert (desk.world.folder / "note.txt").read_text() == "a note"
    desk.server.gate.set()
    assert first.ended() == 0, first.told()


def test_when_the_first_is_killed_the_second_takes_its_place_and_ends_the_runs_of_both(desk):
    first = desk.start_gated("first")
    second = desk.start_gated("second")
    first.send(signal.SIGKILL)
    assert first.ended() == -signal.SIGKILL
    desk.at_gate(4)  # Both runs ask again, at the second process.
    desk.server.gate.set()
    assert second.ended() == 0, second.told()
    assert '"passed": true' in second.out
    later = desk.call("resume", "first")
    assert later.process.returncode == 0, later.told()
    assert '"passed": true' in later.out


def test_when_both_are_killed_a_later_process_ends_the_runs_of_both(desk):
    commands = [desk.start_gated("first"), desk.start_gated("second")]
    for command in commands:
        command.send(signal.SIGKILL)
        command.ended()
    desk.server.gate.set()
    for run in ("first", "second"):
        later = desk.call("resume", run)
        assert later.process.returncode == 0, later.told()


def test_when_the_first_ends_the_second_takes_its_place(desk):
    first = desk.start_gated("first")
    second = desk.start_gated("second")
    first.send(signal.SIGINT)
    assert first.ended() == 130
    desk.at_gate(4)
    desk.server.gate.set()
    assert second.ended() == 0, second.told()


def test_six_processes_that_start_at_once_all_end_well(desk):
    commands = [desk.start("run", "notify", "--id", f"run-{number}") for number in range(6)]
    codes = [command.ended() for command in commands]
    assert codes == [0] * 6, [command.told() for command in commands]
    assert [desk.server.posts[f"run-{number}"] for number in range(6)] == [1] * 6


def test_a_first_process_that_is_stopped_keeps_the_lock_and_the_second_says_so(desk):
    first = desk.start_gated("first")
    first.send(signal.SIGSTOP)
    second = desk.start("run", "notify", "--id", "second")
    assert second.ended() == 8, second.told()
    assert "E7011" in second.err
    assert f"process {first.process.pid}" in second.err
    assert EngineLock.try_take(desk.world.folder / ".dirigent" / "engine.lock") is None
    first.send(signal.SIGCONT)
    desk.server.gate.set()
    assert first.ended() == 0, first.told()
    # What the second had asked for was heard late, and is done once all the same.
    later = desk.call("run", "notify", "--id", "second")
    assert later.process.returncode == 0, later.told()
    assert desk.server.posts["second"] == 1
