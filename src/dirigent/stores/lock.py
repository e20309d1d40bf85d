"""The lock that makes one process the engine of a state directory.

The kernel holds it and lets it go when the process dies, however it dies: there is never a stale
lock to remove. What is written in the file is for people only.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from dirigent.stores import files

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class EngineLock:
    """A lock that is held. It ends with `release`, with the `with` block, or with the process."""

    def __init__(self, descriptor: int) -> None:
        """Keep a descriptor that is locked; use `try_take`."""
        self._descriptor: int | None = descriptor

    @classmethod
    def try_take(cls, path: str) -> EngineLock | None:
        """Take the lock, or return None when another process or handle has it.

        The directory is made (0700) if it is missing. Child processes do not inherit the lock.
        Raises `Refusal` (E5012) when the system does not let us have the file.
        """
        try:
            files.make_directory(Path(path).parent)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise files.unusable(path, error) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        with suppress(OSError):  # On a full disk nobody can read who has it; it is ours all the same.
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, _signature().encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let the lock go. The file stays: removing it would let two processes lock two files."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        """Return the lock."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the lock go."""
        self.release()


def holder(path: str) -> str:
    """Return who took the lock last, in words: `process 812, since 2025-01-31T09:00:00+00:00 …`."""
    try:
        text = Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "nobody"
    return text or "nobody"


def _signature() -> str:
    boot = _BOOT.read_text(encoding="ascii").strip() if _BOOT.exists() else "unknown"
    since = datetime.now(tz=UTC).isoformat(timespec="seconds")
    return f"process {os.getpid()}, since {since}, boot {boot}\n"
