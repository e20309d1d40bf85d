"""A file system of our own that fails on order, by the kernel's FUSE protocol: no library, root only."""

import ctypes
import errno
import os
import struct
import threading
from pathlib import Path

from storms.rig.fuseanswers import ANSWERS, FORGET
from storms.rig.fusetree import Fault, Tree

HEADER = struct.Struct("<IIQQIIII")
ANSWER = struct.Struct("<IiQ")
ASKED_BYTES = 1 << 20
MNT_DETACH = 2


def lacking():
    """Return why no file system of ours can be mounted here, or None when it can."""
    if os.geteuid():
        return "only root can mount"
    return None if Path("/dev/fuse").exists() else "there is no /dev/fuse"


class FaultyDisk:
    """Mounted at `folder` as long as the block lasts; served by a thread of this process."""

    def __init__(self, folder, fault=None):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.tree = Tree()
        self.tree.order(fault or Fault())
        self.libc = ctypes.CDLL(None, use_errno=True)
        self.thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self.device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
        if self.libc.mount(b"faulty", bytes(self.folder), b"fuse", 0, options):
            raise OSError(ctypes.get_errno(), "cannot mount a file system of our own")
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.libc.umount2(bytes(self.folder), MNT_DETACH)
        self.thread.join()
        os.close(self.device)

    def _serve(self):
        while True:
            try:
                asked = os.read(self.device, ASKED_BYTES)
            except OSError as error:
                if error.errno == errno.ENODEV:  # it is no longer mounted
                    return
                if error.errno in (errno.EINTR, errno.ENOENT):
                    continue
                raise
            _, code, unique, number, *_ = HEADER.unpack_from(asked)
            if code in FORGET:
                continue
            failed, body = self._answer(code, number, asked[HEADER.size :])
            try:
                os.write(self.device, ANSWER.pack(ANSWER.size + len(body), -failed, unique) + body)
            except OSError as error:
                if error.errno == errno.ENODEV:
                    return
                if error.errno != errno.ENOENT:  # whoever asked was killed meanwhile
                    raise

    def _answer(self, code, number, asked):
        """Return the number of an error, and the body of the answer."""
        answer = ANSWERS.get(code)
        if answer is None:
            return errno.ENOSYS, b""
        try:
            return 0, answer(self.tree, number, asked)
        except OSError as error:
            return error.errno, b""
