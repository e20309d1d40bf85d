"""Files of the state directory: private, durable, and only on a disk that keeps its promises."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from dirigent.model.problem import Refusal, refuse

MOUNTS: Final = "/proc/self/mountinfo"
_REMOTE: Final = (
    *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "fuse", "gfs2", "glusterfs"),
    *("lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs"),
)

# What is left free for every byte that is only taken ahead.
_ROOM: Final = 64

# The place of the mount point in a line of the mount table (proc(5)).
_POINT: Final = 4

BALLAST_BYTES: Final = 16 * 1024 * 1024
# It is laid only where so many times its size would still be free.
BALLAST_FREE: Final = 8


def make(path: str) -> None:
    """Make an empty file (0600) in a directory (0700) if it is missing, whatever the umask is.

    A file that exists loses what others may do with it.
    """
    make_directory(Path(path).parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def there(path: str) -> bool:
    """Return whether a file exists. Raises `Refusal` (E5012) when we may not even look."""
    try:
        Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise unusable(path, error) from None
    return True


def unusable(path: str, error: OSError) -> Refusal:
    """Return the refusal (E5012) for a file that the system does not let us use."""
    return refuse(
        "E5012",
        f"`{path}` cannot be used: {error.strerror}",
        "check that this user may write in the directory, and that the disk has room",
    )


def make_directory(folder: Path) -> None:
    """Make a directory (0700) if it is missing; one that exists keeps its mode."""
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
        folder.chmod(0o700)
        sync_directory(folder.parent)


def sync_directory(folder: Path) -> None:
    """Make the names in a directory durable. Without this a power cut can take a whole new file."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def stretch(path: str, size: int) -> bool:
    """Fill a file up to a size with zeros, on the disk; return whether there was room to spare for it.

    To write over what is there costs the disk less than to let the file grow with each flush.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        before, disk = os.fstat(descriptor).st_size, os.fstatvfs(descriptor)
        if disk.f_bavail * disk.f_frsize < size * _ROOM:
            return False
        os.lseek(descriptor, before, os.SEEK_SET)
        os.write(descriptor, bytes(max(0, size - before)))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True


def refuse_network(path: str, mounts: str) -> None:
    """Refuse a file on a network file system (E5006); `mounts` is the text of `/proc/self/mountinfo`.

    Locks and shared memory, on which the journal rests, do not hold there.
    """
    kind = file_system(str(Path(path).resolve()), mounts)
    if kind in _REMOTE or kind.startswith("fuse."):
        raise refuse(
            "E5006",
            f"`{path}` lies on a network file system (`{kind}`), where no journal is safe",
            "put the state directory on a local disk",
        )


def file_system(path: str, mounts: str) -> str:
    """Return the kind of file system that holds an absolute path, empty when the text does not say."""
    kind, longest = "", -1
    for line in mounts.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split(" ")
        if not right or len(fields) <= _POINT:
            continue
        point = _plain(fields[_POINT])
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        # Of two mounts on one point the later hides the earlier.
        if inside and len(point) >= longest:
            kind, longest = right.split(" ")[0], len(point)
    return kind


def _plain(point: str) -> str:
    """Return a mount point without the octal escapes of the kernel."""
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(escape, character)
    return point


def lay_ballast(path: str, size: int = BALLAST_BYTES) -> bool:
    """Hold space back for the day on which the disk is full; return whether it is there now.

    Removing needs space, too: a transaction that deletes is written to the log first.
    """
    ballast = Path(path)
    if ballast.exists():
        return True
    try:
        free = os.statvfs(ballast.parent)
        if free.f_bavail * free.f_frsize < BALLAST_FREE * size:
            return False
        descriptor = os.open(ballast, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
        finally:
            os.close(descriptor)
        sync_directory(ballast.parent)
    except OSError:
        release_ballast(path)
        return False
    return True


def release_ballast(path: str) -> bool:
    """Give the space back; return whether there was any."""
    try:
        Path(path).unlink()
    except OSError:
        return False
    return True
