"""One disk fault after the other, each at a point of a calm life: what the engine says, and what is left."""

import asyncio
import errno
import shutil
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from storms.rig.enumeration import drive
from storms.rig.fusefs import FaultyDisk
from storms.rig.fusetree import Fault
from storms.rig.ledger import check, counted, lines
from storms.rig.life import REFUSED

LIFE = "storms.rig.life:live"
# What a store may say of a disk that fails; and which operations fail how, and how often.
CODES = {"E5010", "E5011", "E5012", "E5021"}
FAULTS = {
    # After one failed fsync the next may succeed although the data are gone: nobody may try again.
    "fsync fails once": Fault("fsync", code=errno.EIO, times=1),
    "fsync fails for good": Fault("fsync", code=errno.EIO),
    "write fails": Fault("write", code=errno.EIO),
    "write has no room": Fault("write", code=errno.ENOSPC),
    "read fails": Fault("read", code=errno.EIO),
}
ORDER = {"seed": "fault", "runs": 3, "width": 3, "checkpoint": 40, "log": (8, 300_000)}


@dataclass
class Struck:
    """What came of the faults of one kind."""

    points: int = 0
    said: Counter = field(default_factory=Counter)
    acknowledged: int = 0
    readable: Counter = field(default_factory=Counter)
    messages: Counter = field(default_factory=Counter)

    def figures(self):
        """Return what a record of these faults shows."""
        return {
            "points": self.points,
            "acknowledged": self.acknowledged,
            "lost": 0,
            "tracebacks": 0,
            "the engine said": self.said,
            "could be read afterwards": self.readable["V"],
            "could not": self.readable["N"],
        }


def calm(nursery, folder):
    """Return how many operations of each kind a life without faults makes."""
    with FaultyDisk(folder) as disk:
        life = nursery.begin(LIFE, {**ORDER, "path": str(disk.folder / "dirigent.db")})
        code = life.ended()
        if code:
            raise AssertionError(f"a calm life gave {code}: {life.told()} {life.heard[-300:]!r}")
        return dict(disk.tree.counts)


def strike(nursery, folder, kind, points, *, deaf=False):
    """Strike at so many points of a life, evenly spread; check each time what was said and what is left.

    A `deaf` disk keeps the fault to itself, as one does whose errors nobody asks for: a control.
    """
    folder = Path(folder)
    folder.mkdir()
    fault, found = FAULTS[kind], Struck()
    if deaf:
        fault = replace(fault, code=0)
    count = calm(nursery, folder / "calm")[fault.kind]
    for point in range(points):
        nth = 1 + point * (count - 1) // max(points - 1, 1)
        _strike(nursery, folder / f"disk-{point}", replace(fault, nth=nth), found)
        found.points += 1
    return found


def _strike(nursery, folder, fault, found):
    with FaultyDisk(folder, fault) as disk:
        life = nursery.begin(LIFE, {**ORDER, "path": str(disk.folder / "dirigent.db")})
        code = life.ended()
        left = {"after a power cut": disk.tree.files(safe=True), "as it stands": disk.tree.files(safe=False)}
    said = lines(life.heard)
    judge(fault, code, said, life.told(), found)
    for when, files in left.items():
        after = folder.parent / f"{folder.name} {when}"
        lay_out(files, after)
        check_left(fault, when, str(after / "dirigent.db"), said)
        shutil.rmtree(after)


def judge(fault, code, said, told, found):
    """Whatever fails, the engine ends in order, and says why with a remedy."""
    if told or code not in (0, REFUSED):
        raise AssertionError(f"{fault}: exit {code}, {told}")
    found.acknowledged += counted(said).total()
    refusals = [each for each in said if each[0] == "X"]
    if code == REFUSED:
        (_, _, problem, message, remedies) = refusals[0]
        if problem not in CODES or not remedies:
            raise AssertionError(f"{fault}: it said {problem} {message} {remedies}")
        found.said[problem] += 1
        found.messages[message.partition("/")[0] + message.rpartition("`")[2]] += 1
        found.readable.update(each[0] for each in said if each[0] in "VN")
    else:
        found.said["went on"] += 1


def lay_out(files, folder):
    folder.mkdir()
    for name, content in files.items():
        if not name.endswith("-shm"):
            (folder / name).write_bytes(content)


def check_left(fault, when, path, said):
    """What was acknowledged is there, and the next engine goes on to the end of every run."""
    try:
        if counted(said):
            check(path, said)
        asyncio.run(drive(path))
    except AssertionError as wrong:
        raise AssertionError(f"{fault}, {when}: {wrong}") from wrong
