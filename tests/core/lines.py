"""A random life of one queue, and the laws that what it lets go must keep."""

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import strategies as st

from dirigent.core.admission import Line
from dirigent.model.queue import Limits, Rate
from dirigent.model.run.ticket import Ticket

rates = st.none() | st.builds(Rate, st.integers(1, 4), st.sampled_from([1.0, 3.0, 10.0]))
limits = st.builds(Limits, st.integers(1, 4), rates)
events = st.lists(
    st.one_of(
        st.tuples(
            st.just("join"),
            st.integers(-2, 2),
            st.sampled_from("abc"),
            st.sampled_from([0.0, 0.0, 0.0, 2.0, 20.0]),
        ),
        st.tuples(st.just("wait"), st.sampled_from([0.0, 0.5, 1.0, 5.0])),
        st.tuples(st.just("end"), st.integers(0, 5)),
        st.tuples(st.just("drop"), st.integers(0, 5)),
        st.tuples(st.just("crash")),
    ),
    max_size=60,
)


class Broken(AssertionError):
    """A law was broken; the message says which."""


def law(holds, words):
    if not holds:
        raise Broken(words)


@dataclass
class Life:
    """Drives a line and keeps beside it, in the plainest way, what is true."""

    limits: Limits
    make: object = Line
    now: float = 100.0
    tickets: dict = field(default_factory=dict)
    running: dict = field(default_factory=dict)
    begun: list = field(default_factory=list)
    passed_over: dict = field(default_factory=dict)
    number: int = 0

    def __post_init__(self):
        self.line = self.make(self.limits)

    def live(self, events):
        for event in events:
            getattr(self, event[0])(*event[1:])
            self.look()

    def finish(self):
        """Let everything that waits get its turn; the line itself says when to look."""
        for _ in range(1000):
            if not self.tickets:
                return
            if self.running:
                self.end(0)
            else:
                again = self.line.again(self.now)
                law(again is not None, "something waits, nothing is under way, and nobody will look again")
                law(again > self.now, "it would look again at once, for ever")
                self.now = again
            self.look()
        raise Broken("something waits for ever")

    def join(self, priority, key, delay):
        self.number += 1
        item = (self.number,)
        ticket = Ticket("q", priority, key, self.now, self.now + delay)
        self.tickets[item] = ticket
        self.line.join(item, ticket)
        self.line.join(item, ticket)

    def wait(self, seconds):
        self.now += seconds

    def end(self, place):
        if self.running:
            item = sorted(self.running)[place % len(self.running)]
            del self.running[item]
            self.line.left(item)

    def drop(self, place):
        if self.tickets:
            item = sorted(self.tickets)[place % len(self.tickets)]
            del self.tickets[item]
            self.passed_over.pop(item, None)
            self.line.left(item)

    def crash(self):
        """A new engine makes the line again from what the journal holds."""
        self.line = self.make(self.limits)
        for item, at, key in self.begun:
            self.line.passed(at, key)
            if item in self.running:
                self.line.occupy(item)
        for item, ticket in sorted(self.tickets.items()):
            self.line.join(item, ticket)

    def look(self):
        for item in self.line.admit(self.now):
            law(item in self.tickets, f"{item} does not wait")
            self.judge(item)
            ticket = self.tickets.pop(item)
            self.running[item] = ticket
            self.begun.append((item, self.now, ticket.key))
            law(len(self.running) <= self.limits.concurrency, "too many are under way")
            self.check_rate()
        law(set(self.running) == set(self.line.running), "what is under way is not what is under way")
        law(dict(self.line.waiting) == self.tickets, "what waits is not what waits")
        self.check_idle()

    def ready(self):
        return {item: each for item, each in self.tickets.items() if each.not_before <= self.now}

    def judge(self, item):
        """The one that goes is ready, the first of its key, and no other key was passed over twice."""
        ready, mine = self.ready(), self.tickets[item]
        law(item in ready, "a delay was not kept")
        for other, ticket in ready.items():
            if ticket.key == mine.key:
                ahead = (-ticket.priority, max(ticket.since, ticket.not_before))
                law((-mine.priority, max(mine.since, mine.not_before)) <= ahead, "priority was not kept")
            else:
                seen = self.passed_over.setdefault(other, Counter())
                seen[mine.key] += 1
                law(seen[mine.key] <= 1, f"key {mine.key} had two turns while {ticket.key} waited")
        for waiting, ticket in self.tickets.items():
            if ticket.key == mine.key:
                self.passed_over.pop(waiting, None)

    def check_rate(self):
        rate = self.limits.rate
        if rate is None:
            return
        times = [at for _, at, _ in self.begun]
        for first in times:
            inside = [at for at in times if first <= at < first + rate.seconds]
            law(len(inside) <= rate.number, "too many began in one stretch")

    def check_idle(self):
        """Nothing that may begin was left lying."""
        rate = self.limits.rate
        recent = [at for _, at, _ in self.begun if rate and at > self.now - rate.seconds]
        free = len(self.running) < self.limits.concurrency and (rate is None or len(recent) < rate.number)
        law(not (free and self.ready()), "something could have begun, and did not")
