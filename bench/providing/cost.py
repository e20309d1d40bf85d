"""What a command costs with everything that it starts: CPU seconds, wall seconds, and memory at its peak."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SUBREAPER: Final = 36
_LOOK_SECONDS: Final = 0.1
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """`peak` is the memory of all its processes together, in MiB, looked at ten times a second."""

    cpu: float
    wall: float
    peak: float
    code: int
    said: str = ""


def adopt_orphans() -> None:
    """Become the parent of every process that a command leaves behind: its CPU time counts, too."""
    if ctypes.CDLL(None, use_errno=True).prctl(_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "cannot adopt orphans")


def cost_of(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], patience: float = 600.0
) -> Cost:
    """Run a command to its end; one that takes longer than `patience` seconds is killed (code -9)."""
    began, used = time.monotonic(), _used()
    peak = 0
    report = folder / "said.txt"
    with report.open("wb") as said:
        process = subprocess.Popen(
            words, cwd=folder, env={**environment}, stdout=said, stderr=subprocess.STDOUT
        )
        while process.poll() is None:
            peak = max(peak, _resident(process.pid))
            if time.monotonic() - began > patience:
                process.kill()
            with suppress(subprocess.TimeoutExpired):
                process.wait(_LOOK_SECONDS)
    wall = time.monotonic() - began
    _bury()
    text = report.read_text(errors="replace")
    return Cost(round(_used() - used, 3), round(wall, 3), round(peak / MIB, 1), process.returncode, text)


def resident_of(pid: int) -> float:
    """Return the memory of a process and all that it has started, in MiB."""
    return _resident(pid) / MIB


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process that runs, and of all that it has started."""
    ticks = 0
    for each in (pid, *_below(pid)):
        with suppress(OSError):
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _bury() -> None:
    """Wait for all that a command has left behind."""
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)


def _resident(pid: int) -> int:
    pages = 0
    for each in (pid, *_below(pid)):
        with suppress(OSError):
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
    return pages * _PAGE_BYTES


def _below(pid: int) -> list[int]:
    """Return the processes that a process has started, and what these have."""
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found += [int(child), *_below(int(child))]
    return found
