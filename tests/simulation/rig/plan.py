"""What a seed stands for: programs, runs, people, and the faults that strike at the n-th time of a place.

A plan is data, so that a failing one can be made smaller: fewer faults, people and runs, smaller programs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dirigent.testing import Dice
from simulation.rig.programs import Shape, program_of

# What can happen at each place, and up to which time of it in one seed.
STORE = ("crash", "crash", "pause", "takeover", "slow")
PLACES = {
    "step": (("crash", "crash", "crash", "pause", "takeover"), 220),
    "append asked": (("crash", "takeover", "slow"), 8),
    "commit before": ((*STORE, "refused"), 8),
    "commit after": ((*STORE, "refused"), 8),
    "append answered": (("crash", "takeover", "slow"), 8),
    "keep": (("crash", "slow", "refused"), 2),
    "read": (("crash", "slow", "refused"), 3),
    "effect before": (("crash", "pause", "takeover", "slow"), 5),
    "effect during": (("crash", "crash", "takeover", "slow"), 5),
    "effect after": (("crash", "takeover", "slow"), 5),
    "request": (("request lost", "answer lost"), 5),
    "abandon": (("crash", "takeover", "slow"), 2),
    "worker": (("crash", "slow", "dies"), 2),
    "time": (("stop", "rival", "rival", "crash"), 1),
}
ORDER = tuple(PLACES)
INPUTS = (None, {"n": 0}, {"n": 2}, [1])
POLICIES = ("hold", "hold", "hold", "repeat", "skip")


@dataclass(frozen=True)
class Fault:
    """Something bad at the n-th time of a place. `seconds` is how long it lasts, or when it comes."""

    place: str
    number: int
    what: str
    seconds: float


@dataclass(frozen=True)
class Entry:
    """A run that a client starts; `program` is the number of the program, `policy` what doubt becomes.

    A `coded` one is a workflow of code, made up from that number; a `queued` one waits for its turn.
    """

    at: float
    program: int
    given: object
    policy: str
    coded: int | None = None
    queued: bool = False


@dataclass(frozen=True)
class Word:
    """What somebody says to a run, and when."""

    at: float
    run: int
    what: str


@dataclass(frozen=True)
class Plan:
    """One seed. `lazy` people never answer; `shuffled` plans vary how many rounds answers take."""

    seed: int
    shape: Shape
    runs: tuple
    words: tuple = ()
    faults: tuple = ()
    shuffled: bool = False
    lazy: bool = False

    @property
    def calm(self):
        return not self.words and not self.faults

    def programs(self):
        """The programs of the runs, and the catalogue of children by name."""
        dice = Dice(self.seed, "programs")
        inner = replace(self.shape, depth=1, first=2, children=())
        catalogue = {
            name: program_of(Dice(self.seed, name), inner, name) for name in (self.shape.children or ())
        }
        count = max((entry.program for entry in self.runs), default=0) + 1
        return [program_of(dice, self.shape, f"p{number}") for number in range(count)], catalogue


def plan_of(seed):
    """The plan that a seed stands for."""
    dice = Dice(seed, "plan")
    shape = Shape(
        depth=dice.one_of((1, 2, 2)),
        first=dice.between(2, 4),
        children=("child",) if dice.chance(20) else (),
        written=dice.chance(6),
        queued=dice.chance(10),
    )
    if shape.written:
        shape = replace(shape, queued=False)  # Documents name no queue.
    number = dice.one_of((1, 1, 1, 2, 2, 3))
    same = dice.chance(25)
    runs = tuple(entry_of(dice, index, 0 if same else index) for index in range(number))
    if dice.chance(20):
        return Plan(seed, shape, runs, shuffled=dice.chance(50))
    words = tuple(word for index in range(number) for word in words_of(dice, index))
    faults = tuple(fault_of(dice) for _ in range(dice.one_of((1, 1, 2, 2, 3, 4, 6))))
    return Plan(seed, shape, runs, words, faults, shuffled=dice.chance(50), lazy=dice.chance(4))


def entry_of(dice, index, program):
    """One run: mostly of a program."""
    at, given, policy = dice.fraction() * 3 if index else 0.0, dice.one_of(INPUTS), dice.one_of(POLICIES)
    coded = dice.below(1_000_000) if dice.chance(12) else None
    if coded is not None and policy == "skip":
        policy = "hold"  # What plain Python comes to has nothing in it that was passed over.
    return Entry(at, program, given, policy, coded, dice.chance(15))


def words_of(dice, run):
    """What is said to one run: mostly nothing."""
    first, later = dice.fraction() * 6, dice.fraction() * 6
    kind = dice.below(10)
    if kind == 0:
        return (Word(first, run, "cancel"),)
    if kind == 1:
        return (Word(first, run, "suspend"), Word(first + later, run, "resume"))
    if kind == 2:
        return (Word(first, run, "suspend"), Word(first + later, run, "cancel"))
    if kind <= 5:
        return (Word(first, run, "signal"), Word(first + later, run, "signal"))
    return ()


def fault_of(dice):
    place = dice.one_of(ORDER)
    kinds, most = PLACES[place]
    what = dice.one_of(kinds)
    long = what in {"pause", "takeover"} and dice.chance(30)
    return Fault(place, dice.between(1, most), what, round(dice.fraction() * (20 if long else 6), 3))
