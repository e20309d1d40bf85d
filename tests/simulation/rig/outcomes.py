"""What becomes of effects, drawn from position and attempt alone; and the two drivers of the oracle."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field

from dirigent.model import fault
from dirigent.model.fault import Fault
from dirigent.model.run.effect import Broken, Done
from dirigent.model.run.journal import (
    Abandoned,
    CancelRequested,
    Computed,
    Created,
    Ended,
    Failed,
    Held,
    Intended,
    Repeated,
    Resumed,
    Skipped,
    Succeeded,
    TimerFired,
    TimerSet,
    Vouched,
)
from dirigent.testing import Dice
from simulation.rig.oracle import Oracle

CANARY = "s3cr3t-canary-7f1"
REDACTED = "(secret canary)"
# A timer may be rounded by what a float of seconds since the epoch can tell apart.
INSTANT = 1e-6
# How long a server takes that knows the key.
KNOWN = 0.01


class Unlike(AssertionError):
    """The journal and the oracle part."""


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
    sent: list = field(default_factory=list)
    known: dict = field(default_factory=dict)

    def play(self, given, now=0.0):
        """How the run ends: phase, output, fault, and at what time."""
        self.oracle = oracle = Oracle(self.program)
        self.queue, self.count = [], 0
        oracle.start(given, now)
        self.take()
        while self.queue and oracle.end is None:
            at, _, key, value = heapq.heappop(self.queue)
            oracle.now = max(oracle.now, at)
            if key[0] == "effect":
                value = self.happened(key, value)
            oracle.loom.feed(key, value)
            self.take()
        return oracle.end, oracle.now

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
        other = Timed(self.outcomes, child, program, self.catalogue, self.effect_of)
        (phase, output, broke), ended = other.play(wanted.request["input"], self.oracle.now)
        if phase == "completed":
            return ended - self.oracle.now, ("done", output)
        return ended - self.oracle.now, ("broken", Fault(broke[0], broke[1]))


@dataclass
class Guided:
    """The oracle led by a journal: each fact comes when it came, and what was begun is what is wanted.

    `generations` says of each effect (position, attempt) which identity it has.
    """

    program: object
    generations: dict = field(default_factory=dict)
    timers: dict = field(default_factory=dict)
    queued: object = None

    def __post_init__(self):
        self.oracle = Oracle(self.program)

    def follow(self, facts):
        for fact in facts:
            self.fact(fact)
        return self

    def fact(self, fact):
        oracle = self.oracle
        oracle.now = max(oracle.now, fact.at)
        match fact:
            case Created(input=given, ticket=None):
                oracle.start(given, fact.at)
            case Created():
                self.queued = fact
            case Resumed(queue=queue) if self.queued is not None and queue:
                oracle.start(self.queued.input, fact.at)
                self.queued = None
            case Intended() | TimerSet():
                self.begun(fact)
            case TimerFired(position=position, attempt=attempt, purpose=purpose):
                self.rang(fact, ("timer", position, attempt, purpose))
            case Computed(position=position, answers=answers):
                broken = next((answer for answer in answers if isinstance(answer, Fault)), None)
                self.must(oracle.loom.feed(("compute", position), broken), fact, "nobody asked")
            case CancelRequested():
                oracle.cancel()
            case Ended():
                self.ended(fact)
            case _ if hasattr(fact, "position"):
                self.settled(fact, ("effect", fact.position, fact.attempt))

    def begun(self, fact):
        oracle = self.oracle
        effect = isinstance(fact, Intended)
        key = ("effect" if effect else "timer", fact.position, fact.attempt)
        key = key if effect else (*key, fact.purpose)
        wanted = oracle.wanted.pop(key, None)
        self.must(wanted is not None, fact, "nobody wants this")
        if effect:
            self.must(wanted.request == fact.request, fact, f"wanted is {wanted.request}")
            again = any(stopping[1] == fact.position for stopping in oracle.stopping)
            self.must(not again, fact, "the attempt before is not over")
            self.generations[fact.position, fact.attempt] = wanted.generation
            oracle.begun.add(key)
        else:
            self.must(abs(fact.until - fact.at - wanted.seconds) < INSTANT, fact, f"wanted: {wanted}")
            self.timers[key] = fact.until

    def rang(self, fact, key):
        self.must(fact.at >= self.timers.pop(key, float("inf")) - INSTANT, fact, "it rings too early")
        self.must(self.oracle.loom.feed(key, None), fact, "nobody waits for it")

    def settled(self, fact, key):
        oracle = self.oracle
        self.must(key in oracle.begun or key in oracle.stopping, fact, "it was never begun")
        match fact:
            case Held() | Repeated():
                return
            case Succeeded(output=output) | Vouched(output=output):
                answer = ("done", output)
            case Failed(fault=found):
                answer = ("broken", found)
            case Skipped():
                answer = ("skipped", None)
            case Abandoned():
                answer = None
        if key in oracle.stopping:
            oracle.stopping.discard(key)
        else:
            self.must(answer is not None, fact, "it is still wanted")
            self.must(oracle.loom.feed(key, answer), fact, "nobody waits for it")

    def ended(self, fact):
        oracle = self.oracle
        found = fact.fault and (fact.fault.type, fact.fault.status, fact.fault.instance)
        self.must(oracle.end is not None, fact, "it goes on")
        self.must(oracle.end == (fact.phase, fact.output, found), fact, f"it ends with {oracle.end}")
        self.must(not oracle.stopping, fact, f"still to be stopped: {oracle.stopping}")

    def must(self, holds, fact, why):
        if not holds:
            raise Unlike(f"{fact}: {why}")
