"""What a disk may hold after a crash at any point of a trace: the states of its files.

What was synchronised is there. Of the writes and changes of size since, any may be missing or torn
at 512 bytes; of the changes to a folder since it was synchronised, only the first few may be there.
"""

import os
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path

SECTOR = 512


@dataclass
class Inode:
    """One file: the bytes that are safe."""

    safe: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True)
class Pending:
    """A write (or, without content, a change of size) that no synchronisation has reached yet."""

    inode: int
    at: int
    content: bytes | None


class Disk:
    """The files of a trace as far as it has been followed."""

    def __init__(self, folder):
        self.folder = folder
        self.inodes = []
        self.names = {}
        self.safe_names = {}
        self.pending = []
        self.renamed = []

    def follow(self, step):
        """Go one step on."""
        match step.kind:
            case "write":
                self.pending.append(Pending(self._inode(step.path), step.at, step.content))
            case "size":
                self.pending.append(Pending(self._inode(step.path), step.at, None))
            case "make":
                self._inode(step.path)
            case "sync":
                self._sync(step.path)
            case "drop":
                del self.names[step.path]
                self.renamed.append((step.path, None))
            case "name" | "link":
                self._give(step.other, self.names[step.path])
                if step.kind == "name":
                    del self.names[step.path]
                    self.renamed.append((step.path, None))

    def _inode(self, path):
        if path not in self.names:
            self.inodes.append(Inode())
            self._give(path, len(self.inodes) - 1)
        return self.names[path]

    def _give(self, path, inode):
        self.names[path] = inode
        self.renamed.append((path, inode))

    def _sync(self, path):
        if path in self.names:
            inode = self.names[path]
            for each in self.pending:
                if each.inode == inode:
                    put(self.inodes[inode].safe, each, each.content)
            self.pending = [each for each in self.pending if each.inode != inode]
            return
        there = [(name, inode) for name, inode in self.renamed if str(Path(name).parent) == path]
        self.renamed = [each for each in self.renamed if each not in there]
        apply(self.safe_names, there)

    def states(self, dice, most):
        """Yield what the disk may hold now: (name, content) pairs; at most so many, the extremes first."""
        for keep, names in _choices(self.pending, self.renamed, dice, most):
            contents = {}
            for each, part in keep:
                content = contents.setdefault(each.inode, bytearray(self.inodes[each.inode].safe))
                put(content, each, part)
            shown = dict(self.safe_names)
            apply(shown, names)
            yield {name: bytes(contents.get(inode, self.inodes[inode].safe)) for name, inode in shown.items()}


def apply(names, changes):
    """Change names as it was done, in order."""
    for name, inode in changes:
        if inode is None:
            names.pop(name, None)
        else:
            names[name] = inode


def put(content, pending, part):
    """Carry out a write, or what a torn one has left of it, or a change of size."""
    if part is None:
        del content[pending.at :]
        content.extend(bytes(pending.at - len(content)))
        return
    pieces = part if isinstance(part, list) else [(0, part)]
    for start, piece in pieces:
        at = pending.at + start
        content.extend(bytes(max(0, at - len(content))))
        content[at : at + len(piece)] = piece


def _choices(pending, renamed, dice, most):
    """Yield which writes are there, whole or in parts, and how many changes of names."""
    whole = [(each, each.content) for each in pending]
    yield [], []
    if pending or renamed:
        yield whole, renamed
    if pending:
        yield [], renamed
        yield whole[:-1], renamed
        yield [*whole[:-1], *torn(whole[-1][0], dice)], renamed
    if pending and renamed:
        yield whole, []
    for _ in range(most if pending else min(most, len(renamed))):
        kept = [each for each in whole if dice.below(2)]
        if dice.below(2):
            kept = [part for each, _ in kept for part in torn(each, dice)]
        yield kept, renamed[: dice.below(len(renamed) + 1)]


def torn(each, dice):
    """Return what may be there of a write that was torn: some of its sectors."""
    if each.content is None:
        return [(each, None)]
    first = -each.at % SECTOR
    edges = [0, *range(first or SECTOR, len(each.content), SECTOR), len(each.content)]
    pieces = [(start, each.content[start:end]) for start, end in pairwise(edges) if dice.below(2)]
    return [(each, pieces)] if pieces else []


def digest(state):
    """Return a name for the content of a state: two alike need not both be tried."""
    found = blake2b(digest_size=16)
    for name in sorted(state):
        found.update(f"{name} {len(state[name])} ".encode())
        found.update(state[name])
    return found.digest()


def lay_out(state, source, target):
    """Write a state into the folder `target`, in place of the one that was traced."""
    for name, content in state.items():
        path = Path(target, os.path.relpath(name, source))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
