"""The provider's side of a service folder: write down what shall be, wake the steward, wait for its word.

Every step may be repeated after a crash at any line: a wish is durable before anybody is woken, and
the same attempt of the same effect finds its own wish again.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dirigent.providers.services.definition import Definition
from dirigent.providers.services.folder import MARK, ServiceFolder, Status, Wish
from dirigent.shim import detach, pulse, watch

STEWARD: Final = "dirigent.providers.services.steward.keep"
LOOK_SECONDS: Final = 0.02
# Beyond all times of the definition itself, before a steward that says nothing is given up.
PATIENCE_SECONDS: Final = 30.0
STARTS: Final = 3
# What is left of a service that never became well: its output, and its address for the next try.
KEPT: Final = ("service.log", "address.json")


class NoSteward(Exception):
    """The steward cannot be started, or does not do its work; the message says what is known."""


def standing(folder: ServiceFolder) -> Status | None:
    """Return how the service stands, or None when nobody keeps it."""
    status = folder.status()
    return status if status is not None and pulse.alive(status.mark) else None


def desire(
    folder: ServiceFolder,
    key: str,
    definition: Definition,
    texts: tuple[dict[str, object], dict[str, str]],
    *,
    again: bool,
) -> Wish:
    """Write down what shall be and return it. With `again`, a wish with this key is left as it stands.

    `texts` are the configuration as it may be shown, and the secrets that must not be.
    """
    former = folder.desired()
    if again and former is not None and former.key == key and former.definition is not None:
        return former
    shown, secrets = texts
    wish = Wish(former.generation + 1 if former else 1, key, definition, shown, secrets)
    folder.desire(wish)
    return wish


async def settled(folder: ServiceFolder, wish: Wish) -> Status:
    """Return how the service stands when the wish is done with. Raises `NoSteward`."""
    patience = PATIENCE_SECONDS
    if wish.definition is not None:
        patience += wish.definition.health.within_seconds + 2 * wish.definition.grace_seconds
    starts = 0
    try:
        async with asyncio.timeout(patience):
            woken: dict[str, object] = {}
            while True:
                status = standing(folder)
                if status is None:
                    if starts == STARTS:
                        raise NoSteward(f"the steward does not stay: {detach.trace_tail(str(folder.trace))}")
                    starts += 1
                    await asyncio.to_thread(_start, folder)
                elif status.settled >= wish.generation:
                    return status
                elif woken != status.mark:
                    woken = status.mark
                    watch.send(status.mark, signal.SIGHUP)
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError as reason:
        raise NoSteward(f"the steward did not answer within {patience:g} s") from reason


async def remove(folder: ServiceFolder, grace_seconds: float, *, keep_log: bool = False) -> None:
    """End the service and delete its folder; nothing to do when it is gone. Raises `NoSteward`."""
    if not folder.path.exists():
        return
    former = folder.desired()
    # Durable first: a steward that is only just starting must find it.
    folder.desire(Wish(former.generation + 1 if former else 1, "remove", None))
    patience = PATIENCE_SECONDS + 2 * grace_seconds
    try:
        async with asyncio.timeout(patience):
            while not _released(folder):
                status = standing(folder)
                if status is not None:
                    watch.send(status.mark, signal.SIGHUP)
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError as reason:
        raise NoSteward(f"the steward did not end within {patience:g} s") from reason
    with _alone(folder.path / "lock"):
        watch.kill_bearing(MARK, str(folder.path))
        _delete(folder.path, KEPT if keep_log else ())


def _start(folder: ServiceFolder) -> None:
    detach.start_detached(STEWARD, str(folder.path), b"", str(folder.trace))


def _released(folder: ServiceFolder) -> bool:
    """Return whether no steward holds the folder."""
    try:
        with _alone(folder.path / "lock"):
            return True
    except BlockingIOError:
        return False


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Keep stewards out; raises `BlockingIOError` when there is one."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _delete(path: Path, kept: tuple[str, ...]) -> None:
    if not kept:
        shutil.rmtree(path, ignore_errors=True)
        return
    for each in path.iterdir():
        if not each.name.startswith(kept):
            each.unlink(missing_ok=True)
