"""The folder of what was fetched: a provider appears there whole or not at all.

Several processes may fetch the same provider at once: each unpacks aside and moves the whole folder to its
place. What lies there already with the same content stays; with another it makes room.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dirigent.model.problem import refuse
from dirigent.providers.tofu.finding.disk.archive import unpack
from dirigent.providers.tofu.finding.disk.hashes import Content, Unhashable, content_of
from dirigent.providers.tofu.finding.naming import PROGRAM

WORKING: Final = ".at-work-"
_TAKEN: Final = frozenset({errno.ENOTEMPTY, errno.EEXIST})


def keep_archive(archive: Path, place: Path) -> Content:
    """Unpack an archive to its place and return its content. Raises `BadArchive`, `Refusal` (E3036)."""
    with _aside(place) as aside:
        content = unpack(archive, aside)
        _moved(aside, place, content)
    return content


def keep_folder(folder: Path, place: Path) -> Content:
    """Copy a folder of plain files to its place. Raises `Unhashable`, `Refusal` (E3036)."""
    with _aside(place) as aside:
        shutil.copytree(folder, aside, dirs_exist_ok=True)
        for each in aside.glob(f"{PROGRAM}*"):
            each.chmod(0o755)
        content = content_of(aside)
        _moved(aside, place, content)
    return content


@contextmanager
def _aside(place: Path) -> Iterator[Path]:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        sweep(place.parent)
        with working_folder(place.parent) as aside:
            aside.chmod(0o755)
            yield aside
    except OSError as error:
        raise unwritable(place, error) from None


@contextmanager
def working_folder(parent: Path) -> Iterator[Path]:
    """Yield an empty folder that nobody takes for a provider; what is left of it afterwards is removed."""
    aside, hold = _held(parent)
    try:
        yield aside
    finally:
        os.close(hold)
        shutil.rmtree(aside, ignore_errors=True)


def _held(parent: Path) -> tuple[Path, int]:
    """Return a new folder that is held: who dies lets go of it, and the next one clears it away."""
    while True:
        aside = Path(tempfile.mkdtemp(prefix=WORKING, dir=parent))
        try:
            hold = os.open(aside, os.O_RDONLY)
        except FileNotFoundError:
            continue  # Somebody swept in the moment before it was held.
        fcntl.flock(hold, fcntl.LOCK_SH)
        if aside.exists():
            return aside, hold
        os.close(hold)


def sweep(parent: Path) -> None:
    """Remove the working folders that nobody works in any more."""
    for each in parent.glob(f"{WORKING}*"):
        try:
            hold = os.open(each, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue
        try:
            fcntl.flock(hold, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(each, ignore_errors=True)
        finally:
            os.close(hold)


def _moved(aside: Path, place: Path, content: Content) -> None:
    while True:
        try:
            aside.rename(place)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            if holds(place, content):
                return
            # Who runs the other content goes on doing so: a file lives as long as it is open.
            with working_folder(place.parent) as away:
                _put_away(place, away)
        else:
            return


def _put_away(place: Path, away: Path) -> None:
    try:
        place.rename(away / "before")
    except FileNotFoundError:
        return  # Somebody else is doing the same.


def holds(place: Path, content: Content) -> bool:
    """Return whether a folder has this content, and no other."""
    try:
        return content_of(place) == content
    except (OSError, Unhashable):
        return False


def unwritable(place: Path, error: OSError) -> Exception:
    """Return the refusal of what cannot be written (E3036)."""
    return refuse(
        "E3036",
        f"`{place}` cannot be written: {(error.strerror or str(error)).lower()}",
        "make room there, or name another folder for what is fetched in `DIRIGENT_CACHE`",
    )
