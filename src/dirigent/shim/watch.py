"""Waiting for, and signalling, a process that is not our child, by its mark."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import Final

from dirigent.shim import pulse

# Looks that must find nothing new before we believe that nothing is left.
CLEAR_LOOKS: Final = 2


async def gone(mark: dict[str, object]) -> None:
    """Return when the marked process has ended; at once when it is not there."""
    pid = mark.get("pid")
    if not isinstance(pid, int):
        return
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        # The descriptor is bound to the process now, so this look cannot be overtaken by a reuse.
        if pulse.alive(mark):
            await readable(descriptor)
    finally:
        os.close(descriptor)


async def readable(descriptor: int) -> None:
    """Return when there is something to read; for a process descriptor, when the process has ended."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _resolve, found)
    try:
        await found
    finally:
        loop.remove_reader(descriptor)


def send(mark: dict[str, object], number: int) -> bool:
    """Signal the marked process; return False when it is not there."""
    pid = mark.get("pid")
    if not isinstance(pid, int):
        return False
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        if not pulse.alive(mark):
            return False
        signal.pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def kill_bearing(name: str, value: str) -> list[int]:
    """Kill whatever was started with this environment variable, and return the pids.

    One look is not enough: it misses a child forked behind it, and one that is becoming its program just
    then shows no variables at all. So we look until nothing new was found `CLEAR_LOOKS` times in a row.
    """
    killed: set[int] = set()
    clear = 0
    while clear < CLEAR_LOOKS:
        fresh = set(pulse.bearing(name, value)) - killed
        clear = 0 if fresh else clear + 1
        killed |= fresh
        for pid in fresh:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
    return sorted(killed)


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
