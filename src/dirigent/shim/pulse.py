"""Whether a process is still the one that we mean: its pid, its start time and the boot together.

A pid alone is reused; the start time (clock ticks since boot) tells the new bearer from the former.
"""

from __future__ import annotations

import os


def boot_id() -> str:
    """Return the identity of this boot of the machine."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def start_ticks(pid: int) -> int | None:
    """Return when a living process started, in clock ticks since boot; None for a dead one."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The command name may hold blanks and brackets; the fields follow the last bracket.
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])


def mark_of(pid: int) -> dict[str, object]:
    """Return what recognises a process later."""
    return {"pid": pid, "ticks": start_ticks(pid), "boot": boot_id()}


def alive(mark: dict[str, object]) -> bool:
    """Return whether the process that was marked still lives."""
    pid, ticks = mark.get("pid"), mark.get("ticks")
    if not isinstance(pid, int) or not isinstance(ticks, int) or mark.get("boot") != boot_id():
        return False
    return start_ticks(pid) == ticks


def bearing(name: str, value: str) -> list[int]:
    """Return the living processes that were started with this environment variable, ourselves left out.

    This finds what a killed supervisor left behind. Processes of other users cannot be read and are not ours.
    """
    wanted = f"{name}={value}".encode()
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/environ", "rb") as file:
                variables = file.read().split(b"\0")
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue
        if wanted in variables and start_ticks(int(entry)) is not None:
            found.append(int(entry))
    return sorted(found)
