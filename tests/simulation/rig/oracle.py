"""What a program means, in direct style: recursive, without journal, recovery or any line of the core.

Whatever comes from outside (results, timers, answers of the worker) is waited for by name; who drives this
says when it comes: a clock and a world (`timed`), or the journal of a run (`guided`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from dirigent.model import fault as faults
from dirigent.model.fault import Fault
from dirigent.model.program import Backoff, Call, Fork, Graph, Loop, Raise, Sequence, Set, Switch, Try, Wait
from dirigent.model.resource import assemble
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


@dataclass(frozen=True, slots=True)
class At:
    """Where a task stands: position, pointer, and what its expressions see beside their input."""

    position: str
    pointer: str
    thread: Thread
    variables: dict
    ledger: dict | None
    attempt: int = 1

    def child(self, task, mark=""):
        position = self.position + task.pointer[len(self.pointer) :] + mark
        return replace(self, position=position, pointer=task.pointer)

    def block(self, mark="", **variables):
        return replace(self, position=self.position + mark, variables={**self.variables, **variables})


@dataclass(frozen=True, slots=True)
class Wanted:
    """An effect or a timer that the program wants: what it sends, or how long it takes."""

    request: object = None
    seconds: float = 0.0
    function: str = ""
    generation: int = 0


def is_slow(template):
    if isinstance(template, Expression):
        return template.text.endswith(SLOW)
    parts = template.values() if isinstance(template, dict) else template
    return isinstance(template, dict | list) and any(is_slow(part) for part in parts)


@dataclass
class Leaves:
    """Values, time and effects. `wanted` is what is asked of the outside and has not begun there yet.

    `stopping` are the effects that were under way when nobody waited for them any more.
    """

    program: object
    now: float = 0.0
    loom: Loom = field(default_factory=lambda: Loom((Broke, End)))
    wanted: dict = field(default_factory=dict)
    begun: set = field(default_factory=set)
    stopping: set = field(default_factory=set)
    end: tuple | None = None
    whole: object = None

    async def value(self, template, at, dot, given, **more):
        if is_slow(template) and isinstance(await self.outside(("compute", at.position)), Fault):
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
        past = at.ledger[at.position] if at.ledger is not None else Past()
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
                past.sent, past.began, past.doubtful = request, True, True
                self.begun.discard(key)
                self.stopping.add(key)
        self.stopping.discard(key)
        return self.answered(answer, past, value)

    def answered(self, answer, past, value):
        """An output, a fault, or word that the effect was passed over."""
        what, given = answer
        if what == "broken":
            past.doubtful = given.doubtful or given.status >= 500
            raise Broke(given.type, given.status)
        past.doubtful = False
        return value if what == "skipped" else given


@dataclass
class Blocks(Leaves):
    """Tasks and lists of tasks."""

    nodes: dict = field(default_factory=dict)

    def start(self, given, now=0.0):
        """Begin the run."""
        self.now = now
        self.whole = Team(self.loom)
        self.whole.start(self.run(given))
        self.loom.settle()

    async def run(self, given):
        at = At("", "", Thread(), {}, None)
        try:
            output, _ = await self.task(self.program.root, at, given)
        except Broke as broke:
            self.end = ("faulted", None, (broke.kind, broke.status, broke.place))
        else:
            self.end = ("completed", output, None)

    def cancel(self):
        if self.whole is not None:
            self.whole.close()
        self.end = ("cancelled", None, None)

    async def task(self, task, at, raw):
        """The output of a task, and where its list goes on."""
        attempt = 1
        if at.ledger is not None:
            past = at.ledger.setdefault(at.position, Past())
            past.attempt += 1
            attempt = past.attempt
        at = replace(at, attempt=attempt)
        try:
            if task.condition is not None and not await self.truth(task.condition, at, raw, raw):
                return raw, "continue"
            value = await self.value(task.input.shape, at, raw, raw) if task.input.present else raw
            work = self.body(task, at, value)
            if task.timeout_seconds is None:
                return await work
            return await self.within(self.timer(at, "timeout", task.timeout_seconds), work)
        except Broke as broke:
            raise broke.at(at.pointer) from None

    async def body(self, task, at, value):
        try:
            output, directive = await self.node(task.node, at, value)
        except End as end:
            if at.pointer:
                raise
            output, directive = end.output, None
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


@dataclass
class Oracle(Blocks):
    """One run of a program."""

    def __post_init__(self):
        self.nodes = {
            Set: self.set,
            Wait: self.wait,
            Raise: self.broken,
            Call: self.call,
            Switch: self.switch,
            Sequence: self.do,
            Loop: self.loop,
            Fork: self.fork,
            Graph: self.graph,
            Try: self.attempts,
        }

    async def set(self, node, at, value):
        return await self.value(node.value, at, value, value), None

    async def wait(self, node, at, value):
        await self.timer(at, "wait", node.seconds)
        return value, None

    async def broken(self, node, at, value):
        raise Broke(node.error["type"], node.error["status"])

    async def call(self, node, at, value):
        return await self.effect(node, at, value), None

    async def switch(self, node, at, value):
        for case in node.cases:
            if case.when is None or await self.truth(case.when, at, value, value):
                return value, case.then
        return value, None

    async def do(self, node, at, value):
        output, _ = await self.block(node, at, value)
        return output, None

    async def loop(self, node, at, value):
        items = await self.value(node.items, at, value, value)
        if not isinstance(items, list):
            raise Broke(faults.EXPRESSION, 400)
        current = value
        for index, item in enumerate(items):
            bound = {node.each: item, node.at: index}
            asked = at.block(**bound)
            if node.condition is not None and not await self.truth(node.condition, asked, current, value):
                break
            current, directive = await self.block(node.body, at.block(f"[{index}]", **bound), current)
            if directive == "exit":
                break
        return current, None

    async def fork(self, node, at, value):
        threads = [Thread(at.thread.context) for _ in node.branches]
        team, first = Team(self.loom), {}
        try:
            for branch, thread in zip(node.branches, threads, strict=True):
                team.start(self.task(branch, replace(at.child(branch), thread=thread), value))
            for _ in node.branches:
                ended = await team.next()
                number = team.strands.index(ended)
                if ended.error is None and node.compete:
                    at.thread.context = threads[number].context
                    return ended.result[0], None
                if ended.error is not None and not (node.compete and isinstance(ended.error, Broke)):
                    raise ended.error
                first[number] = ended
        finally:
            team.close()
        if node.compete:
            raise first[0].error
        before = at.thread.context
        for thread in threads:
            at.thread.context = joined(before, at.thread.context, thread.context)
        return [first[number].result[0] for number in range(len(threads))], None

    async def attempts(self, node, at, value):
        outer = at.ledger
        inside = replace(at, ledger=outer if outer is not None else {})
        since, retries, catch, attempt = self.now, 0, node.catch, at.attempt
        while True:
            try:
                body = self.block(node.body, inside, value)
                if catch.retry is not None and catch.retry.attempt_seconds is not None:
                    alarm = self.timer(at, "attempt-timeout", catch.retry.attempt_seconds, attempt)
                    body = self.within(alarm, body, at.pointer)
                output, _ = await body
            except Broke as broke:
                delay = await self.judged(broke.at(at.pointer), node, inside, value, (retries, since))
                if delay is None:
                    return await self.caught(broke.at(at.pointer), catch, inside, value)
                retries += 1
                await self.timer(at, "retry", delay, attempt)
                attempt += 1
                if outer is not None and at.position in outer:
                    outer[at.position].attempt = attempt
            else:
                return output, None

    async def judged(self, broke, node, at, value, so_far):
        """The delay until the next attempt, None when there is none; or raise what is not caught."""
        catch, retry = node.catch, node.catch.retry
        retries, since = so_far
        inner = at.block(**{catch.variable: broke.seen})
        caught = all(broke.seen.get(name) == wanted for name, wanted in catch.matching.items())
        if not caught or (catch.when is not None and not await self.truth(catch.when, inner, value, value)):
            raise broke
        if retry is None or (
            retry.when is not None and not await self.truth(retry.when, inner, value, value)
        ):
            return None
        if retries >= retry.attempts_max:
            return None
        grown = {Backoff.CONSTANT: 1, Backoff.LINEAR: retries + 1, Backoff.EXPONENTIAL: 2**retries}
        delay = retry.delay * grown[retry.backoff]
        if retry.total_seconds is not None and self.now + delay > since + retry.total_seconds:
            return None
        return delay

    async def caught(self, broke, catch, at, value):
        directive = None if catch.then == "continue" else catch.then
        if catch.body is not None:
            output, _ = await self.block(catch.body, at.block(**{catch.variable: broke.seen}), value)
            return output, directive
        if catch.retry is not None and directive is None:
            raise broke
        return value, directive

    async def graph(self, node, at, value):
        outputs, failed, team, names = {}, {}, Team(self.loom), {}
        waiting = [task for task in node.tasks if not node.needs[task.name]]
        blocked = [task for task in node.tasks if node.needs[task.name]]
        try:
            while waiting or names:
                while waiting and len(names) < node.width:
                    task = waiting.pop(0)
                    inner = replace(
                        at.child(task), variables={**at.variables, **node.constants, node.binds: {}}
                    )
                    names[team.start(self.task(task, inner, value))] = task.name
                ended = await team.next()
                name = names.pop(ended)
                (outputs if ended.error is None else failed)[name] = ended.error or ended.result[0]
                ready = [task for task in blocked if all(need in outputs for need in node.needs[task.name])]
                blocked = [task for task in blocked if task not in ready]
                waiting += ready
        finally:
            team.close()
        for task in node.tasks:
            if task.name in failed:
                raise failed[task.name]
        return assemble({**node.initial, **outputs}), None


def joined(before, current, branch):
    """The context after a branch's exports: of objects, the members that the branch changed."""
    if branch == before:
        return current
    if not isinstance(current, dict) or not isinstance(branch, dict):
        return branch
    known = before if isinstance(before, dict) else {}
    kept = {name: found for name, found in current.items() if name in branch or name not in known}
    return kept | {name: found for name, found in branch.items() if name not in known or known[name] != found}
