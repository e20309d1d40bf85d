"""What is done to the file system: look, write whole, make, remove. Blocking; called in a thread.

A write goes to a file beside the target, named after the effect, and is renamed over it when it is
on the disk. What a crash leaves of it is found by the same name and removed by the next attempt.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from dirigent.model import limits
from dirigent.model.record import dataclass
from dirigent.ports.resources import ProviderFailed


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at a path. `kind` is file, directory or other; `content` only for a file, whole."""

    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    content: bytes | None = None


def look(path: str) -> Found | None:
    """Return what stands at a path without following a symbolic link, None when nothing does.

    The content is not read beyond `limits.FILE_CONTENT_BYTES`; then it is None.
    """
    try:
        seen = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    mode = stat.S_IMODE(seen.st_mode)
    if stat.S_ISDIR(seen.st_mode):
        return Found("directory", mode, seen.st_uid, seen.st_gid, 0)
    if not stat.S_ISREG(seen.st_mode):
        return Found("other", mode, seen.st_uid, seen.st_gid, 0)
    content = None
    if seen.st_size <= limits.FILE_CONTENT_BYTES:
        try:
            with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
                content = file.read(limits.FILE_CONTENT_BYTES + 1)
        except FileNotFoundError:
            return None
    return Found("file", mode, seen.st_uid, seen.st_gid, seen.st_size, content)


def write_whole(path: str, content: bytes, mode: int, owners: tuple[int, int], effect: str) -> None:
    """Put a file at a path, all of it or nothing; -1 leaves an owner. Durable when it returns."""
    beside = _beside(path, effect)
    with suppress(FileNotFoundError):
        os.unlink(beside)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        # Nobody else may read it before it has its owner and its mode.
        with open(os.open(beside, flags, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            if owners != (-1, -1):
                os.fchown(file.fileno(), *owners)
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError:
        discard(path, effect)
        raise
    sync_folder(path)


def discard(path: str, effect: str) -> None:
    """Remove what an attempt has left beside its target."""
    with suppress(OSError):
        os.unlink(_beside(path, effect))


def missing_parents(path: str) -> tuple[str, ...]:
    """Return the directories above a path that are missing, the outermost first."""
    missing: list[str] = []
    parent = os.path.dirname(path)
    while not os.path.lexists(parent):
        missing.append(parent)
        parent = os.path.dirname(parent)
    return tuple(reversed(missing))


def make_parents(missing: tuple[str, ...]) -> None:
    """Make directories, the outermost first."""
    for folder in missing:
        # Another resource of the same plan may be making it right now.
        with suppress(FileExistsError):
            os.mkdir(folder)
            sync_folder(folder)


def make_directory(path: str) -> bool:
    """Make a directory that only its owner may enter; return whether it was made or is there already."""
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        return False
    sync_folder(path)
    return True


def set_directory(path: str, mode: int | None, owners: tuple[int, int]) -> int:
    """Set mode and owners of a directory, None and -1 leave them; return the mode that it has.

    A symbolic link is not followed: what it points to is not ours to change.
    """
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if owners != (-1, -1):
            os.fchown(folder, *owners)
        if mode is not None:
            os.fchmod(folder, mode)
        os.fsync(folder)
        return stat.S_IMODE(os.fstat(folder).st_mode)
    finally:
        os.close(folder)


def remove_file(path: str) -> None:
    """Remove a file, durably; it may be gone already."""
    with suppress(FileNotFoundError):
        os.unlink(path)
        sync_folder(path)


def remove_empty(path: str) -> bool:
    """Remove a directory if it is empty; return whether nothing stands there any more."""
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    with suppress(FileNotFoundError):
        # Another deletion of the same plan may have taken away the folder above, too.
        sync_folder(path)
    return True


def empty_chain(path: str, root: str, effect: str) -> tuple[str, ...]:
    """Return the directories between a root and a path that hold nothing but the way to it.

    What an attempt of the effect has left counts as nothing. The directories must exist.
    """
    chain: list[str] = []
    child, parent = path, os.path.dirname(path)
    left = os.path.basename(_beside(path, effect))
    while parent.startswith(f"{root}/") and set(os.listdir(parent)) <= {os.path.basename(child), left}:
        chain.append(parent)
        child, parent = parent, os.path.dirname(parent)
    return tuple(reversed(chain))


def leads_outside(path: str, folder: str) -> bool:
    """Return whether a symbolic link on the way leads a path out of a folder."""
    parent = os.path.realpath(os.path.dirname(path))
    root = os.path.realpath(folder)
    return parent != root and not parent.startswith(f"{root.rstrip('/')}/")


def owner_ids(owner: str | None, group: str | None) -> tuple[int, int]:
    """Return the numbers of an owner and a group, -1 for None; raise `ProviderFailed` (E3106)."""
    try:
        uid = -1 if owner is None else int(owner) if owner.isdecimal() else pwd.getpwnam(owner).pw_uid
        gid = -1 if group is None else int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
    except KeyError as unknown:
        raise failure("E3106", f"this machine has no such user or group: {unknown}") from unknown
    return uid, gid


def sync_folder(path: str) -> None:
    """Make the entry of a path in its directory durable."""
    folder = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def reported(verb: str, path: str) -> Iterator[None]:
    """Turn an error of the operating system into `ProviderFailed` (E3107)."""
    try:
        yield
    except OSError as error:
        raise failure("E3107", f"`{path}` could not be {verb}: {error.strerror or error}") from error


def failure(code: str, detail: str) -> ProviderFailed:
    """Return a failure that leaves nothing behind, with the code by which its remedy is found."""
    return ProviderFailed(f"{code}: {detail}")


def _beside(path: str, effect: str) -> str:
    return os.path.join(os.path.dirname(path), f".dirigent-{effect}")
