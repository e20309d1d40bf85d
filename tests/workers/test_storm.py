"""Engines and workers are killed in the middle, one or both; a ledger outside tells what happened."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from hashlib import blake2b
from pathlib import Path

import pytest

from workers.rig import STEPS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
RUNS = 40
VICTIMS = [("engine",), ("w1",), ("engine", "w2"), ("w1", "w2")]
KILLS = int(os.environ.get("DIRIGENT_WORKER_KILLS", "6"))


class Stage:
    """The processes of a storm, by name; whoever is missing is started."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = {}
        self.environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}"}

    def start(self, name):
        if name == "engine":
            child = str(Path(__file__).parent / "engine_child.py")
            command = [sys.executable, child, str(self.folder), str(RUNS)]
        else:
            command = [sys.executable, "-m", "dirigent", "worker", "-C", str(STEPS), "--concurrency", "2"]
            command += ["--connect", str(self.folder / "engine.sock"), "--quiet"]
        self.processes[name] = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def kill(self, name):
        self.processes[name].send_signal(signal.SIGKILL)
        self.processes[name].communicate()

    def end(self):
        for process in self.processes.values():
            process.kill()
            process.communicate()


def storm(folder, seed):
    """Live through a storm; return what the last engine said, and the ledger."""
    stage = Stage(folder)
    try:
        for name in ("engine", "w1", "w2"):
            stage.start(name)
        for number in range(KILLS):
            drawn = int.from_bytes(blake2b(f"{seed} {number}".encode()).digest()[:4])
            time.sleep(0.8 + drawn % 100 / 100)
            for name in VICTIMS[drawn // 100 % len(VICTIMS)]:
                stage.kill(name)
                stage.start(name)
        said, _ = stage.processes["engine"].communicate(timeout=120)
    finally:
        stage.end()
    lines = (folder / "ledger").read_text().splitlines()
    return said.splitlines()[-1].split(), Counter(lines)


@pytest.mark.parametrize("seed", range(2))
def test_a_storm_of_kills_loses_nothing_and_repeats_only_what_may_be_repeated(tmp_path, seed, capsys):
    (word, made, held, completed), ledger = storm(tmp_path, seed)
    assert (word, int(made), int(held) + int(completed)) == ("over", RUNS, RUNS)
    begun = {line: count for line, count in ledger.items() if line.startswith("begin ")}
    once = {line: count for line, count in begun.items() if "once" in line}
    idempotent = {line: count for line, count in begun.items() if "idempotent" in line}
    assert max(once.values()) == 1, "a step that must not be repeated was"
    assert len(idempotent) == RUNS // 2 * 4, "a step was lost"
    repeated = sum(count - 1 for count in idempotent.values())
    assert repeated <= KILLS * 4, f"{repeated} repeated"
    assert all(ledger[line.replace("begin", "end")] >= 1 for line in idempotent)
    with capsys.disabled():
        print(f"\nseed {seed}: {KILLS} rounds of kills, {repeated} steps repeated, {held} runs held")
