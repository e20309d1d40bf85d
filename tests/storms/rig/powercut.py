"""A series of power cuts under one engine, each at an event of the work, none at a time."""

from dataclasses import dataclass, field

from storms.rig.dice import Dice
from storms.rig.ledger import check, counted, lines
from storms.rig.loop import LoopDisk
from storms.rig.nursery import Nursery

LIFE = "storms.rig.life:live"
# Each life acknowledges so many promises before the cut, drawn anew each time.
LEAST, MOST = 5, 120


@dataclass
class Cuts:
    """What came of it. `late` were said by a process that had not noticed the cut yet; they do not count."""

    kind: str
    seed: int
    cuts: int = 0
    acknowledged: dict = field(default_factory=dict)
    late: int = 0

    def note(self, said, late):
        for kind, number in counted(said).items():
            self.acknowledged[kind] = self.acknowledged.get(kind, 0) + number
        self.cuts += 1
        self.late += late

    @property
    def promises(self):
        return sum(self.acknowledged.values())


def cut_often(folder, kind, count, seed, weak=""):
    """Cut the power `count` times under a working engine; raise `Lost` at the first broken promise."""
    dice, cuts = Dice("powercut", kind, seed), Cuts(kind, seed)
    nursery = Nursery(folder)
    disk = LoopDisk(folder, kind)
    path = str(disk.folder / "state" / "dirigent.db")
    try:
        for number in range(count):
            order = {
                "path": path,
                "seed": f"{kind}{seed}-{number}",
                "weak": weak,
                "log": (8, 1 << 20),
                "width": dice.between(1, 12),
            }
            life = nursery.begin(LIFE, order)
            life.hear_lines(dice.between(LEAST, MOST))
            moment = disk.cut()
            life.kill()
            life.ended()
            disk.restart()
            said = lines(life.heard, moment)
            cuts.note(said, len(lines(life.heard)) - len(said))
            if not said or said[-1][0] == "X":
                raise AssertionError(f"it ended by itself: {said[-1:]} {life.told()}")
            if counted(said):
                check(path, said)
    finally:
        nursery.close()
        disk.close()
    return cuts
