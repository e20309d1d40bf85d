"""Files of states: read whole or refused, written whole or not at all, and for nobody else to read."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from dirigent.model import limits
from dirigent.model.problem import Refusal, refuse

STANDARD: Final = "-"
_BACKUP: Final = ".backup"


def read(path: str) -> bytes:
    """Return the content of a file, or of standard input for `-`. Raises `Refusal` (E3064)."""
    try:
        if path == STANDARD:
            return sys.stdin.buffer.read(limits.STATE4_BYTES + 1)
        with Path(path).open("rb") as file:
            return file.read(limits.STATE4_BYTES + 1)
    except OSError as error:
        raise _failed(path, "read", error) from None


def existing(path: str) -> bytes | None:
    """Return the content of a file that may be missing. Raises `Refusal` (E3064)."""
    return read(path) if path != STANDARD and Path(path).exists() else None


def write(path: str, text: str) -> None:
    """Write a file of mode 0600; what it held stays beside it, as `.backup`. Raises `Refusal` (E3064)."""
    place = Path(path)
    try:
        if place.exists():
            _replace(place.with_name(place.name + _BACKUP), place.read_bytes())
        _replace(place, text.encode("utf-8"))
    except (OSError, UnicodeEncodeError) as error:
        raise _failed(path, "written", error) from None


def _replace(place: Path, content: bytes) -> None:
    beside = place.with_name(f".{place.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _failed(path: str, verb: str, error: OSError | UnicodeEncodeError) -> Refusal:
    why = error.strerror or type(error).__name__ if isinstance(error, OSError) else "it holds no Unicode"
    return refuse("E3064", f"`{path}` cannot be {verb}: {why}", "name another file, or mend what keeps it")
