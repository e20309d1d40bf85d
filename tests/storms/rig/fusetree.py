"""The files of a file system in memory that fails on order, and what of them would outlive a power cut.

Each read, write and fsync (but for the shared memory of SQLite) is counted; a fault strikes from the n-th on.
"""

import errno
import stat
from dataclasses import dataclass, field

ROOT = 1


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


class Tree:
    """All files. `counts` says how many operations of a kind came, `struck` how often the fault did."""

    def __init__(self):
        self.nodes = {ROOT: Node(stat.S_IFDIR | 0o700, safe={})}
        self.fault, self.counts, self.struck = Fault(), {}, 0

    def order(self, fault):
        """Count anew, and strike when it is time."""
        self.fault, self.counts, self.struck = fault, {}, 0

    def strike(self, kind, number):
        """Count an operation; fail it when it was ordered, or return that nobody may notice."""
        if self.shared(number):
            return False
        count = self.counts[kind] = self.counts.get(kind, 0) + 1
        fault = self.fault
        if fault.kind != kind or count < fault.nth or self.struck >= fault.times:
            return False
        self.struck += 1
        if fault.code:
            raise OSError(fault.code, "ordered")
        return True

    def shared(self, number):
        return self.nodes[number].mode & stat.S_ISVTX

    def make(self, parent, name, mode):
        number = max(self.nodes) + 1
        # The sticky bit is our mark of shared memory, which no disk ever sees.
        mark = stat.S_ISVTX if name.endswith("-shm") else 0
        self.nodes[number] = Node(mode | mark)
        self.nodes[parent].names[name] = number
        return number

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


def resized(content, size):
    """Cut content, or fill it up with zeros."""
    del content[size:]
    content.extend(bytes(size - len(content)))
