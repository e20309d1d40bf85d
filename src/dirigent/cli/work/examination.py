"""Look at the machine: what Dirigent needs, what it uses when it is there, and where the state lies."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from dirigent.model.record import dataclass
from dirigent.settings import Settings
from dirigent.stores.lock import EngineLock, holder

PYTHON: Final = (3, 11)
# WAL2 fixes and `RETURNING` are in every SQLite from here on.
SQLITE: Final = (3, 35)
FREE_BYTES: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Check:
    """One finding: `status` is ok, warn or fail; `remedy` is what to do about it."""

    id: str
    status: str
    found: str
    remedy: str = ""


def examine(settings: Settings) -> list[Check]:
    """Return every finding, in a fixed order."""
    return [*_programs(), *_kernel(), *_state(settings)]


def _programs() -> Iterator[Check]:
    version = platform.python_version()
    if sys.version_info[:2] >= PYTHON:
        yield Check("D001", "ok", f"Python {version}")
    else:
        yield Check("D001", "fail", f"Python {version}", "use Python 3.11 or newer")
    if sqlite3.sqlite_version_info[:2] >= SQLITE:
        yield Check("D002", "ok", f"SQLite {sqlite3.sqlite_version}")
    else:
        yield Check("D002", "fail", f"SQLite {sqlite3.sqlite_version}", "use a newer Python")
    if hasattr(yaml, "CSafeLoader"):
        yield Check("D003", "ok", f"PyYAML {yaml.__version__} with libyaml")
    else:
        yield Check("D003", "warn", "PyYAML without libyaml: documents load slowly", "install its wheel")
    if shutil.which("sh"):
        yield Check("D004", "ok", "a shell for `run: shell`")
    else:
        yield Check("D004", "warn", "no `sh` on PATH", "install one to use `run: shell`")
    if shutil.which("node"):
        yield Check("D005", "ok", "node for JavaScript scripts")
    else:
        yield Check("D005", "ok", "no node: JavaScript scripts cannot run (Python ones can)")


def _kernel() -> Iterator[Check]:
    if sys.platform == "linux":
        yield Check("D010", "ok", f"Linux {platform.release()}")
    else:
        yield Check("D010", "fail", f"{sys.platform}: services and scripts need Linux", "use Linux, or WSL")
    if hasattr(os, "pidfd_open"):
        yield Check("D011", "ok", "processes can be watched (pidfd)")
    else:
        yield Check("D011", "fail", "the kernel cannot watch processes", "use Linux 5.3 or newer")


def _state(settings: Settings) -> Iterator[Check]:
    folder = Path(settings.state)
    if not folder.exists():
        yield _coming(folder)
        return
    if not folder.is_dir():
        yield Check("D020", "fail", f"{folder} is no folder", "name one with `--state`")
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield Check(
            "D020", "fail", f"this user may not read and write {folder}", f"chown -R $(id -un) {folder}"
        )
        return
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        yield Check("D020", "warn", f"{folder} is open to others (mode {mode:04o})", f"chmod 700 {folder}")
    else:
        yield Check("D020", "ok", f"state in {folder}")
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES:
        yield Check("D021", "warn", f"{free // 2**20} MiB are free beside the state", "make room there")
    else:
        yield Check("D021", "ok", f"{free // 2**30} GiB free beside the state")
    yield _engine(settings)


def _coming(folder: Path) -> Check:
    """Say whether a state folder that is not there can be made."""
    above = next(each for each in folder.parents if each.exists())
    if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
        return Check("D020", "ok", f"no state yet; it will be in {folder}")
    return Check(
        "D020",
        "fail",
        f"no state yet, and this user may not write in {above}",
        "name a folder that is, with `--state`",
    )


def _engine(settings: Settings) -> Check:
    lock = EngineLock.try_take(settings.lock)
    if lock is None:
        return Check("D022", "ok", f"an engine runs: {holder(settings.lock)}")
    lock.release()
    return Check("D022", "ok", "no engine runs")
