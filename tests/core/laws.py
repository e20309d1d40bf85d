"""What holds of every journal, at every prefix, whatever the program and the world."""

from __future__ import annotations

from dataclasses import dataclass, field

from dirigent.model.program import Catch, Fork, Graph, Loop, Sequence, Try
from dirigent.model.run.journal import (
    Abandoned,
    CancelRequested,
    Created,
    Ended,
    Failed,
    Held,
    Intended,
    Repeated,
    ResourceChanged,
    Skipped,
    Succeeded,
    TimerFired,
    TimerSet,
    Vouched,
)

BEGINNINGS = Intended | TimerSet
ENDINGS = Succeeded | Failed | Vouched | Skipped | Abandoned
OVER = {"left", "skipped", "failed", "cancelled"}


def assert_lawful(program, facts, moments):
    """Raise `AssertionError` with the first fact that breaks a law. `moments` are (length before, moment)."""
    laws = Laws(nodes_of(program))
    told = list(moments)
    for length, fact in enumerate(facts):
        while told and told[0][0] < length:
            laws.moment(told.pop(0)[1])
        laws.fact(length, fact)


def nodes_of(program):
    """The node of every task by its pointer."""
    found, todo = {}, [program.root]
    while todo:
        task = todo.pop()
        found[task.pointer] = task.node
        match task.node:
            case Sequence(tasks) | Graph(tasks) | Fork(tasks):
                todo.extend(tasks)
            case Loop(body=Sequence(tasks)):
                todo.extend(tasks)
            case Try(Sequence(tasks), Catch(body=body)):
                todo.extend((*tasks, *(body.tasks if body else ())))
    return found


@dataclass
class Laws:
    """What is known of a run from its facts so far."""

    nodes: dict
    begun: dict = field(default_factory=dict)
    timers: dict = field(default_factory=dict)
    attempts: dict = field(default_factory=dict)
    entered: dict = field(default_factory=dict)
    done: set = field(default_factory=set)
    numbers: dict = field(default_factory=dict)
    at: float = 0.0
    stopped: bool = False
    ended: bool = False

    # -- facts ----------------------------------------------------------------------------------

    def fact(self, length, fact):
        assert not self.ended, f"{fact} after the end"
        assert isinstance(fact, Created) == (length == 0), f"{fact} as fact {length}"
        if not isinstance(fact, ResourceChanged):  # Its time is that of the provider.
            assert fact.at >= self.at, f"{fact} goes back in time"
            self.at = fact.at
        assert not (self.stopped and isinstance(fact, BEGINNINGS)), f"{fact} begins in a cancelled run"
        if isinstance(fact, TimerSet | TimerFired):
            self.timer(fact)
            return
        match fact:
            case Intended():
                self.intended(fact)
            case Held() | Repeated():
                self.open_effect(fact)
            case Succeeded() | Failed() | Vouched() | Skipped() | Abandoned():
                self.open_effect(fact)
                del self.begun[fact.position, fact.attempt]
            case CancelRequested():
                self.stopped = True
            case Ended():
                assert not self.begun, f"it ends over {self.begun}"
                self.ended = True

    def timer(self, fact):
        """A timer is set once under its name, and fires once, not early."""
        key = (fact.position, fact.attempt, fact.purpose)
        if isinstance(fact, TimerSet):
            assert key not in self.timers, f"{fact} has the name of an older one"
            self.timers[key] = fact.until
            return
        until = self.timers[key]
        assert until is not None, f"{fact} a second time"
        assert fact.at >= until, f"{fact} before {until}"
        self.timers[key] = None

    def intended(self, fact):
        """Attempts of a position go up, one at a time, and only of a task that runs."""
        assert fact.attempt > self.attempts.get(fact.position, 0), f"{fact} is no new attempt"
        assert all(position != fact.position for position, _ in self.begun), f"{fact} overlaps an older one"
        assert self.entered.get(fact.position) == fact.attempt, f"{fact} of a task that is not running"
        self.attempts[fact.position] = fact.attempt
        self.begun[fact.position, fact.attempt] = fact

    def open_effect(self, fact):
        assert (fact.position, fact.attempt) in self.begun, f"{fact} of nothing that was begun"

    # -- moments --------------------------------------------------------------------------------

    def moment(self, moment):
        position, pointer = moment.position, moment.task.pointer
        if moment.what == "entered":
            self.forget(position)
            self.one_at_a_time(position, moment.task)
            self.after_its_needs(position, pointer)
            self.counted_on(position, moment)
            self.entered[position] = moment.attempt
        elif moment.what == "retrying":
            self.forget_below(position)
        elif moment.what in OVER:
            assert position in self.entered, f"{moment} of a task that is not running"
            self.forget(position)
            if moment.what in {"left", "skipped"}:
                self.done.add(position)

    def counted_on(self, position, moment):
        """Attempts go up by one; those of a `try` with its own retries, which are attempts of it too."""
        before = self.numbers.get(position, 0)
        repeats = isinstance(self.nodes[moment.task.pointer], Try)
        assert moment.attempt == before + 1 or (repeats and moment.attempt > before), (
            f"{moment} after {before}"
        )
        self.numbers[position] = moment.attempt

    def forget(self, position):
        self.forget_below(position)
        self.entered.pop(position, None)
        self.done.discard(position)

    def forget_below(self, position):
        for kept in (self.entered, self.done):
            for each in [each for each in kept if each.startswith((f"{position}/", f"{position}["))]:
                kept.pop(each) if isinstance(kept, dict) else kept.discard(each)

    def one_at_a_time(self, position, task):
        """Of a list of tasks one runs; of a graph at most its width, of a lane at most its own."""
        above, kind, _ = position.rsplit("/", 2) if "/" in position else ("", "", "")
        if kind == "graph":
            together = [each for each in self.entered if each.rsplit("/", 2)[:2] == [above, "graph"]]
            node = self.nodes[task.pointer.rsplit("/", 2)[0]]
            assert len(together) < node.width, f"{position} beside {together}"
            lane = node.lanes.get(task.name)
            beside = [each for each in together if lane and node.lanes.get(each.rsplit("/", 1)[1]) == lane]
            assert not lane or len(beside) < node.widths[lane], f"{position} beside {beside}"
        elif kind.isdigit() and not above.endswith("/branches"):
            together = [
                each
                for each in self.entered
                if each.count("/") == position.count("/") and each.startswith(f"{above}/")
            ]
            assert not together, f"{position} beside {together}"

    def after_its_needs(self, position, pointer):
        above, kind, name = pointer.rsplit("/", 2) if "/" in pointer else ("", "", "")
        if kind == "graph":
            graph = position.rsplit("/", 1)[0]
            for need in self.nodes[above].needs[name]:
                assert f"{graph}/{need}" in self.done, f"{position} before {need}"
