"""What a program means, in direct style: values, time, effects and events, and how they are waited for.

Whatever comes from outside (results, timers, events, answers of the worker) is waited for by name; who drives
this says when it comes: a clock and a world (`timed`), or the journal of a run (`guided`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from dirigent.model import fault as faults
from dirigent.model.fault import Fault
from dirigent.model.values import Expression
from simulation.rig.loom import Loom, Team
from simulation.rig.words import SLOW, NoValue, meaning


class Broke(Exception):
    """A task failed: kind, status and the pointer of the place."""

    def __init__(self, kind, status, place=None):
        super().__init__(kind, status, place)
        self.kind, self.status, self.place = kind, status, place

    def at(self, pointer):
        return self if self.place is not None else Broke(self.kind, self.status, pointer or "/")

    @property
    def seen(self):
        return {"type": self.kind, "status": self.status}


class End(Exception):
    """`then: end`, with the output of the run."""

    def __init__(self, output):
        super().__init__()
        self.output = output


class Answered(Exception):
    """A person answers for the task of this name: `skip` it, or it gives this `output`."""

    def __init__(self, name, answer, output):
        super().__init__(name, answer)
        self.name, self.answer, self.output = name, answer, output


class Interrupted(Exception):
    """An effect was stopped because of a failure that a person took back: its task begins anew."""


@dataclass
class Thread:
    context: object = None


@dataclass
class Past:
    """What the last attempt at a position sent, and whether it may have happened."""

    attempt: int = 0
    sent: object = None
    began: bool = False
    doubtful: bool = False
    generation: int = 0


@dataclass(eq=False)
class Ledger:
    """Attempts by position, once they are `counted`: inside a `try`, and after a person had the run go on."""

    counted: bool = False
    pasts: dict = field(default_factory=dict)

    def past(self, at):
        """What is known of the place where something stands; of one that is not counted nothing is kept."""
        return self.pasts.setdefault(at.position, Past(at.attempt)) if self.counted else Past()


@dataclass(frozen=True, slots=True)
class At:
    """Where a task stands: position, pointer, and what its expressions see beside their input."""

    position: str
    pointer: str
    thread: Thread
    variables: dict
    ledger: Ledger
    attempt: int = 1

    def child(self, task, mark=""):
        position = self.position + task.pointer[len(self.pointer) :] + mark
        return replace(self, position=position, pointer=task.pointer)

    def block(self, mark="", **variables):
        return replace(self, position=self.position + mark, variables={**self.variables, **variables})


@dataclass(frozen=True, slots=True)
class Wanted:
    """An effect or a timer that the program wants: what it sends, or how long it takes.

    For who listens, `hearing` says what counts; who emits wants `event`.
    """

    request: object = None
    seconds: float = 0.0
    function: str = ""
    generation: int = 0
    hearing: object = None
    event: object = None


def is_slow(template):
    if isinstance(template, Expression):
        return template.text.endswith(SLOW)
    parts = template.values() if isinstance(template, dict) else template
    return isinstance(template, dict | list) and any(is_slow(part) for part in parts)


@dataclass
class Leaves:
    """Values, time and effects. `wanted` is what is asked of the outside and has not begun there yet.

    `stopping` are the effects that were under way when nobody waited for them any more, `ceasing` the
    listeners. `facts` counts what the run has had, `taken` says at which of them each event was first heard.
    """

    program: object
    now: float = 0.0
    loom: Loom = field(default_factory=lambda: Loom((Broke, End, Interrupted)))
    wanted: dict = field(default_factory=dict)
    begun: set = field(default_factory=set)
    stopping: set = field(default_factory=set)
    listening: dict = field(default_factory=dict)
    ceasing: set = field(default_factory=set)
    facts: int = 0
    taken: dict = field(default_factory=dict)
    created: float = 0.0
    end: tuple | None = None
    whole: object = None

    async def value(self, template, at, dot, given, **more):
        if is_slow(template) and isinstance(await self.outside(("compute", at.position, at.attempt)), Fault):
            raise Broke(faults.EXPRESSION, 400)
        seen = {"context": at.thread.context, "input": given, **at.variables, **more}
        return self.rendered(template, dot, seen)

    def rendered(self, template, dot, seen):
        if isinstance(template, Expression):
            try:
                return meaning(template)(dot, seen)
            except NoValue:
                raise Broke(faults.EXPRESSION, 400) from None
        if isinstance(template, list):
            return [self.rendered(item, dot, seen) for item in template]
        if isinstance(template, dict):
            return {name: self.rendered(item, dot, seen) for name, item in template.items()}
        return template

    async def truth(self, template, at, dot, given):
        found = await self.value(template, at, dot, given)
        if not isinstance(found, bool):
            raise Broke(faults.EXPRESSION, 400)
        return found

    async def outside(self, key, wanted=None):
        """Want something, and wait until it comes."""
        self.wanted[key] = wanted or Wanted()
        try:
            return await self.loom.value(key)
        finally:
            self.wanted.pop(key, None)

    async def timer(self, at, purpose, seconds, attempt=None):
        key = ("timer", at.position, attempt or at.attempt, purpose)
        await self.outside(key, Wanted(seconds=seconds))

    async def within(self, timer, work, pointer=None):
        """What work gives, unless a timer rings first."""
        team = Team(self.loom)
        try:
            # The timer is asked for before anything of the work is.
            alarm = team.start(timer)
            team.start(work)
            ended = await team.next()
        finally:
            team.close()
        if ended is alarm:
            raise Broke(faults.TIMEOUT, 408, pointer)
        if ended.error is not None:
            raise ended.error
        return ended.result

    async def effect(self, node, at, value):
        """Render a call, and do it: what may have happened before is sent again to the byte."""
        request = await self.value(node.request, at, value, value)
        past, counted = at.ledger.past(at), at.ledger.counted
        if past.began and past.doubtful:
            request = past.sent
        elif past.began and past.sent != request:
            past.generation += 1
        key = ("effect", at.position, at.attempt)
        wanted = Wanted(request, function=node.function, generation=past.generation)
        try:
            answer = await self.outside(key, wanted)
        finally:
            if key in self.begun:
                if counted:
                    past.sent, past.began, past.doubtful = request, True, True
                self.begun.discard(key)
                self.stopping.add(key)
        self.stopping.discard(key)
        return self.answered(answer, at.ledger.past(at), value)

    def answered(self, answer, past, value):
        """An output, a fault, or word that the effect was passed over."""
        what, given = answer
        if what == "broken":
            past.doubtful = given.doubtful or given.status >= 500
            raise Broke(given.type, given.status)
        past.doubtful = False
        return value if what == "skipped" else given

    async def event(self, at, hearing):
        """Listen until the next event that counts has come: the event, and which filter it fits."""
        key = ("note", at.position, at.attempt)
        try:
            return await self.outside(key, Wanted(hearing=hearing))
        finally:
            if self.listening.pop(key, None) is not None:
                self.ceasing.add(key)
