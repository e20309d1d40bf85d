"""A storm of kills: one store, one crowd of runs, and hundreds of engines that die one after the other."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from storms.rig.crowd import ONCE, counting, settle, tally, times
from storms.rig.dice import Dice
from storms.rig.ledger import check, counted, lines, phases_of
from storms.rig.life import REFUSED
from storms.rig.nursery import Nursery

LIFE = "storms.rig.swarm:live"
# A death comes after so many places at most; the first few are in the opening of the store.
PLACES = 400


class Twice(AssertionError):
    """An effect that must happen once has happened more often."""


class Astray(AssertionError):
    """An engine refused its own work: it met in the world what its journal does not explain."""


@dataclass(frozen=True)
class Power:
    """What a storm is worth: so many engines are killed, and so many starts of runs acknowledged, at least.

    How many runs an engine starts before its death is a matter of speed: a storm goes on until it has both.
    """

    kills: int
    runs: int = 0

    def reached(self, found, said):
        """Return whether the storm may end; one that never gathers a crowd is at fault itself."""
        if found.kills > 4 * self.kills:
            raise AssertionError(f"{found.kills} engines were killed, and hardly a run was started")
        return found.kills >= self.kills and sum(each[0] == "S" for each in said) >= self.runs


@dataclass
class Storm:
    """What came of it. `effects` counts the runs by how often their effect has happened."""

    kills: int = 0
    within: int = 0
    from_outside: int = 0
    acknowledged: Counter = field(default_factory=Counter)
    runs: int = 0
    open_at_kills: list = field(default_factory=list)
    held: int = 0
    repeated_requests: int = 0
    effects: Counter = field(default_factory=Counter)
    recovery_seconds: float = 0.0

    def figures(self):
        """Return what a record of this storm shows."""
        crowd = sorted(self.open_at_kills)
        return {
            "kills": self.kills,
            "at a place": self.within,
            "from outside": self.from_outside,
            "acknowledged": self.acknowledged.total(),
            "lost": 0,
            "runs": self.runs,
            "open runs found by an engine, median and most": [crowd[len(crowd) // 2], crowd[-1]],
            "words of a person to held runs": self.held,
            "requests repeated under their key": self.repeated_requests,
            "effects that must happen once": self.effects.total(),
            "of them twice": self.effects[2],
            "of them never": self.effects[0],
            "seconds until the last engine had ended everything": self.recovery_seconds,
        }


def storm(folder, power, seed, *, width=200, plant=None, before=None):
    """Kill engines under a crowd until it was a storm, let the last one end its work, and check everything.

    With `before`, those that are killed are of the code in that checkout, and the last one is of ours.
    """
    dice, found, said = Dice("kills", seed), Storm(), []
    place = Path(folder, "crowd")
    nursery, ours = Nursery(folder, before), Nursery(folder)
    try:
        with counting() as server:
            settle(place, server.server_port)
            order = {"folder": str(place), "port": server.server_port, "width": width, "plant": plant}
            life = 0
            while not power.reached(found, said):
                life += 1
                heard = _killed(nursery, {**order, "life": life}, dice, found)
                said += [_unsummed(each) for each in heard] if before else heard
                _look(place, server, said, found)
            began = time.monotonic()
            last = ours.begin(LIFE, {**order, "life": life + 1, "death": 0, "width": 0})
            code = last.ended()
            found.recovery_seconds = round(time.monotonic() - began, 1)
            if code:
                raise AssertionError(f"the last engine gave {code}: {last.told()} {last.heard[-500:]!r}")
            said += lines(last.heard)
            _reckon(place, server, said, found)
    finally:
        nursery.close()
        ours.close()
    return found


def _killed(nursery, order, dice, found):
    """Let one engine live until it is killed: at a place that it counts, or from outside."""
    inside = bool(dice.below(3))
    life = nursery.begin(LIFE, {**order, "death": dice.between(1, PLACES) if inside else 0})
    if not inside:
        life.hear_lines(dice.between(2, PLACES))
        life.kill()
    code = life.ended()
    said = lines(life.heard)
    found.open_at_kills += [each[2] for each in said if each[0] == "O"]
    if code == -9:
        found.kills += 1
        found.within += inside
        found.from_outside += not inside
    elif code == REFUSED:
        raise Astray(f"{order}: {said[-1:]}")
    elif code:
        raise AssertionError(f"{order} gave {code}: {life.told()} {said[-1:]}")
    return said


def _unsummed(each):
    """Return what was said without the checksum of facts: another release may write them otherwise."""
    return [*each[:5], None] if each[0] == "F" else each


def _look(place, server, said, found):
    """Nothing may have happened twice, at any moment."""
    runs = {each[2] for each in said if each[0] == "S"}
    if tally(place, server, runs)[2]:
        twice = [run for run in runs if times(place, server, run) > 1]
        raise Twice(f"{twice} happened more than once after {found.kills} kills")


def _reckon(place, server, said, found):
    """At the end every run has ended, every promise is kept, and every effect has happened once."""
    store = str(place / ".dirigent" / "dirigent.db")
    check(store, said)
    phases = asyncio.run(phases_of(store))
    # Also of those whose start an engine could not acknowledge any more.
    started = sorted(phases)
    found.acknowledged = counted(said)
    found.runs = len(started)
    found.held = sum(each[0] == "T" for each in said)
    found.repeated_requests = server.repeated
    found.effects = tally(place, server, started)
    if left := {run: phases[run] for run in started if phases[run] != "completed"}:
        raise AssertionError(f"these have not completed: {left}")
    if found.effects[0] or found.effects[2]:
        done = {run: times(place, server, run) for run in started if run.startswith(ONCE)}
        raise Twice(f"not done once: {[(run, count) for run, count in done.items() if count != 1]}")
