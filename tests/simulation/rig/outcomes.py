"""What becomes of effects, drawn from position and attempt alone; and the oracle under a clock."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from dirigent.model import fault
from dirigent.model.fault import Fault
from dirigent.model.run.effect import Broken, Done
from dirigent.testing import Dice
from simulation.rig.oracle import Oracle

CANARY = "s3cr3t-canary-7f1"
REDACTED = "(secret canary)"
# How long a server takes that knows the key.
KNOWN = 0.01


def kind_of(request):
    """How doubt about an effect is resolved: its class, as its request says."""
    if "step" in request:
        return "none" if request["step"].endswith(":charge") else "pure"
    if "endpoint" in request:
        return request["endpoint"].rpartition("/")[2]
    return "child" if "namespace" in request else "supervised"


@dataclass(frozen=True)
class Outcomes:
    """Drawn from a seed. With `troubled` effects fail as often as they like."""

    seed: int

    def dice(self, run, position, attempt):
        return Dice(self.seed, f"{run} {position} {attempt}")

    def seconds(self, run, position, attempt):
        return 0.25 + self.dice(run, position, attempt).fraction() * 4

    def of(self, run, position, attempt):
        dice = self.dice(run, position, attempt)
        dice.bits()
        roll = dice.below(100)
        if roll < 78:
            echo = {"echo": f"Bearer {CANARY}"} if roll % 8 == 0 else {}
            return Done({"n": roll % 4, **echo})
        kind, status = (fault.CONFIGURATION, 400) if roll < 86 else (fault.COMMUNICATION, 503)
        return Broken(Fault(kind, status, "Broken"))


def redacted(value):
    """The value without the canary."""
    if isinstance(value, str):
        return value.replace(CANARY, REDACTED)
    if isinstance(value, dict):
        return {name: redacted(item) for name, item in value.items()}
    return [redacted(item) for item in value] if isinstance(value, list) else value


@dataclass
class Timed:
    """The oracle under a clock, in a world where nothing goes wrong."""

    outcomes: Outcomes
    run: str
    program: object
    catalogue: dict
    effect_of: object
    log: list = field(default_factory=list)
    sent: list = field(default_factory=list)
    known: dict = field(default_factory=dict)

    def play(self, given, now=0.0):
        """How the run ends: phase, output, fault, and at what time."""
        self.oracle = oracle = Oracle(self.program)
        self.queue, self.count = [], 0
        oracle.created, oracle.facts = now, 1
        oracle.start(given, now)
        self.take()
        while self.queue and oracle.end is None:
            at, _, key, value = heapq.heappop(self.queue)
            oracle.now = max(oracle.now, at)
            oracle.facts += 1
            if key[0] == "effect":
                value = self.happened(key, value)
            if key[0] == "note" and not isinstance(value, dict):
                if key not in oracle.listening:
                    continue
                value = self.heard(oracle.listening.pop(key).hearing)[1]
            oracle.loom.feed(key, value)
            self.take()
        return oracle.end, oracle.now

    def heard(self, hearing):
        """The next event for who listens: when it arrives, and what he is told; None when none will."""
        for at, event in self.log:
            found = hearing.counts(event, at, self.oracle.taken)
            if found is not None:
                return at, (event, *found)
        return None

    def happened(self, key, wanted):
        """The answer of an effect when its time has come; nothing when it was stopped before."""
        if key not in self.oracle.begun:
            return None
        if isinstance(wanted, tuple):
            return wanted
        identity = (key[1], wanted.generation)
        outcome = self.known.get(identity) if kind_of(wanted.request) == "keyed" else None
        outcome = outcome or self.outcomes.of(self.run, key[1], key[2])
        if isinstance(outcome, Broken):
            return "broken", outcome.fault
        self.known[identity] = outcome
        return "done", redacted(outcome.output)

    def take(self):
        """Begin what is wanted; what is to be stopped is stopped at once."""
        oracle = self.oracle
        oracle.stopping.clear()
        for key, wanted in list(oracle.wanted.items()):
            del oracle.wanted[key]
            seconds = wanted.seconds
            value = None
            oracle.facts += 1
            if wanted.event is not None:
                value = {**wanted.event, "id": self.effect_of(self.run, key[1], 0, key[2])}
            elif wanted.hearing is not None:
                oracle.listening[key] = wanted
                found = self.heard(wanted.hearing)
                if found is None:
                    continue
                seconds = max(0.0, found[0] - oracle.now)
            if key[0] == "effect":
                oracle.begun.add(key)
                self.sent.append((key[1], key[2], wanted.request))
                seconds, value = self.begun(key, wanted)
            self.count += 1
            heapq.heappush(self.queue, (oracle.now + seconds, self.count, key, value))

    def begun(self, key, wanted):
        kind = kind_of(wanted.request)
        if kind == "keyed" and (key[1], wanted.generation) in self.known:
            return KNOWN, wanted
        if kind != "child":
            return self.outcomes.seconds(self.run, key[1], key[2]), wanted
        child = self.effect_of(self.run, key[1], wanted.generation, key[2])
        program = self.catalogue[wanted.request["name"]]
        other = Timed(self.outcomes, child, program, self.catalogue, self.effect_of, self.log)
        (phase, output, broke), ended = other.play(wanted.request["input"], self.oracle.now)
        if phase == "completed":
            return ended - self.oracle.now, ("done", output)
        return ended - self.oracle.now, ("broken", Fault(broke[0], broke[1]))
