"""What a range of seeds has tried: faults by place, kinds of facts, nodes, classes of doubt, laws.

A range that tried too little proves nothing, and fails.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import get_args

from dirigent.model.run.journal import Awaited, Computed, Control, Effect, Eventful, Spoken, Timer
from simulation.rig.plan import ALL_PLACES
from simulation.rig.programs import nodes_in

KINDS = (
    *(*get_args(Control), *get_args(Effect), *get_args(Timer), *get_args(Eventful), *get_args(Spoken)),
    *(Computed, Awaited),
)
FACTS = {kind.__name__ for kind in KINDS}
NODES = {
    *("Sequence", "Graph", "Loop", "Fork", "Switch", "Try", "Call", "Wait", "Set", "Raise"),
    *("Emit", "Listen", "Extended"),
}
DOUBTS = {"keyed", "supervised", "probe", "pure", "none"}
PHASES = {"completed", "faulted", "cancelled"}
LAWS = {
    "a zombie writes nothing",
    "a fenced opening is refused",
    "a stale position is refused",
    "nothing is overwritten or left out",
    "what is stored is what was said",
    "every prefix is a legal fold",
    "replay of a prefix is the state then",
    "the oracle agrees with every fact",
    "a calm run ends as the oracle says",
    "a calm run sends what the oracle says",
    "a recorded result is the world's",
    "a recorded fault is the world's",
    "a keyed effect happens at most once",
    "a keyed effect that succeeded happened",
    "a supervised effect happens at most once",
    "a supervised effect that succeeded happened",
    "a probe effect happens at most once",
    "a probe effect that succeeded happened",
    "a key stands for one request",
    "no effect begins before its intent is durable",
    "what was abandoned does not happen any more",
    "what may be repeated runs ahead",
    "an engine that has failed begins nothing",
    "what nobody can tell is not repeated unasked",
    "no timer rings early",
    "nobody is told before it is durable",
    "an acknowledged start is durable",
    "an acknowledged word is durable",
    "an end that is told is durable",
    "every run ends",
    "an acknowledged event is in the log",
    "an event counts once for each listener, in order",
    "an event that fits is not left lying",
    "what is told by a run lies in the log once",
    "a retry is taken where it helps, and nowhere else",
    "a run that is run again begins as the first did",
    "who is told by his parent is told once",
    "what is heard was told",
    "a time of a schedule starts one run",
    "a schedule starts nothing early",
    "a schedule starts runs at its times only",
    "a schedule is punctual where nothing fails",
    "runs of a schedule overlap only where they may",
    "no time of a schedule is lost",
    "of missed times only the last one runs",
    "what is late does not run where none may",
    "code ends as plain Python does",
    "a queue lets go no more than it may",
    "nothing goes round in circles",
    "no secret is stored",
    "no task is left",
    "no run is left in memory",
    "no timer is left",
}
# So many seeds for each time that everything must have been tried at least.
SELDOM = 2_500


@dataclass
class Coverage:
    """Counts of a range of seeds; ranges add up."""

    seeds: int = 0
    struck: Counter = field(default_factory=Counter)
    facts: Counter = field(default_factory=Counter)
    nodes: Counter = field(default_factory=Counter)
    doubts: Counter = field(default_factory=Counter)
    phases: Counter = field(default_factory=Counter)
    laws: Counter = field(default_factory=Counter)
    sums: Counter = field(default_factory=Counter)

    def take(self, simulation):
        """Count one seed."""
        self.seeds += 1
        history = simulation.history
        self.struck.update(f"{place}: {what}" for place, what in simulation.struck.elements())
        self.facts.update(history.kinds)
        for program in simulation.programs:
            self.nodes.update(nodes_in(program))
        self.doubts.update(simulation.world.doubts)
        self.phases.update(end.phase for end in history.ends.values())
        self.laws.update(history.checked)
        self.sums["runs"] += len(history.facts)
        self.sums["facts"] += sum(history.kinds.values())
        self.sums["engines"] += len(simulation.lives)
        self.sums["callbacks"] += simulation.universe.steps
        self.sums["calm seeds"] += simulation.plan.calm
        self.sums["virtual seconds"] += int(simulation.universe.now - 1_000_000)

    def add(self, other):
        """Add what another range tried."""
        self.seeds += other.seeds
        for name in ("struck", "facts", "nodes", "doubts", "phases", "laws", "sums"):
            getattr(self, name).update(getattr(other, name))

    def missing(self):
        """What was tried too seldom for this many seeds, in words."""
        least = self.seeds // SELDOM
        strikes = {f"{place}: {what}" for place, (kinds, _) in ALL_PLACES.items() for what in kinds}
        wanted = [
            (self.struck, strikes),
            (self.facts, FACTS),
            (self.nodes, NODES),
            (self.doubts, DOUBTS),
            (self.phases, PHASES),
            (self.laws, LAWS),
        ]
        return [
            f"`{name}` {counts[name]} times in {self.seeds} seeds, at least {least} are wanted"
            for counts, names in wanted
            for name in sorted(names)
            if counts[name] < least
        ]

    def as_value(self):
        """The counts as JSON."""
        names = ("struck", "facts", "nodes", "doubts", "phases", "laws", "sums")
        return {"seeds": self.seeds, **{name: dict(sorted(getattr(self, name).items())) for name in names}}

    @classmethod
    def from_value(cls, value):
        """The counts of JSON."""
        return cls(value["seeds"], *(Counter(value[name]) for name in value if name != "seeds"))

    def lines(self):
        """The counts for people."""
        yield " · ".join(f"{number:,} {name}" for name, number in {"seeds": self.seeds, **self.sums}.items())
        for title in ("struck", "facts", "doubts", "phases", "laws"):
            counts = getattr(self, title)
            yield f"{title}: " + ", ".join(f"{name} {counts[name]:,}" for name in sorted(counts))
