"""What is durable, read as it becomes so; and all that was promised to somebody."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from dirigent.model.run.journal import (
    Abandoned,
    CancelRequested,
    Ended,
    Held,
    Intended,
    Repeated,
    Resumed,
    Skipped,
    Suspended,
    TimerFired,
    TimerSet,
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
    seen: int = 0
    facts: dict = field(default_factory=lambda: defaultdict(list))
    ends: dict = field(default_factory=dict)
    held: dict = field(default_factory=lambda: defaultdict(dict))
    suspended: set = field(default_factory=set)
    intents: dict = field(default_factory=lambda: defaultdict(set))
    timers: dict = field(default_factory=dict)
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
        match fact:
            case Intended(position=position, attempt=attempt):
                self.intents[run].add((position, attempt))
            case TimerSet(position=position, attempt=attempt, purpose=purpose, until=until):
                self.timers[run, position, attempt, purpose] = until
            case TimerFired(position=position, attempt=attempt, purpose=purpose):
                until = self.timers.get((run, position, attempt, purpose), float("inf"))
                late = self.universe.now - until
                self.law("no timer rings early", late >= -INSTANT, lambda: f"{run}: {fact} {-late} s early")
            case Held(position=position, attempt=attempt):
                self.held[run][position, attempt] = fact.at
            case Vouched() | Repeated() | Skipped() | Abandoned():
                self.held[run].pop((fact.position, fact.attempt), None)
            case Suspended():
                self.suspended.add(run)
            case Resumed() | CancelRequested():
                self.suspended.discard(run)
            case Ended():
                self.ends[run] = fact
