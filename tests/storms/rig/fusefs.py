"""A file system in memory that fails on order, by the kernel's own FUSE protocol: no library, root only.

It knows what was synchronised: `safe` is what a machine would find after it had lost its power. Each read,
write and fsync (but for the shared memory of SQLite) is counted; a fault strikes from the n-th on.
"""

import ctypes
import errno
import os
import stat
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path

HEADER = struct.Struct("<IIQQIIII")
ANSWER = struct.Struct("<IiQ")
ATTRIBUTES = struct.Struct("<6Q10I")
ENTRY = struct.Struct("<4QII")
OPENED = struct.Struct("<QII")
ASKED_BYTES = 1 << 20
WRITE_BYTES = 1 << 17
VERSION = (7, 31)
DIRECT, KEEP = 1, 0
MNT_DETACH = 2
ROOT = 1
NAMES = {
    1: "lookup",
    2: "forget",
    3: "attributes",
    4: "change",
    9: "mkdir",
    10: "unlink",
    11: "unlink",
    12: "rename",
    14: "open",
    15: "read",
    16: "write",
    17: "room",
    18: "release",
    20: "fsync",
    25: "flush",
    26: "init",
    27: "opendir",
    28: "list",
    29: "release",
    30: "fsyncdir",
    35: "create",
    42: "forget",
    45: "rename2",
}


@dataclass(frozen=True)
class Fault:
    """From the `nth` operation of this kind on (from 1), so many times; without a `code` nobody is told."""

    kind: str = ""
    nth: int = 0
    code: int = errno.EIO
    times: int = 1 << 30


@dataclass
class Node:
    """A file or a folder. `safe` is what was synchronised: the content, or the names with their nodes."""

    mode: int
    content: bytearray = field(default_factory=bytearray)
    names: dict = field(default_factory=dict)
    safe: object = None
    dirty: list = field(default_factory=list)

    @property
    def folder(self):
        return stat.S_ISDIR(self.mode)


def lacking():
    """Return why no file system of ours can be mounted here, or None when it can."""
    if os.geteuid():
        return "only root can mount"
    return None if Path("/dev/fuse").exists() else "there is no /dev/fuse"


