"""A disk of our own whose power can be cut: a loop device, and the SHUTDOWN ioctl of ext4 and xfs."""

import fcntl
import os
import struct
import subprocess
import time
from pathlib import Path

SHUTDOWN = 0x8004587D
# Nothing of the log is flushed: what was not synchronised before is gone, as after a power cut.
NO_LOG_FLUSH = 2
BYTES = {"ext4": 64 << 20, "xfs": 320 << 20}
MAKE = {"ext4": ("mkfs.ext4", "-q", "-F"), "xfs": ("mkfs.xfs", "-q", "-f")}


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


class LoopDisk:
    """A file system in an image; `folder` is where it is mounted."""

    def __init__(self, folder, kind):
        self.kind = kind
        self.image = Path(folder) / f"{kind}.image"
        self.folder = Path(folder) / f"{kind}.mounted"
        self.folder.mkdir()
        with self.image.open("wb") as image:
            image.truncate(BYTES[kind])
        run(*MAKE[kind], str(self.image))
        self.device = run("losetup", "--find", "--show", str(self.image))
        self._mount()

    def _mount(self):
        run("mount", "-t", self.kind, self.device, str(self.folder))

    def cut(self):
        """Cut the power; return the moment before which everything acknowledged must be there."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            moment = time.monotonic()
            fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(descriptor)
        return moment

    def restart(self):
        """Have the power back: the file system recovers from its log."""
        run("umount", str(self.folder))
        self._mount()

    def close(self):
        run("umount", str(self.folder))
        run("losetup", "--detach", self.device)
        self.image.unlink()


def lacking():
    """Return why this machine cannot cut the power of a disk, or None when it can."""
    if os.geteuid():
        return "only root can mount"
    if not Path("/dev/loop-control").exists():
        return "there is no loop device"
    missing = [words[0] for words in MAKE.values() if not any(Path(p, words[0]).exists() for p in PATHS)]
    return f"{missing} not installed" if missing else None


PATHS = (*os.environ.get("PATH", "").split(":"), "/sbin", "/usr/sbin")
