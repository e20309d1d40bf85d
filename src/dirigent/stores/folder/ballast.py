"""Space that is held back for the day on which the disk is full.

Removing needs space, too: a transaction that deletes is written to the log first. Whoever is to make room
gives this up, and with it the room to make more.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from dirigent.stores import files

BYTES: Final = 16 * 1024 * 1024
# It is laid only where so many times its size would still be free.
FREE: Final = 8


def lay(path: str, size: int = BYTES) -> bool:
    """Hold space back beside a store, unless that is done; return whether it is there now."""
    ballast = Path(path)
    if ballast.exists():
        return True
    try:
        free = os.statvfs(ballast.parent)
        if free.f_bavail * free.f_frsize < FREE * size:
            return False
        descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
        finally:
            os.close(descriptor)
        files.sync_directory(ballast.parent)
    except OSError:
        release(path)
        return False
    return True


def release(path: str) -> bool:
    """Give the space back; return whether there was any."""
    try:
        Path(path).unlink()
    except OSError:
        return False
    return True
