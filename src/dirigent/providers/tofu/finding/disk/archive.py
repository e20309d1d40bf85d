"""Archives of providers: looked through before anything is written, unpacked without leaving the folder.

Rule: nothing that an archive claims is believed: neither its names, nor its sizes, nor its kinds of files.
"""

from __future__ import annotations

import errno
import hashlib
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from dirigent.model import limits
from dirigent.providers.tofu.finding.disk.hashes import CHUNK_BYTES, Content
from dirigent.providers.tofu.finding.naming import PROGRAM

# What the library raises of bytes that are no archive, found by changing some.
_BROKEN: Final = (
    *(BadZipFile, zlib.error, struct.error),
    *(EOFError, ValueError, IndexError, NotImplementedError, OverflowError),
)
_ENCRYPTED: Final = 0x1
_UNIX_MODE: Final = 16
_EXECUTABLE: Final = 0o111
# No program shrinks so far; what claims to is made to fill a disk.
_MOST_SHRUNK: Final = 200
_HARMLESS_BYTES: Final = 16 * 1024 * 1024


class BadArchive(Exception):
    """An archive is not one of a provider; the message says what is wrong, as the end of a sentence."""


def content_in(path: Path) -> Content:
    """Return the hashes of what is in an archive, without unpacking it. Raises `BadArchive`, `OSError`."""
    with _opened(path) as archive:
        return Content({each.filename: _copied(archive, each, None) for each in _members(archive, path)})


def unpack(path: Path, folder: Path) -> Content:
    """Unpack an archive into an empty folder and return the hashes. Raises `BadArchive`, `OSError`."""
    found: dict[str, str] = {}
    with _opened(path) as archive:
        for each in _members(archive, path):
            place = folder / each.filename
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("xb") as stream:
                found[each.filename] = _copied(archive, each, stream)
            runs = place.name.startswith(PROGRAM) or each.external_attr >> _UNIX_MODE & _EXECUTABLE
            place.chmod(0o755 if runs else 0o644)
    return Content(found)


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    try:
        with ZipFile(path) as archive:
            yield archive
    except _BROKEN as error:
        raise BadArchive(f"is no archive that can be read: {error}") from None
    except OSError as error:
        # A place that it names lies before its own beginning.
        if error.errno != errno.EINVAL:
            raise
        raise BadArchive("is no archive that can be read: its list of files leads nowhere") from None


def _members(archive: ZipFile, path: Path) -> list[ZipInfo]:
    found = [each for each in archive.infolist() if not each.is_dir()]
    if not found or len(found) > limits.PROVIDER_FILES:
        raise BadArchive(f"holds {len(found) or 'no'} files; at most {limits.PROVIDER_FILES} are taken")
    if len({each.filename for each in found}) < len(found):
        raise BadArchive("holds two files of one name")
    for each in found:
        _check(each)
    size = sum(each.file_size for each in found)
    most = max(_HARMLESS_BYTES, path.stat().st_size * _MOST_SHRUNK)
    if size > min(most, limits.PROVIDER_UNPACKED_BYTES):
        raise BadArchive(f"would become {size} bytes, which is more than a provider has")
    return found


def _check(member: ZipInfo) -> None:
    name, shown = PurePosixPath(member.filename), member.filename[:200]
    if name.is_absolute() or ".." in name.parts or "\\" in member.filename or str(name) != member.filename:
        raise BadArchive(f"holds `{shown}`, which leads out of its folder")
    mode = member.external_attr >> _UNIX_MODE
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG}:
        raise BadArchive(f"holds `{shown}`, which is not a plain file")
    if member.flag_bits & _ENCRYPTED or member.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:
        raise BadArchive(f"holds `{shown}` in a form that no registry gives")


def _copied(archive: ZipFile, member: ZipInfo, target: BinaryIO | None) -> str:
    """Return the SHA-256 of a file in an archive, and write it where a target is given."""
    digest = hashlib.sha256()
    with archive.open(member) as stream:
        # It stops at the size that was counted, and compares what came with its check sum.
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
            if target is not None:
                target.write(chunk)
    return digest.hexdigest()
