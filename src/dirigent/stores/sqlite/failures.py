"""Errors of SQLite as refusals: what happened, whether the store may go on, and what to do."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

from dirigent.model.problem import Refusal, refuse
from dirigent.stores.forms import corrupt

# The codes that leave the store able to write again later; every other one stops it for good.
PIECE_BYTES: Final = 1024 * 1024
PASSING: Final = frozenset(("E5009", "E5011"))


def closed(path: str) -> Refusal:
    """Return the refusal for the use of a store after its end."""
    return refuse("E5017", f"the store `{path}` is closed", "open it again")


def no_memory(path: str) -> Refusal:
    """Return the refusal for a batch that there was no memory to write."""
    return refuse(
        "E5023",
        f"there is no memory left to write to `{path}`; nothing more is acknowledged",
        "give this process more memory, or let it do less at once, then start Dirigent again",
    )


def refusal(error: sqlite3.Error, path: str) -> Refusal:
    """Return the refusal for an error of SQLite on the file at `path`."""
    # Extended codes keep the plain one in their low byte; errors of the module itself have none.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    match code:
        case sqlite3.SQLITE_FULL:
            return _full(path)
        case sqlite3.SQLITE_IOERR if _has_no_room(path):
            # It could not even make the small file in which readers and writers meet.
            return _full(path)
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return refuse(
                "E5009",
                f"another process keeps `{path}` locked",
                "end the program that writes to the file (a database browser, another engine), then retry",
            )
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return _damaged(error, path)
        case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM | sqlite3.SQLITE_AUTH:
            return refuse(
                "E5012",
                f"`{path}` cannot be opened: {error}",
                "check that the file and its directory exist, and that this user may read and write them",
            )
        case _:
            return refuse(
                "E5010",
                f"`{path}` failed: {error}; nothing more is acknowledged",
                "check the disk and its logs, then start Dirigent again: it recovers what was acknowledged",
            )


def _full(path: str) -> Refusal:
    return refuse(
        "E5011",
        f"the disk of `{path}` is full, so nothing more can be recorded",
        "free some space: runs go on by themselves, and nothing that was recorded is lost",
    )


def _damaged(error: sqlite3.Error, path: str) -> Refusal:
    """Tell a damaged file from a disk that does not give it: SQLite calls both malformed."""
    why = _unreadable(path)
    if not why:
        return corrupt(f"`{path}` is damaged: {error}")
    return refuse(
        "E5021",
        f"the disk of `{path}` cannot be read: {why}; nothing more is acknowledged",
        "check the disk and its logs, then start Dirigent again; the file itself may be sound",
    )


def _unreadable(path: str) -> str:
    """Return why the system does not give us all bytes of the file and its log; nothing when it does."""
    for part in (path, f"{path}-wal"):
        try:
            with Path(part).open("rb", buffering=0) as file:
                while file.read(PIECE_BYTES):
                    pass
        except FileNotFoundError:
            continue
        except OSError as error:
            return error.strerror or str(error)
    return ""


def _has_no_room(path: str) -> bool:
    """Return whether the disk has no block left for us; False when nobody can tell."""
    try:
        return os.statvfs(Path(path).resolve().parent).f_bavail == 0
    except OSError:
        return False
