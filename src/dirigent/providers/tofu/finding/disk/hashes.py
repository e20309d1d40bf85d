"""The two hashes of a provider: `zh:` of its archive, `h1:` of what is in it.

`h1` is the SHA-256, in base64, over the lines "SHA-256 in hex, two spaces, path" sorted by path.
"""

from __future__ import annotations

import base64
import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dirigent.model import limits
from dirigent.model.record import dataclass

CHUNK_BYTES: Final = 1024 * 1024
ARCHIVE: Final = "zh:"
CONTENT: Final = "h1:"


class Unhashable(Exception):
    """A folder holds what no archive of a provider does; the message names it."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a folder holds: the SHA-256 in hex of each file, by its path with `/`."""

    files: dict[str, str]

    @property
    def h1(self) -> str:
        """Return its `h1:`."""
        return h1_of(self.files)


def h1_of(files: Mapping[str, str]) -> str:
    """Return the `h1:` of files, whose SHA-256 is given in hex."""
    lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(files.items()))
    return CONTENT + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex. Raises `OSError`."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, hashlib.sha256).hexdigest()


def content_of(folder: Path) -> Content:
    """Return the hashes of all that a folder holds. Raises `OSError`, `Unhashable`."""
    found: dict[str, str] = {}
    for place, _, names in os.walk(folder, onerror=_raised):
        for name in names:
            path = Path(place, name)
            shown = path.relative_to(folder).as_posix()
            # A link may lead to a program of any kind, and the program of a provider is its own.
            if not stat.S_ISREG(path.lstat().st_mode):
                raise Unhashable(f"`{shown}` is not a plain file")
            if len(found) >= limits.PROVIDER_FILES:
                raise Unhashable(f"it holds more than {limits.PROVIDER_FILES} files")
            found[shown] = digest_of(path)
    return Content(found)


def _raised(error: OSError) -> None:
    raise error
