import asyncio
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dirigent.model import limits
from dirigent.shim import attach, pulse, watch
from dirigent.shim.attach import State


async def until(holds):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.005)


def carry_out(spool, command):
    async def main():
        await attach.start(spool, command)
        return await attach.wait(spool)

    return asyncio.run(main())


def test_a_command_runs_and_its_end_and_output_are_kept(spool, order):
    ended = carry_out(spool, order("echo out; echo err >&2; exit 3"))
    assert (ended.code, ended.signal, ended.error, ended.stopped) == (3, None, None, False)
    assert attach.output_of(spool, "stdout") == "out\n"
    assert attach.output_of(spool, "stderr") == "err\n"
    assert attach.state(spool) is State.ENDED
    assert 0 <= ended.ended_at - ended.started_at < 5


def test_a_signal_is_told_apart_from_an_exit_code(spool, order):
    ended = carry_out(spool, order("kill -TERM $$"))
    assert (ended.code, ended.signal) == (None, 15)


def test_arguments_reach_the_command_unchanged(spool, order):
    carry_out(spool, order('printf "%s|" "$@"', "a b", "$(id)", "'", "", "--x"))
    assert attach.output_of(spool, "stdout") == "a b|$(id)|'||--x|"


def test_only_the_ordered_environment_is_seen(spool, order, mark, monkeypatch):
    monkeypatch.setenv("LEAK", "of the engine")
    carry_out(spool, order("env", environment={"GIVEN": "ä b"}))
    seen = dict(line.split("=", 1) for line in attach.output_of(spool, "stdout").splitlines())
    assert seen["GIVEN"] == "ä b"
    assert seen["DIRIGENT_EFFECT_ID"] == mark
    assert set(seen) - {"PWD", "SHLVL", "_", "OLDPWD"} == {
        "GIVEN",
        "PATH",
        "DIRIGENT_EFFECT_ID",
        "DIRIGENT_TEST_MARK",
    }


def test_standard_input_is_given_whole_or_empty(spool, order, tmp_path):
    text = "ü" * 100_000
    carry_out(spool, order("wc -c", stdin=text))
    assert attach.output_of(spool, "stdout").strip() == "200000"
    other = str(tmp_path / "other")
    carry_out(other, order("wc -c"))
    assert attach.output_of(other, "stdout").strip() == "0"


def test_environment_and_input_are_never_written_down(spool, order):
    carry_out(spool, order("true", environment={"PASSWORD": "hunter2-env"}, stdin="hunter2-in"))
    for path in Path(spool).iterdir():
        assert b"hunter2" not in path.read_bytes(), path


def test_output_beyond_the_limit_is_dropped_and_the_command_is_not_blocked(spool, order):
    ended = carry_out(spool, order("head -c 300000 /dev/zero; head -c 9 /dev/zero >&2", output_bytes=1000))
    assert (ended.code, ended.stdout_truncated, ended.stderr_truncated) == (0, True, False)
    assert len(attach.output_of(spool, "stdout")) == 1000
    assert len(attach.output_of(spool, "stderr")) == 9


def test_output_of_exactly_the_limit_is_not_called_truncated(spool, order):
    ended = carry_out(spool, order("head -c 1000 /dev/zero", output_bytes=1000))
    assert not ended.stdout_truncated


def test_a_program_that_does_not_exist_ends_with_the_reason(spool, tmp_path, mark):
    command = attach.Command(mark, ("/nowhere/program",), str(tmp_path), {"PATH": "/bin"})
    ended = carry_out(spool, command)
    assert ended.code is None
    assert ended.error == "No such file or directory: /nowhere/program"


def test_a_folder_that_does_not_exist_ends_with_the_reason(spool, order):
    ended = carry_out(spool, order("true", folder="/nowhere"))
    assert ended.code is None
    assert ended.error == "No such file or directory: /nowhere"


def test_files_are_for_the_owner_only(spool, order):
    carry_out(spool, order("true"))
    assert stat.S_IMODE(Path(spool).stat().st_mode) == 0o700
    for path in Path(spool).iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


@pytest.fixture
def started_by_nohup():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("started_by_nohup")
def test_the_command_is_hardened(spool, order):
    carry_out(
        spool, order("grep NoNewPrivs /proc/self/status; ulimit -c; umask; grep SigIgn /proc/self/status")
    )
    privileges, core, umask, ignored = attach.output_of(spool, "stdout").splitlines()
    assert privileges.split()[1] == "1"
    assert core == "0"
    assert umask in {"0077", "077"}
    # Signals 32 and 33 belong to the C library: no program can change what it inherits of them.
    assert int(ignored.split()[1], 16) & ~(3 << 31) == 0


