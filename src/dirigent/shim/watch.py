"""Waiting for, and signalling, a process that is not our child, by its mark."""

from __future__ import annotations

import asyncio
import os
import signal

from dirigent.shim import pulse


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
    """Kill whatever was started with this environment variable, and return the pids."""
    pids = pulse.bearing(name, value)
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
    return pids


def _resolve(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
