"""What a program means: a task with its data flow, and lists of tasks.

A person may answer for a task that runs, and have a run that failed go on from one: then the task stands at
a gate until he does, and whatever it and those after it did is passed over.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from simulation.rig.leaves import Answered, At, Broke, End, Interrupted, Leaves, Ledger, Past, Thread
from simulation.rig.loom import Team


@dataclass
class Blocks(Leaves):
    """Tasks and lists of tasks.

    A task of one of the names (position and attempt) in `gates` is not begun before it is `opened`; `parked`
    says since when it stands there. `again` is what is known of attempts that a person took back, `lost` has
    the last of them at each position. `running` has the strand of every task that has not given its output;
    `entered` are all that there ever were.
    """

    nodes: dict = field(default_factory=dict)
    gates: frozenset = frozenset()
    opened: set = field(default_factory=set)
    parked: dict = field(default_factory=dict)
    again: dict = field(default_factory=dict)
    lost: dict = field(default_factory=dict)
    ledgers: list = field(default_factory=list)
    running: dict = field(default_factory=dict)
    entered: list = field(default_factory=list)

    def start(self, given, now=0.0):
        """Begin the run."""
        self.now = now
        self.whole = Team(self.loom)
        self.whole.start(self.run(given))
        self.loom.settle()

    async def run(self, given):
        at = At("", "", Thread(), {}, self.ledger())
        try:
            output, _ = await self.task(self.program.root, at, given)
        except Broke as broke:
            self.end = ("faulted", None, (broke.kind, broke.status, broke.place))
        else:
            self.end = ("completed", output, None)

    def ledger(self, *, counted=False):
        self.ledgers.append(Ledger(counted))
        return self.ledgers[-1]

    def cancel(self):
        if self.whole is not None:
            self.whole.close()
        self.end = ("cancelled", None, None)

    async def task(self, task, at, raw):
        """The output of a task, and where its list goes on."""
        attempt = 1 + self.again.get(at.position, Past()).attempt
        own = 1
        if at.ledger.counted:
            past = at.ledger.pasts.setdefault(at.position, Past())
            past.attempt = own = past.attempt + 1
        if attempt > own:  # What was taken back was the last attempt: this one knows of it.
            if not at.ledger.counted:
                at = replace(at, ledger=self.ledger(counted=True))
            at.ledger.pasts[at.position] = past = self.again[at.position]
            past.attempt = attempt
        at = replace(at, attempt=max(attempt, own))
        word = None
        while True:
            while self.closed(at, word):
                at, word = await self.gate(at)
            try:
                return await self.attempt(task, at, raw, word)
            except Interrupted:
                await self.loom.value(("renew", at.position, at.attempt))
                at = self.renewed(at)
            except Broke as broke:
                raise broke.at(at.pointer) from None

    def closed(self, at, word):
        """Whether a task stands at a gate; one that somebody has answered for does not begin."""
        name = (at.position, at.attempt)
        return name in self.gates and name not in self.opened and (word is None or word.answer == "again")

    async def gate(self, at):
        """Stand at a gate until somebody opens it; what he says of the task."""
        name = (at.position, at.attempt)
        self.parked[name] = (self.now, at.ledger)
        try:
            word = await self.loom.value(("gate", *name))
        finally:
            del self.parked[name]
        return self.renewed(at), word

    def renewed(self, at):
        """The next attempt at a place: no earlier one had its number."""
        past = self.again.setdefault(at.position, Past(at.attempt))
        past.attempt = max(at.attempt, past.attempt) + 1
        at.ledger.pasts[at.position] = past
        return replace(at, attempt=past.attempt)

    async def attempt(self, task, at, raw, word):
        """One attempt at a task; `word` is what a person said of it before it began."""
        name, value = (at.position, at.attempt), raw
        self.entered.append((*name, at.pointer))
        if word is None or word.answer == "again":
            self.running[name] = (self.loom.current, task)
            try:
                if task.condition is not None and not await self.truth(task.condition, at, raw, raw):
                    return raw, "continue"
                value = await self.value(task.input.shape, at, raw, raw) if task.input.present else raw
                work = self.body(task, at, value)
                if task.timeout_seconds is None:
                    return await work
                return await self.within(self.timer(at, "timeout", task.timeout_seconds), work)
            except Answered as found:
                if found.name != name:
                    raise
                word = found
            finally:
                self.running.pop(name, None)
        if word.answer == "skip":
            return raw, "continue"
        return await self.leaving(task, at, value, (word.output, None))

    async def body(self, task, at, value):
        try:
            given = await self.node(task.node, at, value)
        except End as end:
            if at.pointer:
                raise
            given = end.output, None
        self.running.pop((at.position, at.attempt), None)
        return await self.leaving(task, at, value, given)

    async def leaving(self, task, at, value, given):
        """What a task gives when its node gave an output and said, perhaps, where it goes on."""
        output, directive = given
        if task.output.present:
            output = await self.value(task.output.shape, at, output, value, output=output)
        if task.export.present:
            at.thread.context = await self.value(task.export.shape, at, output, value, output=output)
        directive = directive or task.then
        if directive == "end" and at.pointer:
            raise End(output)
        return output, directive

    async def node(self, node, at, value):
        """What a node gives, and where it says that its list goes on."""
        return await self.nodes[type(node)](node, at, value)

    async def block(self, node, at, value):
        index, visits = 0, {}
        names = [task.name for task in node.tasks]
        while index < len(node.tasks):
            task = node.tasks[index]
            visits[index] = visits.get(index, 0) + 1
            mark = f"~{visits[index]}" if visits[index] > 1 else ""
            value, directive = await self.task(task, at.child(task, mark), value)
            if directive == "exit":
                return value, "exit"
            index = index + 1 if directive == "continue" else names.index(directive)
        return value, "continue"