def test_the_command_has_no_descriptors_but_its_streams(spool, order):
    carry_out(spool, order("ls /proc/self/fd"))
    # The fourth is the directory that `ls` itself reads.
    assert attach.output_of(spool, "stdout").split() == ["0", "1", "2", "3"]


def test_what_a_command_leaves_behind_ends_with_it(spool, order):
    begun = time.monotonic()
    ended = carry_out(spool, order("sleep 60 & setsid sleep 60 & sleep 0.05; exit 4"))
    assert ended.code == 4
    assert time.monotonic() - begun < 50


@pytest.mark.slow
def test_stop_asks_first_and_waits_for_the_whole_group(spool, order):
    script = "(trap 'sleep 0.1; echo tidied; exit' TERM; echo up; sleep 60 & wait) & wait"

    async def main():
        await attach.start(spool, order(script))
        await until(lambda: attach.output_of(spool, "stdout") == "up\n")
        await attach.stop(spool, 5.0)
        return attach.end_of(spool)

    ended = asyncio.run(main())
    assert ended.stopped
    assert "tidied" in attach.output_of(spool, "stdout")


@pytest.mark.slow
def test_stop_kills_what_does_not_listen(spool, order):
    async def main():
        await attach.start(spool, order("trap '' TERM; echo up; while :; do sleep 0.05; done"))
        await until(lambda: attach.output_of(spool, "stdout") == "up\n")
        begun = time.monotonic()
        await attach.stop(spool, 0.2)
        return time.monotonic() - begun, attach.end_of(spool)

    seconds, ended = asyncio.run(main())
    assert 0.2 <= seconds < 50
    assert (ended.code, ended.signal, ended.stopped) == (None, 9, True)


def test_a_stop_is_carried_out_although_the_one_who_wished_it_is_gone(spool, order):
    async def main():
        await attach.start(spool, order("echo up; sleep 60"))
        await until(lambda: attach.output_of(spool, "stdout") == "up\n")
        wish = asyncio.create_task(attach.stop(spool, 1.0))
        await asyncio.sleep(0)
        wish.cancel()
        return await attach.wait(spool)

    assert asyncio.run(main()).stopped


def test_stop_of_what_is_over_or_never_was_returns(spool, order):
    carry_out(spool, order("true"))
    asyncio.run(attach.stop(spool, 1.0))
    asyncio.run(attach.stop(spool + "x", 1.0))


def test_cancelling_the_wait_leaves_the_command_alone(spool, order, tmp_path):
    async def main():
        await attach.start(spool, order("until test -e gate; do sleep 0.02; done; echo done"))
        waiting = asyncio.create_task(attach.wait(spool))
        await asyncio.sleep(0.02)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert attach.state(spool) is State.RUNNING
        (tmp_path / "gate").touch()
        return await attach.wait(spool)

    assert asyncio.run(main()).code == 0
    assert attach.output_of(spool, "stdout") == "done\n"


def test_the_default_limit_is_the_one_of_the_house(order):
    assert order("true").output_bytes == limits.PROCESS_OUTPUT_BYTES


def test_a_supervisor_that_cannot_start_is_reported_with_its_complaint(spool, order, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(attach.ShimLost):
        carry_out(spool, order("true"))
    assert attach.state(spool) is State.ORDERED


def test_half_told_private_matter_starts_nothing(spool, order, monkeypatch):
    whole = attach.detach.start_detached

    def half(module, argument, private, trace):
        whole(module, argument, private[:-3], trace)

    monkeypatch.setattr(attach.detach, "start_detached", half)
    with pytest.raises(attach.ShimLost):
        carry_out(spool, order("echo ran"))
    assert attach.state(spool) is State.ORDERED
    monkeypatch.undo()
    assert carry_out(spool, order("echo ran")).code == 0


def test_what_one_look_at_the_processes_misses_is_killed_all_the_same(mark, monkeypatch):
    look, looks = pulse.bearing, []

    def blinking(name, value):
        """Miss everything at first, as when a process is just becoming its program; then see only one."""
        looks.append(name)
        return look(name, value)[: len(looks) - 1]

    both = [subprocess.Popen(["sleep", "60"], env={**os.environ, "DIRIGENT_TEST_MARK": mark}) for _ in "ab"]
    monkeypatch.setattr(pulse, "bearing", blinking)
    assert watch.kill_bearing("DIRIGENT_TEST_MARK", mark) == sorted(each.pid for each in both)
    assert [each.wait(10) for each in both] == [-signal.SIGKILL] * 2
    assert len(looks) > watch.CLEAR_LOOKS
