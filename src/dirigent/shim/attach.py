"""The engine's side of a supervised command: start it, wait for it, stop it, find it again.

All that is known stands in one folder per order: `order.json` before anything starts, `claim.json`
from the moment it may have started, `status.json` when it is over. `state` reads these and no more.
Cancelling `wait` leaves the command alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import time
from dataclasses import field
from enum import Enum
from typing import Final

from dirigent.model import limits
from dirigent.model.record import dataclass
from dirigent.shim import detach, files, pulse, watch

MARK: Final = "DIRIGENT_EFFECT_ID"
# After the grace and the kill: how long a supervisor may take to write down the end.
CLOSING_SECONDS: Final = 5.0


class State(Enum):
    """What a spool folder tells. LOST: it was claimed, its supervisor is gone, and no end is recorded."""

    ABSENT = "absent"
    ORDERED = "ordered"
    RUNNING = "running"
    ENDED = "ended"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `environment` is all of it; it and `stdin` are never written to a disk.

    `id` marks every process of the command (variable `DIRIGENT_EFFECT_ID`).
    """

    id: str
    argv: tuple[str, ...]
    folder: str
    environment: dict[str, str] = field(default_factory=dict)
    stdin: str | None = None
    output_bytes: int = limits.PROCESS_OUTPUT_BYTES


@dataclass(frozen=True, slots=True)
class Exit:
    """How it ended: an exit code, or the number of a signal, or an `error` because it never started.

    Times are seconds since the epoch. `stopped` says that it ended because we wanted it to.
    """

    code: int | None
    signal: int | None
    error: str | None
    stopped: bool
    stdout_truncated: bool
    stderr_truncated: bool
    started_at: float
    ended_at: float


class ShimLost(Exception):
    """The supervisor is gone without a recorded end, or could not be started; the message is evidence."""


async def start(spool: str, command: Command) -> None:
    """Order the command and start its supervisor; it may have been claimed by another before.

    Raises `ShimLost` when no supervisor came up; then nothing was started.
    """
    await asyncio.to_thread(_start, spool, command)
    if state(spool) is State.ORDERED:
        raise ShimLost(f"the supervisor did not start: {detach.trace_tail(os.path.join(spool, 'trace'))}")


async def wait(spool: str) -> Exit:
    """Return how it ended. Raises `ShimLost` when nobody can say."""
    claim = files.read_record(os.path.join(spool, "claim.json")) or {}
    await watch.gone(claim)
    ended = end_of(spool)
    if ended is None:
        raise ShimLost("the supervisor ended without a recorded end")
    return ended


async def stop(spool: str, grace_seconds: float = limits.PROCESS_GRACE_SECONDS) -> None:
    """End it: TERM to the whole group, KILL after the grace; return when nothing of it is left.

    The wish is on disk before the signal, so the supervisor carries it out even if we die here.
    """
    if _forbid(spool):
        return
    claim = files.read_record(os.path.join(spool, "claim.json")) or {}
    if pulse.alive(claim):
        wish: dict[str, object] = {"grace_seconds": grace_seconds}
        files.write_durably(os.path.join(spool, "stop.json"), files.encode(wish))
        watch.send(claim, signal.SIGTERM)
        try:
            async with asyncio.timeout(grace_seconds + CLOSING_SECONDS):
                await watch.gone(claim)
        except TimeoutError:
            watch.send(claim, signal.SIGKILL)
    order = files.read_record(os.path.join(spool, "order.json"))
    if order is not None and state(spool) is State.LOST:
        await asyncio.to_thread(clear_remains, str(order["id"]))


def clear_remains(identity: str) -> list[int]:
    """Kill what a killed supervisor left behind; return the pids."""
    return watch.kill_bearing(MARK, identity)


def state(spool: str) -> State:
    """Return what the folder tells."""
    claim = files.read_record(os.path.join(spool, "claim.json"))
    if claim is None:
        return State.ORDERED if os.path.exists(os.path.join(spool, "order.json")) else State.ABSENT
    if not os.path.exists(os.path.join(spool, "status.json")):
        if pulse.alive(claim):
            return State.RUNNING
        # It may have ended between our two looks.
        if not os.path.exists(os.path.join(spool, "status.json")):
            return State.LOST
    return State.ENDED


