"""Ctrl-C, a reader that goes away, and a full disk: commands end in order, and nothing is lost."""

import os
import signal
import subprocess
from contextlib import contextmanager

import pytest

from system.rig.shop import Shop
from system.rig.terminal import Command, Desk
from system.rig.world import counting

pytestmark = pytest.mark.slow

MOUNTED_BYTES = 2 * 1024 * 1024


def test_ctrl_c_stops_a_run_and_says_how_it_goes_on(desk):
    command = desk.start_gated("first")
    command.send(signal.SIGINT)
    assert command.ended() == 130
    assert "dirigent resume first" in command.err
    desk.server.gate.set()
    later = desk.call("resume", "first")
    assert later.process.returncode == 0, later.told()
    assert desk.journal_kinds("first").count("Intended") == 2


def test_a_request_that_is_under_way_at_ctrl_c_ends_and_is_not_in_doubt(desk):
    arrived = desk.hold_posts()
    command = desk.start("run", "notify", "--id", "first")
    assert arrived.wait(30)
    command.send(signal.SIGINT)
    desk.wait_for_shut_door()
    desk.server.gate.set()
    assert command.ended() == 130
    later = desk.call("resume", "first")
    assert later.process.returncode == 0, later.told()
    assert desk.server.posts["first"] == 1


def test_a_second_ctrl_c_ends_at_once(desk):
    command = desk.start_gated("first")
    command.send(signal.SIGINT)
    desk.wait_for_shut_door()
    command.send(signal.SIGINT)
    # What it waited for has not come yet.
    assert command.ended() == 130
    desk.server.gate.set()
    assert desk.call("resume", "first").process.returncode == 0


def test_ctrl_c_during_up_loses_nothing(tmp_path, forge):
    shop = Shop.made(tmp_path, forge)
    command = Command(shop, "up", "--yes")
    command.read_until("STARTED   payment ")
    command.send(signal.SIGINT)
    assert command.ended() == 130
    assert "dirigent resume up-" in command.err
    again = Command(shop, "up", "--yes")
    assert again.ended() == 0, again.told()
    assert [(run.kind, run.phase) for run in shop.runs()] == [("apply", "completed")]
    down(shop)


def down(shop):
    for path in (shop.folder / "run" / "data").glob("*"):
        path.unlink()
    command = Command(shop, "down", "--yes")
    assert command.ended() == 0, command.told()


def test_a_reader_that_goes_away_ends_the_command_quietly_and_the_run_can_go_on(desk):
    command = desk.start_gated("first")
    command.process.stdout.close()
    desk.server.gate.set()
    command.process.wait(30)
    with command.process.stderr as complaints:
        assert "Traceback" not in complaints.read()
    later = desk.call("resume", "first")
    assert later.process.returncode == 0, later.told()


@contextmanager
def small_disk(path):
    """Mount a small file system of its own, or skip the test with the reason."""
    path.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={MOUNTED_BYTES}", "tmpfs", str(path)]
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def fill(path):
    """Take all the space of a small disk; return the file that holds it."""
    filler = path / "filler"
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    block = bytes(4096)
    try:
        while os.write(descriptor, block):
            pass
    except OSError:
        os.close(descriptor)
    return filler


def test_a_full_disk_is_a_clear_error_and_the_run_goes_on_when_there_is_space(tmp_path):
    state = tmp_path / "disk"
    with small_disk(state), counting() as server:
        desk = Desk(tmp_path, server)
        command = desk.start("run", "gated", "--id", "first", "--state", str(state))
        desk.at_gate(1)
        filler = fill(state)
        server.gate.set()
        assert command.ended() == 1, command.told()
        assert "E5011" in command.err
        blocked = desk.call("run", "notify", "--id", "second", "--state", str(state))
        assert blocked.process.returncode == 1, blocked.told()
        filler.unlink()
        for run in ("first", "second"):
            kind = "gated" if run == "first" else "notify"
            later = desk.call("run", kind, "--id", run, "--state", str(state))
            assert later.process.returncode == 0, later.told()
        assert server.posts["second"] == 1
        for command in desk.commands:
            command.close()
