"""A world and a driver without an event loop: the contract of docs/engine.md in the fewest lines.

Events at one time come in the order of their names, so that a run that is taken up again from a prefix of
its journal meets the world exactly as the calm one did.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from dirigent.core.decide import decide, due
from dirigent.core.machine import Tools
from dirigent.core.replay import advance, expects, replay
from dirigent.jq import LANGUAGE
from dirigent.lang.schema import SCHEMAS
from dirigent.model.fault import EXPRESSION, Fault
from dirigent.model.ids import Digest, RunId
from dirigent.model.run.command import Abandon, Compute, Finish, FireAt, Perform, SetTimer
from dirigent.model.run.effect import Broken, Done, Doubt
from dirigent.model.run.journal import (
    Abandoned,
    Computed,
    Created,
    Failed,
    Held,
    Intended,
    Succeeded,
    TimerFired,
    TimerSet,
)
from dirigent.ports import ExpressionFailed

RUN = RunId("run-1")
SLOW = "#slow"


@dataclass(frozen=True)
class ForTheWorker:
    """An expression of which the core only knows what it sees."""

    compiled: object
    local: ClassVar = False

    @property
    def variables(self):
        return self.compiled.variables

    @property
    def references(self):
        return self.compiled.references

    @property
    def paths(self):
        return self.compiled.paths

    def evaluate(self, dot, variables):
        raise AssertionError("only the worker evaluates this")


class SlowLanguage:
    """The language of the product, except that an expression that ends in `#slow` is for the worker."""

    def compile(self, text):
        compiled = LANGUAGE.compile(text)
        return ForTheWorker(compiled) if text.endswith(SLOW) else compiled


TOOLS = Tools(SlowLanguage(), SCHEMAS)


def answer(question):
    """What the worker says to a question."""
    try:
        return LANGUAGE.compile(question.expression.text).evaluate(question.dot, question.variables)
    except ExpressionFailed as failure:
        return Fault(EXPRESSION, 400, "Expression Error", str(failure))


def fact_of(outcome, at, position, attempt):
    """The fact that an outcome becomes."""
    match outcome:
        case Done(output):
            return Succeeded(at, position, attempt, output)
        case Broken(fault):
            return Failed(at, position, attempt, fault)
        case Doubt(reason, evidence):
            return Held(at, position, attempt, reason, evidence)


@dataclass
class Simulation:
    """One run in a world that `outcome` describes: what a command gives, and after how many seconds.

    `standing` holds, for every length of the journal, what `decide` said; `boundaries` are the lengths at
    which a turn ended, with the commands that were then being obeyed.
    """

    program: object
    outcome: Callable[[Perform], tuple[object, float]]
    input: object = None
    people: list = field(default_factory=list)
    facts: list = field(default_factory=list)
    now: float = 0.0
    answers: Callable = answer
    metadata: dict = field(default_factory=dict)
    standing: list = field(default_factory=list)
    boundaries: dict = field(default_factory=dict)
    moments: list = field(default_factory=list)
    effects: dict = field(default_factory=dict)

    def __post_init__(self):
        self.queue, self.obeyed = [], {}
        self.run = replay(self.program, RUN, self.facts, TOOLS, self.listen)

    def listen(self, moment):
        self.moments.append((len(self.facts), moment))

    def play(self):
        """Begin, or go on from the facts at hand, until nothing more can happen. Returns the facts."""
        for at, make in self.people:
            if at > self.now or not self.facts:
                heapq.heappush(self.queue, (at, ("", 0, str(at)), lambda at, make=make: (make(at),)))
        if self.facts:
            self.follow(decide(self.run, self.now))
        else:
            created = Created(self.now, Digest("d"), self.input, self.metadata)
            self.turn((created,))
        while self.queue:
            at, _, event = heapq.heappop(self.queue)
            self.now = max(self.now, at)
            self.turn(event(self.now))
        return self.facts

    def turn(self, group):
        if group and all(expects(self.run, fact) for fact in group):
            for fact in group:
                self.record(fact)
            self.follow(due(self.run, self.now))

    def record(self, fact):
        advance(self.run, fact)
        self.facts.append(fact)
        self.standing.append(decide(self.run, self.now))

    def follow(self, commands):
        while commands:
            for command in commands:
                self.obey(command)
            commands = due(self.run, self.now)
        self.boundaries[len(self.facts)] = dict(self.obeyed)

    def obey(self, command):
        match command:
            case Perform(intended=False, position=position, attempt=attempt, request=request):
                self.record(Intended(self.now, position, attempt, request))
            case SetTimer(position, attempt, purpose, seconds):
                self.record(TimerSet(self.now, position, attempt, purpose, self.now + seconds))
            case Finish(fact):
                self.record(fact)
            case _:
                self.act(command)

    def act(self, command):
        """Let the world do it, once: what an older driver began goes on by itself."""
        position, attempt = command.position, command.attempt
        match command:
            case Perform():
                outcome, seconds = self.outcome(command)
                began = self.began(Intended, position, attempt)
                self.effects[position, attempt] = command.effect
                self.later((position, attempt, "effect"), began + seconds, lambda at: outcome)
            case FireAt(purpose=purpose, until=until):
                fired = (position, attempt, f"timer {purpose}")
                self.later(fired, until, lambda at: TimerFired(at, position, attempt, purpose))
            case Compute(slot=slot, questions=questions):
                answers = tuple(self.answers(question) for question in questions)
                computed = (position, attempt, f"compute {slot}")
                self.later(computed, self.now, lambda at: Computed(at, position, attempt, slot, answers))
            case Abandon():
                self.obeyed.pop((position, attempt, "effect"), None)
                stopped = (position, attempt, "abandon")
                self.later(stopped, self.now, lambda at: Abandoned(at, position, attempt))

    def began(self, kind, position, attempt):
        found = [
            f.at for f in self.facts if isinstance(f, kind) and (f.position, f.attempt) == (position, attempt)
        ]
        again = [f.at for f in self.facts if type(f).__name__ == "Repeated" and f.position == position]
        return max([*found[-1:], *again[-1:]])

    def later(self, what, at, event):
        if what in self.obeyed:
            return  # A run that is resumed asks again for what is under way.
        token = self.obeyed[what] = object()

        def come(now):
            if self.obeyed.get(what) is not token:
                return ()
            del self.obeyed[what]
            found = event(now)
            return (found if hasattr(found, "at") else fact_of(found, now, *what[:2]),)

        heapq.heappush(self.queue, (at, (str(what[0]), what[1], what[2]), come))
