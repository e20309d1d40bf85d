"""What `listen` means, without a line of the core: which event of the log is the next that counts.

Random filters name few things: a type, a text with marks of a regular expression, an expression over `data`,
and one correlation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from dirigent.model.events.listening import EventFilter, Quorum, Read, Strategy
from dirigent.model.values import Expression
from simulation.rig.words import NoValue, meaning

EVERYTHING = (EventFilter(),)
MARKS = frozenset("[|*")


def filters_of(strategy):
    """The filters of a strategy, then those that end it; without any, one that lets everything pass."""
    found = list(strategy.filters or EVERYTHING)
    if isinstance(strategy.until, Strategy):
        found += strategy.until.filters or EVERYTHING
    return found


def key_of(event):
    """What tells an event from every other."""
    return event["source"], event["id"]


@dataclass(eq=False)
class Hearing:
    """One activation of a listener: what it waits for now, and what it has had.

    `began` is the number of facts that the run had; `keys` are the correlations that are known.
    """

    node: object
    seen: dict
    keys: dict
    began: int = 0
    open: list = field(default_factory=list)
    closing: list = field(default_factory=list)
    mine: set = field(default_factory=set)
    taken: int = 0
    since: float = 0.0

    def __post_init__(self):
        to = self.node.to
        self.filters = filters_of(to)
        count = len(to.filters or EVERYTHING)
        self.open, self.closing = list(range(count)), list(range(count, len(self.filters)))

    def judged(self, event):
        """The number of the first filter that an event fits, and what it says of the correlations."""
        for number in (*self.closing, *self.open):
            found = self.fits(self.filters[number], event)
            if found is not None:
                return number, found
        return None

    def fits(self, wanted, event):
        for name, template in wanted.attributes.items():
            if name not in event or not self.passes(template, event[name]):
                return None
        keys = {}
        for name, link in wanted.correlate.items():
            value = valued(link.source, event, self.seen)
            if value is None or (name in self.keys and self.keys[name] != value):
                return None
            keys[name] = value
        return keys

    def passes(self, template, value):
        if not isinstance(template, Expression):
            marked = isinstance(template, str) and MARKS & set(template)
            return re.fullmatch(template, value) is not None if marked else template == value
        found = valued(template, value, self.seen)
        return found if isinstance(found, bool) else found == value

    def take(self, event, number, keys):
        """Have an event that counts; return whether it is one to go through, not one that closes."""
        self.mine.add(key_of(event))
        self.keys = {**keys, **self.keys}
        until = self.node.to.until
        if number in self.closing:
            every = isinstance(until, Strategy) and until.quorum is Quorum.ALL
            self.closing = [each for each in self.closing if every and each != number]
            if not self.closing:
                self.open = []
            return False
        if self.node.to.quorum is Quorum.ALL:
            self.open.remove(number)
        return True

    @property
    def over(self):
        """Whether nothing more is waited for; a condition is asked apart."""
        to = self.node.to
        if not self.open:
            return True
        if to.quorum is Quorum.ALL or not self.taken:
            return False
        return to.quorum is Quorum.ONE or to.until is None

    def counts(self, event, arrived, taken):
        """What `judged` says, if an event counts at all. `taken` says at which fact each was first had."""
        key = key_of(event)
        if arrived < self.since or key in self.mine or taken.get(key, self.began + 1) <= self.began:
            return None
        return self.judged(event)


def valued(expression, dot, seen):
    try:
        return meaning(expression)(dot, seen)
    except NoValue:
        return None


def read(event, how):
    """What a listener is given of an event."""
    return event if how is Read.ENVELOPE else event.get("data")


def emitted(given):
    """The event that a template gives, without its id."""
    return {"specversion": "1.0", "datacontenttype": "application/json", **given}
