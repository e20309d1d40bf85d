"""The folder of what was fetched: a provider appears there whole or not at all.

Several processes may fetch the same provider at once: each unpacks aside and moves the whole folder to its
place. What lies there already with the same content stays; with another it makes room.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dirigent.model.problem import refuse
from dirigent.providers.tofu.finding.disk.archive import unpack
from dirigent.providers.tofu.finding.disk.hashes import Content, Unhashable, content_of
from dirigent.providers.tofu.finding.naming import PROGRAM


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
    aside = ""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = tempfile.mkdtemp(prefix=".", dir=place.parent)
        Path(aside).chmod(0o755)
        yield Path(aside)
    except OSError as error:
        raise unwritable(place, error) from None
    finally:
        if aside:
            shutil.rmtree(aside, ignore_errors=True)


def _moved(aside: Path, place: Path, content: Content) -> None:
    while True:
        try:
            aside.rename(place)
        except OSError:
            if not place.is_dir():
                raise
            if holds(place, content):
                return
            # Who runs the other content goes on doing so: a file lives as long as it is open.
            with tempfile.TemporaryDirectory(prefix=".", dir=place.parent) as away:
                place.rename(Path(away, "before"))
        else:
            return


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
