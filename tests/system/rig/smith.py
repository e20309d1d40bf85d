"""The test's side of the fork server: let engines live and die, and know every process they leave."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from system.rig.fuse import LITTLE_SECONDS, Death

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60.0


@dataclass(frozen=True)
class Life:
    """How one engine lived: its exit code (a signal as a negative number), output and places."""

    argv: tuple
    code: int
    out: str
    err: str
    places: tuple = ()
    times: tuple = ()

    @property
    def killed(self):
        return self.code == -signal.SIGKILL

    @property
    def answer(self):
        return json.loads(self.out)

    def deaths(self):
        """Return one death for each place, in order: by a name, so that it is found in another life."""
        seen = Counter()
        found = []
        for place, at in zip(self.places, self.times, strict=True):
            seen.update(place)
            name = min(place, key=lambda each: (seen[each], place.index(each)))
            found.append(Death(name, seen[name], seconds=self._half(name, at)))
        return found

    def _half(self, name, at):
        """Return half of the time that an effect took, for the death amid it."""
        if not name.startswith("amid "):
            return LITTLE_SECONDS
        after = name.replace("amid ", "after ", 1)
        ends = [
            end for place, end in zip(self.places, self.times, strict=True) if after in place and end > at
        ]
        return max((ends[0] - at) / 2, 0.0005) if ends else LITTLE_SECONDS


@dataclass
class Tally:
    """What was tried, for the summary: places of the calm run, rounds, and kills that struck."""

    title: str
    places: int = 0
    rounds: int = 0
    kills: int = 0

    def line(self):
        return f"{self.title}: {self.places} kill points, {self.rounds} rounds, {self.kills} kills"


@dataclass
class Forge:
    """The fork server of one test module."""

    scratch: Path
    process: subprocess.Popen = field(init=False)
    lives: int = 0

    def __post_init__(self):
        environment = {
            **os.environ,
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT / 'tests'}",
            "NO_COLOR": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "system.rig.forge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )

    def live(self, *argv, death=None, plant=None, environment=None):
        """Let an engine live through one command."""
        self.lives += 1
        report = self.scratch / f"life-{self.lives}"
        order = {
            "argv": argv,
            "report": str(report),
            "death": asdict(death) if death else None,
            "plant": plant,
            "environment": environment or {},
        }
        code = self._ask(order)["code"]
        records = [json.loads(line) for line in Path(f"{report}.places").read_text().splitlines()]
        lived = Life(
            argv,
            code,
            Path(f"{report}.out").read_text(),
            Path(f"{report}.err").read_text(),
            tuple(tuple(record["names"]) for record in records),
            tuple(record["at"] for record in records),
        )
        for end in ("places", "out", "err"):
            Path(f"{report}.{end}").unlink()
        return lived

    def _ask(self, order):
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], PATIENCE_SECONDS)[0]:
            stuck = [each for each in self.family() if parent_of(each) == self.process.pid]
            raise AssertionError(f"{order['argv']} does not end: {stuck}")
        return json.loads(self.process.stdout.readline())

    def family(self):
        """Return every living process that comes from our engines, however it detached itself."""
        parents = {pid: parent_of(pid) for pid in processes()}
        found, fresh = set(), {self.process.pid}
        while fresh:
            fresh = {pid for pid, parent in parents.items() if parent in fresh} - found
            found |= fresh
        return found

    def left(self):
        """Return the command lines of what lives, when it should be nothing; it may take a moment to end."""
        until(lambda: not self.family())
        return [words_of(pid) for pid in self.family()]

    def sweep(self):
        """Kill everything that our engines left, and wait until it is gone."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while left := self.family():
            for pid in left:
                kill(pid)
            self._ask({"argv": [], "reap": True})
            assert time.monotonic() < deadline, f"{left} cannot be killed"

    def close(self):
        self.sweep()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


def kill(pid):
    """Kill a process of ours, if it is still there."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def parent_of(pid):
    """Return the parent of a living process, None for a dead one."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[1])


def processes():
    """Return the numbers of all processes of this machine."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def words_of(pid):
    """Return the command line of a process, for messages."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
    except (FileNotFoundError, ProcessLookupError):
        return "gone"


def until(holds, seconds=10.0):
    """Return what `holds` gives as soon as it is true, or what it gave last."""
    deadline = time.monotonic() + seconds
    while not (found := holds()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return found