class FaultyDisk:
    """Mounted at `folder` as long as the block lasts. `counts` says how many operations of a kind came."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        self.nodes = {ROOT: Node(stat.S_IFDIR | 0o700, safe={})}
        self.fault, self.counts, self.struck = Fault(), {}, 0
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

    def order(self, fault):
        """Count anew, and strike when it is time."""
        self.fault, self.counts, self.struck = fault, {}, 0

    def files(self, *, safe):
        """Return path and content of every file: as it is, or as a power cut would leave it."""
        found = {}

        def walk(node, path):
            if not node.folder:
                found[path] = bytes((node.safe or b"") if safe else node.content)
                return
            for name, number in ((node.safe or {}) if safe else node.names).items():
                walk(self.nodes[number], f"{path}/{name}".lstrip("/"))

        walk(self.nodes[ROOT], "")
        return found

    # -- the kernel's questions ---------------------------------------------------------------------

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
            name = NAMES.get(code)
            if name == "forget":
                continue
            try:
                body = self._answer(name, number, asked[HEADER.size :])
                failed = 0
            except OSError as error:
                body, failed = b"", -error.errno
            os.write(self.device, ANSWER.pack(ANSWER.size + len(body), failed, unique) + body)

    def _answer(self, name, number, asked):
        if name is None:
            raise OSError(errno.ENOSYS, "unknown")
        return getattr(self, f"_{name}")(number, asked)

    def _strike(self, kind, number):
        """Count an operation; fail it when it was ordered, or return that nobody may notice."""
        if self._shared(number):
            return False
        count = self.counts[kind] = self.counts.get(kind, 0) + 1
        fault = self.fault
        if fault.kind == kind and fault.nth <= count and self.struck < fault.times:
            self.struck += 1
            if fault.code:
                raise OSError(fault.code, "ordered")
            return True
        return False

    def _shared(self, number):
        return self.nodes[number].mode & stat.S_ISVTX

    def _init(self, _, asked):
        readahead = struct.unpack_from("<4I", asked)[2]
        return struct.pack("<4I2H2I2H8I", *VERSION, readahead, 0, 12, 9, WRITE_BYTES, 1, 0, 0, *[0] * 8)

    def _lookup(self, number, asked):
        return self._entry(self._child(number, _name(asked)))

    def _child(self, number, name):
        try:
            return self.nodes[number].names[name]
        except KeyError:
            raise FileNotFoundError(errno.ENOENT, name) from None

    def _entry(self, number):
        return ENTRY.pack(number, 1, 0, 0, 0, 0) + self._stat(number)

    def _stat(self, number):
        node = self.nodes[number]
        size = len(node.content)
        mode = node.mode & ~stat.S_ISVTX
        return ATTRIBUTES.pack(number, size, (size + 511) // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)

    def _attributes(self, number, _):
        return struct.pack("<QII", 0, 0, 0) + self._stat(number)

    def _change(self, number, asked):
        valid, _, _, size = struct.unpack_from("<IIQQ", asked)
        mode = struct.unpack_from("<I", asked, 68)[0]
        node = self.nodes[number]
        if valid & 1:
            node.mode = stat.S_IFMT(node.mode) | (node.mode & stat.S_ISVTX) | (mode & 0o777)
        if valid & 8:
            self._strike("write", number)
            _resize(node.content, size)
        return self._attributes(number, asked)

    def _make(self, parent, name, mode):
        number = max(self.nodes) + 1
        # The sticky bit is our mark of shared memory, which no disk ever sees.
        mark = stat.S_ISVTX if name.endswith("-shm") else 0
        self.nodes[number] = Node(mode | mark)
        self.nodes[parent].names[name] = number
        return number

    def _mkdir(self, number, asked):
        mode = struct.unpack_from("<I", asked)[0]
        return self._entry(self._make(number, _name(asked[8:]), stat.S_IFDIR | (mode & 0o777)))

    def _create(self, number, asked):
        mode = struct.unpack_from("<II", asked)[1]
        made = self._make(number, _name(asked[16:]), stat.S_IFREG | (mode & 0o777))
        return self._entry(made) + self._open(made, asked)

    def _unlink(self, number, asked):
        self._child(number, _name(asked))
        del self.nodes[number].names[_name(asked)]
        return b""

    def _rename(self, number, asked, head=8):
        target = struct.unpack_from("<Q", asked)[0]
        source, new = (part.decode() for part in asked[head:].split(b"\0")[:2])
        self.nodes[target].names[new] = self._child(number, source)
        del self.nodes[number].names[source]
        return b""

    def _rename2(self, number, asked):
        return self._rename(number, asked, head=16)

    def _open(self, number, _):
        return OPENED.pack(number, KEEP if self._shared(number) else DIRECT, 0)

    def _opendir(self, number, _):
        return OPENED.pack(number, 0, 0)

    def _read(self, number, asked):
        self._strike("read", number)
        _, offset, size = struct.unpack_from("<QQI", asked)
        return bytes(self.nodes[number].content[offset : offset + size])

    def _write(self, number, asked):
        self._strike("write", number)
        _, offset, size = struct.unpack_from("<QQI", asked)
        content = self.nodes[number].content
        if len(content) < offset:
            _resize(content, offset)
        content[offset : offset + size] = asked[40 : 40 + size]
        self.nodes[number].dirty.append((offset, offset + size))
        return struct.pack("<II", size, 0)

    def _fsync(self, number, _):
        node = self.nodes[number]
        dirty, node.dirty = node.dirty, []
        # As in Linux: what a failed fsync was about is dropped, and the next one knows nothing of it.
        if not self._strike("fsync", number):
            node.safe = bytearray() if node.safe is None else node.safe
            _resize(node.safe, len(node.content))
            for start, end in dirty:
                node.safe[start:end] = node.content[start:end]
        return b""

    def _fsyncdir(self, number, _):
        self._strike("fsync", number)
        node = self.nodes[number]
        node.safe = dict(node.names)
        return b""

    def _room(self, *_):
        half = 1 << 19
        return struct.pack("<5Q4I6I", 2 * half, half, half, 2 * half, half, 4096, 255, 4096, 0, *[0] * 6)

    def _list(self, number, asked):
        _, offset, size = struct.unpack_from("<QQI", asked)
        listed = b""
        names = [(".", number), ("..", number), *self.nodes[number].names.items()]
        for place, (name, child) in enumerate(names[offset:], offset + 1):
            word = name.encode()
            record = struct.pack("<QQII", child, place, len(word), self.nodes[child].mode >> 12) + word
            record += bytes(-len(record) % 8)
            if len(listed) + len(record) > size:
                break
            listed += record
        return listed

    def _release(self, *_):
        return b""

    _flush = _release


def _name(asked):
    return asked.partition(b"\0")[0].decode()


def _resize(content, size):
    del content[size:]
    content.extend(bytes(size - len(content)))
