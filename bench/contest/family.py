"""The processes below this one: their processor time and their memory, those included that already died.

This process makes itself the reaper of orphans, so that what a killed client leaves stays in the family.
"""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from pathlib import Path
from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36
SAMPLE_SECONDS = 0.2


def adopt_orphans() -> None:
    """Become the parent of every orphan below."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _seen() -> dict[int, tuple[int, int]]:
    """Return each process of the machine: its parent, and its ticks with those of its dead children."""
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                text = Path(entry.path, "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            words = text[text.rindex(")") + 2 :].split()
            found[int(entry.name)] = (int(words[1]), sum(int(word) for word in words[11:15]))
    return found


def members(seen: dict[int, tuple[int, int]]) -> list[int]:
    """Return the ids of all descendants of this process."""
    children: dict[int, list[int]] = {}
    for process, (parent, _) in seen.items():
        children.setdefault(parent, []).append(process)
    found, ahead = [], list(children.get(os.getpid(), ()))
    while ahead:
        process = ahead.pop()
        found.append(process)
        ahead += children.get(process, ())
    return found


def cpu_seconds() -> float:
    """Return the processor seconds of all descendants, the dead among them."""
    seen, own = _seen(), os.times()
    return sum(seen[each][1] for each in members(seen)) / TICKS + own.children_user + own.children_system


def pss_mib() -> float:
    """Return the memory of all descendants; pages that several share are counted once."""
    total = 0
    for process in members(_seen()):
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def end_orphans(spared: set[int]) -> None:
    """Kill the descendants that are not spared: a client that died leaves its workers to us."""
    seen = _seen()
    for process in members(seen):
        line, here = process, os.getpid()
        while line not in (here, 0) and line not in spared:
            line = seen[line][0] if line in seen else 0
        if line == here:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue


class Peak:
    """Samples the family's memory until the block ends; `mib` is the most that was seen."""

    def __init__(self) -> None:
        """Have seen nothing."""
        self.mib = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            self.mib = max(self.mib, pss_mib())
            if self._over.wait(SAMPLE_SECONDS):
                return