def end_of(spool: str) -> Exit | None:
    """Return the recorded end, or None."""
    status = files.read_record(os.path.join(spool, "status.json"))
    if status is None:
        return None
    code, number, error = status.get("code"), status.get("signal"), status.get("error")
    return Exit(
        code=code if isinstance(code, int) else None,
        signal=number if isinstance(number, int) else None,
        error=error if isinstance(error, str) else None,
        stopped=bool(status.get("stopped")),
        stdout_truncated=bool(status.get("stdout_truncated")),
        stderr_truncated=bool(status.get("stderr_truncated")),
        started_at=_seconds(status.get("started_at")),
        ended_at=_seconds(status.get("ended_at")),
    )


def output_of(spool: str, stream: str) -> str:
    """Return what it wrote to `stdout` or `stderr` so far; bytes that are not UTF-8 are replaced."""
    try:
        with open(os.path.join(spool, stream), "rb") as file:
            return file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def evidence_of(spool: str) -> dict[str, str | int | None]:
    """Return what is known of an order whose end is not, for the person who must decide."""
    order = files.read_record(os.path.join(spool, "order.json")) or {}
    claim = files.read_record(os.path.join(spool, "claim.json")) or {}
    pid = claim.get("pid")
    return {
        "spool": spool,
        "ordered_at": str(order.get("at", "")),
        "supervisor": pid if isinstance(pid, int) else None,
        "machine": "restarted since" if claim.get("boot") != pulse.boot_id() else "not restarted since",
        "stdout": output_of(spool, "stdout")[-1000:],
        "stderr": output_of(spool, "stderr")[-1000:],
    }


def hold(spool: str, run: str) -> None:
    """Note that a run waits for a person who may want to look at this folder."""
    files.write_durably(os.path.join(spool, "held.json"), files.encode({"run": run}))


def held_for(folder: str, order: str) -> str | None:
    """Return the run for which a folder was noted as evidence, None if there is none."""
    note = files.read_record(os.path.join(folder, order, "held.json"))
    return None if note is None else str(note["run"])


def set_aside(spool: str) -> None:
    """Give way to a fresh start: the folder is kept under another name, as evidence."""
    number = 1
    while os.path.exists(f"{spool}.{number}"):
        number += 1
    os.rename(spool, f"{spool}.{number}")
    files.sync_folder(os.path.dirname(spool))


def orders(folder: str) -> list[str]:
    """Return the names of the spools in a folder: `ID-ATTEMPT`, and `ID-ATTEMPT.N` for those set aside."""
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def discard(folder: str, order: str) -> None:
    """Delete the spool of one order, and what was set aside for it; what runs stays."""
    if _delete(folder, order):
        number = 1
        while _delete(folder, f"{order}.{number}"):
            number += 1


def _delete(folder: str, name: str) -> bool:
    """Delete one folder unless its command runs; return whether it was there to be deleted."""
    spool = os.path.join(folder, name)
    if not os.path.isdir(spool) or state(spool) is State.RUNNING:
        return False
    shutil.rmtree(spool, ignore_errors=True)
    return True


def _forbid(spool: str) -> bool:
    """Take the claim ourselves, so that a start which is still on its way comes to nothing."""
    files.make_folder(spool)
    return files.write_once(os.path.join(spool, "claim.json"), files.encode({"forbidden": True}))


def _start(spool: str, command: Command) -> None:
    files.make_folder(spool)
    order: dict[str, object] = {
        "id": command.id,
        "argv": list(command.argv),
        "folder": command.folder,
        "variables": sorted(command.environment),
        "output_bytes": command.output_bytes,
        "boot": pulse.boot_id(),
        "at": time.time(),
    }
    files.write_durably(os.path.join(spool, "order.json"), files.encode(order))
    private = json.dumps({"environment": {**command.environment, MARK: command.id}, "stdin": command.stdin})
    detach.start_detached("dirigent.shim.command", spool, private.encode(), os.path.join(spool, "trace"))


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
