"""Real processes that die or freeze: nothing acknowledged is lost, nothing is torn, no ghost writes."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dirigent.model.run.journal import Created, ResourceChanged, Succeeded
from dirigent.stores.sqlite import SqliteStore
from stores.samples import AT, PAY, in_loop

HERE = Path(__file__).parent
KILLS = int(os.environ.get("DIRIGENT_STORM_KILLS", "24"))


def start(script, *args):
    paths = [str(HERE.parent), str(HERE.parent.parent / "src")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, str(HERE / script), *map(str, args)]
    return subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0
    )


def acknowledged(output):
    """Return the length of each run that the ledger knows; a last line cut short was not said."""
    lines = output.decode().split("\n")[:-1]
    return {run: int(length) for run, length in (line.split() for line in lines)}


async def examine(path, ledger):
    """Return how many facts are stored, after checking all that was ever acknowledged."""
    store = SqliteStore.open_for_writing(path)
    total = 0
    rows = {row.address: row.config["n"] for row in await store.rows()}
    for run, length in ledger.items():
        facts = await store.read(run)
        assert len(facts) >= length, f"{run}: {length} facts were acknowledged, {len(facts)} are left"
        assert len(facts) % 2 == 1, f"{run}: an append was torn"
        assert isinstance(facts[0], Created)
        for at, (first, second) in enumerate(zip(facts[1::2], facts[2::2], strict=True)):
            assert isinstance(first, Succeeded)
            assert first.attempt == 2 * at + 1
            assert isinstance(second, ResourceChanged)
        assert rows.get(run) == (len(facts) - 2 if len(facts) > 1 else None), f"{run}: row and journal differ"
        assert (await store.run(run)).facts == len(facts)
        total += len(facts)
    await store.close()
    return total


@pytest.mark.slow
@in_loop
async def test_killed_at_any_moment_it_loses_nothing_that_was_acknowledged(tmp_path):
    path = str(tmp_path / "dirigent.db")
    ledger = {}
    for life in range(KILLS):
        child = start("storm_child.py", path, life)
        # By event, not by time: after so many bytes of acknowledgements, whatever the machine does.
        heard = b""
        while len(heard) < 40 + 97 * (life * 7919 % 41):
            heard += child.stdout.read(64)
        child.kill()
        heard += child.stdout.read()
        child.stdout.close()
        assert child.wait() == -signal.SIGKILL
        ledger |= acknowledged(heard)
        await examine(path, dict(list(ledger.items())[-13:]))
    total = await examine(path, ledger)
    acks = sum(ledger.values())
    print(f"{KILLS} kills, {len(ledger)} runs, {acks} facts acknowledged, {total} stored, 0 lost")


@pytest.mark.slow
@in_loop
async def test_a_paused_engine_that_wakes_after_a_takeover_writes_nothing(tmp_path):
    path = str(tmp_path / "dirigent.db")
    ghost = start("fence_child.py", path)
    assert ghost.stdout.readline() == b"stopping\n"
    await asyncio.to_thread(os.waitid, os.P_PID, ghost.pid, os.WSTOPPED)
    heir = SqliteStore.open_for_writing(path)
    await heir.append("r", 1, [Succeeded(AT, PAY, 1, "written by the heir")])
    os.kill(ghost.pid, signal.SIGCONT)
    assert ghost.stdout.read() == b"E5002 E5002\n"
    ghost.stdout.close()
    assert ghost.wait() == 0
    assert [fact.output for fact in (await heir.read("r"))[1:]] == ["written by the heir"]
    # The ghost closed its handle in good order; the file is not clean, for its heir still writes.
    heir.abandon()
    later = SqliteStore.open_for_reading(path)
    assert len(await later.read("r")) == 2
    await later.close()


@pytest.mark.slow
@in_loop
async def test_a_check_that_knew_of_an_append_that_was_never_stored_would_find_it(tmp_path):
    path = str(tmp_path / "dirigent.db")
    child = start("storm_child.py", path, 0)
    while child.stdout.read(1) != b"\n":
        pass
    child.kill()
    child.stdout.read()
    child.stdout.close()
    child.wait()
    with pytest.raises(AssertionError, match="1000001 facts were acknowledged"):
        await examine(path, {"life0-0": 1_000_001})
