import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dirigent.shim import attach, files, pulse
from dirigent.shim.attach import State

ENGINE = """
import asyncio, sys
from dirigent.shim import attach
spool, mark, folder, path, script = sys.argv[1:]
command = attach.Command(mark, ("sh", "-c", script), folder, {"PATH": path, "DIRIGENT_TEST_MARK": mark})
async def main():
    await attach.start(spool, command)
    print("started", flush=True)
    await attach.wait(spool)
asyncio.run(main())
"""


def engine(spool, mark, folder, script):
    source = str(Path(attach.__file__).parents[2])
    return subprocess.Popen(
        [sys.executable, "-c", ENGINE, spool, mark, str(folder), os.environ["PATH"], script],
        env={"PYTHONPATH": source},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def until(holds, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.slow
def test_a_command_survives_the_kill_of_its_engine_and_is_attached_again(spool, mark, tmp_path):
    with engine(spool, mark, tmp_path, "sleep 0.3; echo survived; echo once >> ran") as first:
        assert first.stdout.readline() == b"started\n"
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
        assert attach.state(spool) is State.RUNNING
        ended = asyncio.run(attach.wait(spool))
    assert ended.code == 0
    assert attach.output_of(spool, "stdout") == "survived\n"
    assert (tmp_path / "ran").read_text() == "once\n"


@pytest.mark.slow
def test_supervisors_that_race_run_the_command_once(tmp_path, order):
    races = 50
    for race in range(races):
        spool = str(tmp_path / "spool" / f"{race}-1")
        command = order(f"echo x >> {race}.ran")
        runners = [threading.Thread(target=attach._start, args=(spool, command)) for _ in range(2)]
        for runner in runners:
            runner.start()
        for runner in runners:
            runner.join()
        assert asyncio.run(attach.wait(spool)).code == 0
        assert (tmp_path / f"{race}.ran").read_text() == "x\n"


@pytest.mark.slow
def test_the_engine_may_be_killed_at_any_moment_of_the_start(tmp_path, mark, order):
    counts = {"absent": 0, "ordered": 0, "claimed": 0}
    for attempt in range(24):
        spool, ran = str(tmp_path / "spool" / f"{attempt}-1"), tmp_path / f"{attempt}.ran"
        with engine(spool, mark, tmp_path, f"echo x >> {attempt}.ran") as first:
            seen = "absent" if attempt % 3 == 0 else "ordered" if attempt % 3 == 1 else "claimed"
            name = {"absent": "", "ordered": "order.json", "claimed": "claim.json"}[seen]
            until(lambda spool=spool, name=name: Path(spool, name).exists())
            # Its launcher is in the same group or has left it: both are cases.
            first.kill()
            first.wait()
        counts[seen] += 1
        asyncio.run(recover(spool, order(f"echo x >> {attempt}.ran")))
        assert ran.read_text() == "x\n"
    assert all(counts.values())


async def recover(spool, command):
    if attach.state(spool) in (State.ABSENT, State.ORDERED):
        await attach.start(spool, command)
    await attach.wait(spool)


@pytest.mark.slow
def test_a_killed_supervisor_takes_the_command_with_it_and_leaves_doubt(spool, order, mark):
    async def main():
        await attach.start(spool, order("(setsid sleep 60) & echo up; sleep 60"))
        until(lambda: attach.output_of(spool, "stdout") == "up\n")
        claim = files.read_record(f"{spool}/claim.json")
        os.kill(claim["pid"], signal.SIGKILL)
        with pytest.raises(attach.ShimLost):
            await attach.wait(spool)
        assert attach.state(spool) is State.LOST
        evidence = attach.evidence_of(spool)
        assert evidence["stdout"] == "up\n"
        assert evidence["machine"] == "not restarted since"
        await attach.stop(spool, 1.0)

    asyncio.run(main())
    until(lambda: not pulse.bearing(attach.MARK, mark))


def test_an_order_of_another_boot_that_was_claimed_is_lost(spool, order):
    write(spool, "order.json", {"id": "x"})
    write(spool, "claim.json", pulse.mark_of(os.getpid()) | {"boot": "another"})
    assert attach.state(spool) is State.LOST
    assert attach.evidence_of(spool)["machine"] == "restarted since"
    with pytest.raises(attach.ShimLost):
        asyncio.run(attach.wait(spool))


def test_an_order_of_another_boot_that_nobody_claimed_may_start(spool, order):
    write(spool, "order.json", {"id": "x", "boot": "another"})
    assert attach.state(spool) is State.ORDERED
    asyncio.run(recover(spool, order("true")))
    assert attach.state(spool) is State.ENDED


def test_a_reused_pid_is_not_taken_for_the_supervisor(spool):
    write(spool, "order.json", {"id": "x"})
    write(spool, "claim.json", pulse.mark_of(os.getpid()) | {"ticks": 1})
    assert attach.state(spool) is State.LOST


def test_a_zombie_is_not_alive():
    with subprocess.Popen(["true"]) as process:
        mark = None
        until(lambda: pulse.start_ticks(process.pid) is None)
        mark = pulse.mark_of(process.pid)
        assert not pulse.alive(mark)


def test_what_was_stopped_before_it_was_claimed_never_starts(spool, order, tmp_path):
    asyncio.run(attach.stop(spool, 1.0))
    asyncio.run(attach.start(spool, order("echo x > ran")))
    assert attach.state(spool) is State.LOST
    assert not (tmp_path / "ran").exists()


def test_nothing_is_known_of_an_order_that_was_never_given(spool):
    assert attach.state(spool) is State.ABSENT
    assert attach.end_of(spool) is None
    assert attach.output_of(spool, "stdout") == ""


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a":', b"\xff\xfe"])
def test_a_record_that_is_not_whole_is_none(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    assert files.read_record(str(tmp_path / "x.json")) is None


def test_a_second_claim_changes_nothing(tmp_path):
    path = str(tmp_path / "claim.json")
    assert files.write_once(path, b"first")
    assert not files.write_once(path, b"second")
    assert (tmp_path / "claim.json").read_bytes() == b"first"
    assert names(tmp_path) == ["claim.json"]


def test_an_order_set_aside_makes_room_and_stays_as_evidence(spool):
    for _ in range(2):
        write(spool, "order.json", {"id": "x"})
        attach.set_aside(spool)
    assert attach.state(spool) is State.ABSENT
    assert names(Path(spool).parent) == ["0123abcd-1.1", "0123abcd-1.2"]


def test_what_runs_is_not_discarded_and_what_has_ended_is(tmp_path, order):
    async def main():
        folder = str(tmp_path / "spool")
        for name in ("aa-1", "aa-1.1", "aa-1.2", "aa-2"):
            write(f"{folder}/{name}", "order.json", {"id": name})
        await attach.start(f"{folder}/cc-1", order("sleep 60"))
        attach.discard(folder, "cc-1")
        attach.discard(folder, "aa-1")
        assert attach.orders(folder) == ["aa-2", "cc-1"]
        await attach.stop(f"{folder}/cc-1", 1.0)
        attach.discard(folder, "cc-1")
        assert attach.orders(folder) == ["aa-2"]

    asyncio.run(main())


def test_a_folder_that_is_not_there_holds_no_orders(tmp_path):
    folder = str(tmp_path / "none")
    attach.discard(folder, "aa-1")
    assert attach.orders(folder) == []


def write(spool, name, record):
    files.make_folder(spool)
    files.write_durably(f"{spool}/{name}", files.encode(record))


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())
