"""What is durable, read as it becomes so; and all that was promised to somebody."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from dirigent.model.run.journal import (
    Abandoned,
    CancelRequested,
    Created,
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
    Suspended,
    TimerFired,
    TimerSet,
    Unheard,
    Vouched,
)

# What a float of seconds since the epoch cannot tell apart.
INSTANT = 1e-6


class Broken(AssertionError):
    """A law does not hold. `law` is its name."""

    def __init__(self, law, words):
        super().__init__(f"{law}: {words}")
        self.law = law


@dataclass
class History:
    """The journals as the disk got them. `checked` counts how often each law was tried."""

    disk: object
    universe: object
    queues: object
    seen: int = 0
    facts: dict = field(default_factory=lambda: defaultdict(list))
    ends: dict = field(default_factory=dict)
    held: dict = field(default_factory=lambda: defaultdict(dict))
    suspended: dict = field(default_factory=dict)
    listening: dict = field(default_factory=lambda: defaultdict(dict))
    intents: dict = field(default_factory=lambda: defaultdict(set))
    abandoned: dict = field(default_factory=lambda: defaultdict(set))
    timers: dict = field(default_factory=dict)
    waiting: dict = field(default_factory=dict)
    admitted: dict = field(default_factory=lambda: defaultdict(dict))
    checked: Counter = field(default_factory=Counter)
    kinds: Counter = field(default_factory=Counter)

    def law(self, name, holds, words):
        """Count a law as tried; raise when it is broken."""
        self.checked[name] += 1
        if not holds:
            raise Broken(name, words() if callable(words) else words)

    def catch_up(self, trace):
        """Read what became durable since the last look."""
        commits = self.disk.commits
        while self.seen < len(commits):
            self.seen += 1
            trace(commits[self.seen - 1])
            self.take(commits[self.seen - 1])

    def take(self, commit):
        """Read one append."""
        self.law(
            "a zombie writes nothing",
            commit.epoch == commit.newest,
            lambda: f"epoch {commit.epoch} wrote {commit.facts} to {commit.run} after {commit.newest} opened",
        )
        known = self.facts[commit.run]
        self.law(
            "nothing is overwritten or left out",
            commit.first == len(known),
            lambda: f"{commit.run}@{commit.first} has {len(known)} facts",
        )
        for fact in commit.facts:
            known.append(fact)
            self.kinds[type(fact).__name__] += 1
            self.note(commit.run, fact)

    def note(self, run, fact):
        """Learn what a fact says."""
        match fact:
            case TimerSet(position=position, attempt=attempt, purpose=purpose, until=until):
                self.timers[run, position, attempt, purpose] = until
            case TimerFired(position=position, attempt=attempt, purpose=purpose):
                until = self.timers.get((run, position, attempt, purpose), float("inf"))
                late = self.universe.now - until
                self.law("no timer rings early", late >= -INSTANT, lambda: f"{run}: {fact} {-late} s early")
            case Intended(position=position, attempt=attempt, queue=queue):
                self.intents[run].add((position, attempt))
                if queue:
                    self.let_go(queue, run, (position, attempt))
            case Held(position=position, attempt=attempt):
                self.held[run][position, attempt] = fact.at
                self.settle(run, fact)  # Whoever waits for a person leaves his place to others.
            case Vouched() | Repeated() | Skipped() | Abandoned() | Succeeded() | Failed():
                self.held[run].pop((fact.position, fact.attempt), None)
                self.settle(run, fact)
                if isinstance(fact, Abandoned):
                    self.abandoned[run].add((fact.position, fact.attempt))
            case Listening() | Heard() | Unheard() | Overruled():
                self.note_of_events(run, fact)
            case _:
                self.note_of_the_run(run, fact)

    def note_of_events(self, run, fact):
        name = (fact.position, fact.attempt)
        match fact:
            case Listening():
                self.listening[run][name] = fact.at
            case Heard() | Unheard():
                self.listening[run].pop(name, None)
            case Overruled():
                self.held[run].pop(name, None)

    def note_of_the_run(self, run, fact):
        match fact:
            case Created(ticket=ticket) if ticket is not None:
                self.waiting[run] = ticket.queue
            case Suspended(follows=follows):
                self.suspended[run] = follows
            case Resumed(queue=""):
                self.suspended.pop(run, None)
            case Retried():
                del self.ends[run]
            case Resumed() | CancelRequested():
                suspended = self.suspended.pop(run, None) is not None
                queue = self.waiting.pop(run, None)
                if queue is not None and isinstance(fact, Resumed):
                    self.law("a queue lets nobody go who is suspended", not suspended, fact)
                    self.let_go(queue, run, None)
            case Ended():
                self.ends[run] = fact
                for going in self.admitted.values():
                    going.pop((run, None), None)

    def let_go(self, queue, run, what):
        """A queue lets something go: a run, or one of its effects."""
        going = self.admitted[queue]
        going[run, what] = True
        most = self.queues[queue].limits.concurrency
        self.law("a queue lets go no more than it may", len(going) <= most, lambda: f"{queue}: {going}")

    def settle(self, run, fact):
        """An effect is over: its place in a queue is free."""
        for going in self.admitted.values():
            going.pop((run, (fact.position, fact.attempt)), None)
