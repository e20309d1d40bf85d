"""Small files that are whole or absent, also after a power cut. Modes are 0700 and 0600."""

from __future__ import annotations

import json
import os
from _thread import get_native_id

FOLDER_MODE = 0o700
FILE_MODE = 0o600


def sync_folder(folder: str) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: str) -> None:
    """Create a folder and its parents, for the owner only, and make its name durable."""
    parent = os.path.dirname(folder)
    if parent and not os.path.isdir(parent):
        make_folder(parent)
    try:
        os.mkdir(folder, FOLDER_MODE)
    except FileExistsError:
        return
    sync_folder(parent or ".")


def write_flushed(path: str, content: bytes) -> None:
    """Write and flush a file under a name that nobody reads yet."""
    descriptor = os.open(
        path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE
    )
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def write_report(path: str, content: bytes) -> None:
    """Replace a file atomically, but without waiting for the disk: for what a crash may take back."""
    temporary = f"{path}.{get_native_id()}.tmp"
    with open(temporary, "wb", opener=_private) as file:
        file.write(content)
    os.replace(temporary, path)


def write_durably(path: str, content: bytes) -> None:
    """Replace a file: a reader sees the former content or the whole of this one."""
    temporary = f"{path}.{get_native_id()}.tmp"
    write_flushed(temporary, content)
    os.replace(temporary, path)
    sync_folder(os.path.dirname(path))


def write_once(path: str, content: bytes) -> bool:
    """Create a file with its whole content, or return False because somebody was first.

    A hard link is atomic and exclusive, so nobody ever sees a claim without its content.
    """
    temporary = f"{path}.{get_native_id()}.tmp"
    write_flushed(temporary, content)
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(temporary)
    sync_folder(os.path.dirname(path))
    return True


def encode(record: dict[str, object]) -> bytes:
    """Return a record as one line of JSON."""
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def read_record(path: str) -> dict[str, object] | None:
    """Return a stored record, or None where there is none that can be read."""
    try:
        with open(path, "rb") as file:
            record = json.loads(file.read())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
