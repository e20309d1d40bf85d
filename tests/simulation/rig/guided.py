"""The oracle led by a journal: each fact comes when it came, and what was begun is what is wanted.

A person has a run go on from a task: then the journal is followed once more, up to the gate where that task
stands; what nobody wants on the way is passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from dirigent.model.fault import Fault
from dirigent.model.program import Call
from dirigent.model.run.journal import (
    Abandoned,
    CancelRequested,
    Computed,
    Created,
    Emitted,
    Ended,
    Failed,
    Heard,
    Held,
    Intended,
    Listening,
    Overruled,
    Repeated,
    Resumed,
    Retried,
    Skipped,
    Succeeded,
    TimerFired,
    TimerSet,
    Unheard,
    Vouched,
)
from simulation.rig.leaves import Answered, Interrupted, Past
from simulation.rig.oracle import Oracle

# A timer may be rounded by what a float of seconds since the epoch can tell apart.
INSTANT = 1e-6


class Unlike(AssertionError):
    """The journal and the oracle part."""


def effect_of(fact):
    return "effect", fact.position, fact.attempt


def note_of(fact):
    return "note", fact.position, fact.attempt


def timer_of(fact):
    return "timer", fact.position, fact.attempt, fact.purpose


def name_of(fact):
    return fact.position, fact.attempt


def compute_of(fact):
    return "compute", fact.position, fact.attempt


# What each of these facts begins, or answers at once.
WANTS = {
    Intended: effect_of,
    TimerSet: timer_of,
    Computed: compute_of,
    Listening: note_of,
    Emitted: note_of,
}


@dataclass
class Following:
    """The facts of one journal, each as it comes.

    `generations` says of each effect (position, attempt) which identity it has. `log` are the events that
    there are, in their order, each with when it arrived: whoever hears one has had all before it.
    """

    program: object
    log: list | None = None
    generations: dict = field(default_factory=dict)
    timers: dict = field(default_factory=dict)
    requests: dict = field(default_factory=dict)
    held: set = field(default_factory=set)
    facts: list = field(default_factory=list)
    queued: object = None

    def __post_init__(self):
        self.oracle = Oracle(self.program)

    def follow(self, facts):
        for fact in facts:
            self.fact(fact)
        return self

    def fact(self, fact):
        oracle = self.oracle
        oracle.facts += 1
        oracle.now = max(oracle.now, fact.at)
        self.fold(fact)
        self.facts.append(fact)

    def fold(self, fact):
        match fact:
            case Intended() | TimerSet():
                self.begun(fact)
            case TimerFired():
                self.rang(fact, timer_of(fact))
            case Computed(answers=answers):
                broken = next((answer for answer in answers if isinstance(answer, Fault)), None)
                asked = self.oracle.loom.feed(compute_of(fact), broken)
                self.must(asked, fact, "nobody asked")
            case Listening() | Heard() | Unheard() | Emitted():
                self.noted(fact, note_of(fact))
            case Overruled():
                self.overruled(fact)
            case _ if hasattr(fact, "position"):
                self.settled(fact, effect_of(fact))
            case _:
                self.of_the_run(fact)

    def of_the_run(self, fact):
        oracle = self.oracle
        match fact:
            case Created():
                oracle.created = fact.at
                self.queued = fact if fact.ticket is not None else None
                if self.queued is None:
                    oracle.start(fact.input, fact.at)
            case Resumed(queue=queue) if self.queued is not None and queue:
                oracle.start(self.queued.input, fact.at)
                self.queued = None
            case CancelRequested():
                oracle.cancel()
            case Ended():
                self.ended(fact)

    def begun(self, fact):
        oracle = self.oracle
        effect = isinstance(fact, Intended)
        key = effect_of(fact) if effect else timer_of(fact)
        wanted = oracle.wanted.pop(key, None)
        self.must(wanted is not None, fact, "nobody wants this")
        if effect:
            self.must(wanted.request == fact.request, fact, f"wanted is {wanted.request}")
            again = any(stopping[1] == fact.position for stopping in oracle.stopping)
            self.must(not again, fact, "the attempt before is not over")
            self.generations[name_of(fact)] = wanted.generation
            self.requests[key] = fact.request
            oracle.begun.add(key)
        else:
            self.must(abs(fact.until - fact.at - wanted.seconds) < INSTANT, fact, f"wanted: {wanted}")
            self.timers[key] = (fact.until, fact.at)

    def rang(self, fact, key):
        until, _ = self.timers.pop(key, (float("inf"), 0.0))
        self.must(fact.at >= until - INSTANT, fact, "it rings too early")
        self.must(self.oracle.loom.feed(key, None), fact, "nobody waits for it")

    def noted(self, fact, key):
        """Events: who listens, what he hears, and what is told."""
        oracle = self.oracle
        match fact:
            case Listening():
                wanted = oracle.wanted.pop(key, None)
                self.must(wanted is not None and wanted.hearing is not None, fact, "nobody wants to listen")
                self.must(fact.since >= oracle.created - INSTANT, fact, "it listens before the run began")
                oracle.listening[key] = wanted
            case Emitted(event=event):
                wanted = oracle.wanted.pop(key, None)
                self.must(wanted is not None and wanted.event is not None, fact, "nobody emits")
                plain = {name: value for name, value in event.items() if name != "id"}
                self.must(plain == wanted.event, fact, f"wanted is {wanted.event}")
                oracle.loom.feed(key, event)
            case Unheard():
                self.must(key in oracle.ceasing, fact, "it is still wanted")
                oracle.ceasing.discard(key)
            case Heard(event=event, arrived=arrived):
                wanted = oracle.listening.get(key)
                self.must(wanted is not None, fact, "nobody listens")
                found = wanted.hearing.counts(event, arrived, oracle.taken)
                self.must(found == (fact.number, fact.keys), fact, f"it counts as {found}")
                self.must(not self.missed(wanted.hearing, event), fact, "an event before it was left out")
                del oracle.listening[key]
                oracle.loom.feed(key, (event, *found))

    def missed(self, hearing, before=None):
        """The first event of the log, before one of it, that counts for a listener and was left out."""
        for arrived, event in self.log or ():
            if event == before:
                return None
            if hearing.counts(event, arrived, self.oracle.taken) is not None:
                return event
        return None

    def settled(self, fact, key):
        oracle = self.oracle
        self.must(key in oracle.begun or key in oracle.stopping, fact, "it was never begun")
        self.held.discard(key)
        match fact:
            case Held():
                self.held.add(key)
                return
            case Repeated():
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

    def overruled(self, fact):
        """A person answers for a task: what it has under way is to be stopped, but not what is held."""
        strand, task = self.oracle.running.get(name_of(fact), (None, None))
        self.must(strand is not None, fact, "it does not run")
        self.oracle.loom.throw(strand, Answered(name_of(fact), fact.answer, fact.output))
        key = effect_of(fact)
        if key in self.held and isinstance(task.node, Call):
            self.held.discard(key)
            self.oracle.stopping.discard(key)

    def ended(self, fact):
        oracle = self.oracle
        found = fact.fault and (fact.fault.type, fact.fault.status, fact.fault.instance)
        self.must(oracle.end is not None, fact, "it goes on")
        self.must(oracle.end == (fact.phase, fact.output, found), fact, f"it ends with {oracle.end}")
        left = oracle.stopping | oracle.ceasing
        self.must(not left, fact, f"still to be stopped: {left}")

    def must(self, holds, fact, why):
        if not holds:
            raise Unlike(f"{fact}: {why}")


@dataclass
class Guided(Following):
    """The same where people have runs go on. While `passing`, what nobody wants is passed over."""

    passing: bool = False
    over: bool = False

    def fold(self, fact):
        if self.passing:
            if self.expects(fact):
                super().fold(fact)
            else:
                self.pass_over(fact)
        elif isinstance(fact, Retried):
            self.reopen(fact)
        else:
            super().fold(fact)

    def reopen(self, fact):
        """Go on from the gate of a task."""
        stood = self.standing(name_of(fact))
        self.must(stood.stands(name_of(fact)), fact, "the run does not stand there")
        self.oracle, self.timers, self.held = stood.oracle, stood.timers, stood.held
        self.requests.update(stood.requests)
        self.oracle.facts += 1
        self.oracle.now = max(self.oracle.now, fact.at)
        self.open(fact)

    def standing(self, name):
        """The journal followed once more, up to the gate of a task."""
        other = Guided(self.program, self.log, passing=True)
        known = {name_of(fact) for fact in self.facts if isinstance(fact, Retried)}
        other.oracle.gates = frozenset(known | {name})
        return other.follow(self.facts)

    def stands(self, name):
        """Whether a run that ended stands at a gate, and at nothing that would end it all the same."""
        return self.over and name in self.oracle.parked and self.oracle.end is None

    def open(self, fact):
        """Let it go on; every timer has as much time as was left when the task came to its gate."""
        oracle, name = self.oracle, name_of(fact)
        since, _ = oracle.parked[name]
        for key, (until, began) in list(self.timers.items()):
            if key in oracle.loom.waiting:
                self.timers[key] = (oracle.now + until - max(since, began), began)
        for ledger in oracle.ledgers:
            if not ledger.counted:
                ledger.counted, ledger.pasts = True, oracle.again
            elif ledger.pasts is not oracle.again:
                for position, past in oracle.again.items():
                    if ledger.pasts.get(position, past).attempt <= past.attempt:
                        ledger.pasts[position] = past
        oracle.opened.add(name)
        self.over = False
        for key in [key for key in oracle.loom.waiting if key[0] == "renew"]:
            oracle.loom.feed(key, None)
        oracle.loom.feed(("gate", *name), fact)

    # -- what a person took back ------------------------------------------------------------------

    def expects(self, fact):
        """Whether somebody wants a fact, or it is for the run as a whole."""
        oracle, kind = self.oracle, type(fact)
        if kind in WANTS:
            return WANTS[kind](fact) in oracle.wanted
        match fact:
            case TimerFired():
                return timer_of(fact) in self.timers and timer_of(fact) in oracle.loom.waiting
            case Unheard() | Heard():
                return self.expects_of_events(fact, note_of(fact))
            case Overruled():
                return name_of(fact) in oracle.running
            case _ if hasattr(fact, "position") and kind is not Retried:
                return self.expects_end(fact, effect_of(fact))
        return kind not in {Ended, Retried}

    def expects_of_events(self, fact, key):
        if isinstance(fact, Unheard):
            return key in self.oracle.ceasing
        wanted = self.oracle.listening.get(key)
        if wanted is None:
            return False
        return wanted.hearing.counts(fact.event, fact.arrived, self.oracle.taken) is not None

    def expects_end(self, fact, key):
        if isinstance(fact, Abandoned):
            return key in self.oracle.stopping
        live = key in self.oracle.begun or key in self.oracle.stopping
        return live and isinstance(fact, Vouched | Skipped | Repeated) == (key in self.held)

    def pass_over(self, fact):
        """Of what is taken back only its attempts are kept, and what stood elsewhere begins anew."""
        oracle = self.oracle
        match fact:
            case Ended():
                self.over = True
            case Retried():
                if self.stands(name_of(fact)):
                    self.open(fact)
                else:
                    past = self.lost(fact)
                    past.attempt = max(past.attempt, fact.attempt + 1)
                self.over = False
            case Abandoned() if effect_of(fact) in oracle.begun:
                self.interrupt(fact, effect_of(fact))
            case Unheard() if note_of(fact) in oracle.listening:
                oracle.wanted[note_of(fact)] = oracle.listening.pop(note_of(fact))
            case _ if hasattr(fact, "position"):
                self.remember(fact)

    def interrupt(self, fact, key):
        oracle, past = self.oracle, self.past(fact)
        past.sent, past.began, past.doubtful = self.requests[key], True, True
        oracle.begun.discard(key)
        self.held.discard(key)
        oracle.loom.throw(oracle.loom.waiting[key], Interrupted())

    def lost(self, fact):
        """What is known of the place of an attempt that is taken back, now that it is."""
        lost = self.oracle.lost
        lost[fact.position] = max(lost.get(fact.position, 0), fact.attempt)
        return self.past(fact)

    def remember(self, fact):
        past = self.lost(fact)
        match fact:
            case Intended(request=request):
                if past.began and not past.doubtful and past.sent != request:
                    past.generation += 1
                past.sent, past.began, past.doubtful = request, True, True
            case Succeeded() | Vouched() | Skipped():
                past.doubtful = False
            case Failed(fault=found):
                past.doubtful = found.doubtful or found.status >= 500

    def past(self, fact):
        """What is known of the attempts at a place that are taken back, this one among them."""
        oracle = self.oracle
        known = Past()
        for _, ledger in oracle.parked.values():
            known = replace(ledger.pasts.get(fact.position, known))
        past = oracle.again.setdefault(fact.position, known)
        past.attempt = max(past.attempt, fact.attempt)
        return past
