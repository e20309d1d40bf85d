"""What a seed stands for: programs, runs, people, and the faults that strike at the n-th time of a place.

A plan is data, so that a failing one can be made smaller: fewer faults, people and runs, smaller programs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dirigent.model.run.schedule import Schedule
from dirigent.testing import Dice
from dirigent.testing.virtual import EPOCH
from simulation.rig.drawing import TYPES, Shape
from simulation.rig.programs import program_of

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
# The same for seeds with events or with a schedule; an outage is so long that its times are missed.
MORE = {
    "log read": (("crash", "pause", "slow", "refused"), 4),
    "event before": (("crash", "slow", "refused"), 3),
    "event after": (("crash", "slow", "refused"), 3),
    "outage": (("crash",), 1),
}
# The same while an engine opens on what one before it has left.
OPENING = {
    "opening read": (("slow", "slow", "slow", "refused", "crash"), 5),
    "opening commit before": (("refused", "slow", "crash"), 2),
    "opening commit after": (("refused", "refused", "crash", "crash"), 2),
}
ALL_PLACES = PLACES | MORE | OPENING
OUTAGE = 150
# What a schedule starts.
BEATEN = "beaten"
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

    A `coded` one is a workflow of code, made up from that number; a `queued` one waits for its turn. One with
    a `schedule` is that schedule; one that is `again` runs another one of this number once more.
    """

    at: float
    program: int
    given: object
    policy: str
    coded: int | None = None
    queued: bool = False
    schedule: Schedule | None = None
    again: int | None = None


@dataclass(frozen=True)
class Word:
    """What somebody says to a run, and when; `number` says of which task.

    A `retry` comes so long after the run has failed.
    """

    at: float
    run: int
    what: str
    number: int = 0


@dataclass(frozen=True)
class Told:
    """An event from outside. Where no engine is up, one that is `direct` is put into the log itself."""

    at: float
    number: int
    type: str
    k: int
    n: int
    direct: bool

    @property
    def event(self):
        """The event as it is told."""
        names = {"specversion": "1.0", "id": f"{self.number}", "source": "/world", "type": self.type}
        return {**names, "datacontenttype": "application/json", "data": {"k": self.k, "n": self.n}}


@dataclass(frozen=True)
class Plan:
    """One seed. `lazy` people never answer; `shuffled` plans vary how many rounds answers take."""

    seed: int
    shape: Shape
    runs: tuple
    words: tuple = ()
    faults: tuple = ()
    events: tuple = ()
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
        if any(entry.schedule for entry in self.runs):
            catalogue[BEATEN] = program_of(Dice(self.seed, BEATEN), inner, BEATEN)
        count = max((entry.program for entry in self.runs), default=0) + 1
        return [program_of(dice, self.shape, f"p{number}") for number in range(count)], catalogue


def plan_of(seed):
    """The plan that a seed stands for."""
    dice, more = Dice(seed, "plan"), Dice(seed, "more")
    shape = Shape(
        depth=dice.one_of((1, 2, 2)),
        first=dice.between(2, 4),
        children=("child",) if dice.chance(20) else (),
        written=dice.chance(6),
        queued=dice.chance(10),
        eventful=more.chance(30),
        extended=more.chance(12),
    )
    if shape.written:
        # Documents name no queue, and have their extensions elsewhere.
        shape = replace(shape, queued=False, extended=False)
    number = dice.one_of((1, 1, 1, 2, 2, 3))
    same = dice.chance(25)
    runs = tuple(entry_of(dice, index, 0 if same else index) for index in range(number))
    events = events_of(more) if shape.eventful else ()
    calm = dice.chance(20)
    scheduled = more.chance(6)
    if calm:
        runs += runs_more(more, runs, scheduled=scheduled)
        return Plan(seed, shape, runs, events=events, shuffled=dice.chance(50))
    words = tuple(word for index in range(number) for word in words_of(dice, index))
    faults = tuple(fault_of(dice) for _ in range(dice.one_of((1, 1, 2, 2, 3, 4, 6))))
    shuffled, lazy = dice.chance(50), dice.chance(4)
    words += tuple(word for index in range(number) for word in answers_of(more, index))
    runs += runs_more(more, runs, scheduled=scheduled)
    if scheduled and more.chance(25):
        first = more.fraction() * 30
        pause = (Word(first, number, "suspend"), Word(first + more.fraction() * 30, number, "resume"))
        words += pause
    faults += faults_more(more, eventful=shape.eventful, scheduled=scheduled)
    faults += faults_opening(Dice(seed, "start"))
    return Plan(seed, shape, runs, words, faults, events, shuffled, lazy)


def events_of(dice):
    """What is told from outside: most of it while the runs go on."""
    return tuple(
        Told(dice.fraction() * 12, number, dice.one_of(TYPES), dice.below(2), dice.below(4), dice.chance(60))
        for number in range(dice.between(1, 6))
    )


def runs_more(dice, runs, *, scheduled):
    """A schedule, and a run that is run again; neither is known to those who speak to the others."""
    found = ()
    if scheduled:
        found += (Entry(dice.fraction(), 0, None, "hold", schedule=schedule_of(dice)),)
    first = runs[0]
    if first.coded is None and dice.chance(5):
        found += (replace(first, again=0),)
    return found


def schedule_of(dice):
    """When, by which rules, and until when."""
    rules = {"misfire": dice.one_of(("none", "last", "all")), "jitter": dice.one_of((0.0, 0.0, 3.0))}
    last = dice.between(2, 6) + dice.fraction()
    match dice.below(3):
        case 0:
            seconds = dice.one_of((2.0, 7.5, 40.0))
            rules |= {"every": seconds, "end": EPOCH + seconds * last}
        case 1:
            rules |= {"cron": "*/10 * * * * *", "end": EPOCH + 10 * last}
        case 2:
            seconds = dice.between(1, 9) + 0.5
            rules |= {"after": seconds, "end": EPOCH + (seconds + 5) * last}
    return Schedule(**rules, overlap=dice.one_of(("allow", "skip", "queue", "replace")))


def answers_of(dice, run):
    """What somebody says to one run about a task of it: mostly nothing."""
    kind, first, number = dice.below(100), dice.fraction() * 6, dice.below(1_000)
    if kind < 12:
        return (Word(first, run, dice.one_of(("skip", "output")), number),)
    if kind < 24:
        later = dice.fraction() * 6
        again = Word(first, run, dice.one_of(("retry", "retry", "retry skip", "retry output")), number)
        return (again, Word(later, run, "retry", dice.below(1_000)))[: dice.between(1, 2)]
    return ()


def faults_more(dice, *, eventful, scheduled):
    """What befalls the log of events, and engines that have a schedule."""
    places = [*(("log read", "event before", "event after") if eventful else ())]
    places += ["outage"] if scheduled else []
    if not places or not dice.chance(60):
        return ()
    place = dice.one_of(places)
    kinds, most = MORE[place]
    seconds = dice.fraction() * (OUTAGE if place == "outage" else 6)
    return (Fault(place, dice.between(1, most), dice.one_of(kinds), round(seconds, 3)),)


def faults_opening(dice):
    """What befalls an engine that opens, mostly after an outage: timers that are overdue ring meanwhile."""
    if not dice.chance(8):
        return ()
    found = (Fault("outage", 1, "crash", round(dice.fraction() * 40, 3)),) if dice.chance(80) else ()
    reads, *commits = OPENING
    for place in (reads, dice.one_of(commits)):
        kinds, most = OPENING[place]
        found += (Fault(place, dice.between(1, most), dice.one_of(kinds), round(dice.fraction() * 6, 3)),)
    return found


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
