"""The programs once more, in direct style: recursive, on tasks of asyncio, without journal or recovery.

It shares the expression language with the core, and no line of its own. What it says is what a run must
come to.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from dirigent.jq import LANGUAGE
from dirigent.model import fault as faults
from dirigent.model.program import Backoff, Call, Fork, Graph, Loop, Raise, Sequence, Set, Switch, Try, Wait
from dirigent.model.resource import assemble
from dirigent.model.run.effect import Done
from dirigent.model.values import Expression
from dirigent.ports import ExpressionFailed
from dirigent.testing import VirtualClock


class Broke(Exception):
    """A task failed: kind, status and the pointer of the place."""

    def __init__(self, kind, status, place=None):
        super().__init__(kind, status, place)
        self.kind, self.status, self.place = kind, status, place

    def at(self, pointer):
        return self if self.place is not None else Broke(self.kind, self.status, pointer or "/")


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


@dataclass(frozen=True)
class At:
    """Where a task stands: position, pointer, and what its expressions see beside their input."""

    position: str
    pointer: str
    thread: Thread
    variables: dict
    ledger: dict | None

    def child(self, task, mark=""):
        position = self.position + task.pointer[len(self.pointer) :] + mark
        return replace(self, position=position, pointer=task.pointer)

    def block(self, mark="", **variables):
        return replace(self, position=self.position + mark, variables={**self.variables, **variables})


@dataclass
class Leaves:
    """What has no tasks inside: values, time, and the nodes made of them."""

    program: object
    world: object
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(0.0))
    begun: list = field(default_factory=list)

    async def set(self, node, at, value):
        return self.value(node.value, at, value, value)

    async def wait(self, node, at, value):
        await self.sleep(node.seconds)
        return value

    async def broken(self, node, at, value):
        error = self.value(node.error, at, value, value)
        raise Broke(error["type"], error["status"])

    def chosen(self, node, at, value):
        for case in node.cases:
            if case.when is None or self.truth(case.when, at, value, value):
                return case.then
        return None

    async def sleep(self, seconds):
        await self.clock.sleep_until(self.clock.now() + seconds)

    async def within(self, seconds, work, pointer=None):
        async with gathering() as started:
            started += [asyncio.ensure_future(work), asyncio.ensure_future(self.sleep(seconds))]
            await asyncio.wait(started, return_when=asyncio.FIRST_COMPLETED)
            if started[0].done():
                return started[0].result()
        raise Broke(faults.TIMEOUT, 408, pointer)

    def value(self, template, at, dot, given, **more):
        if isinstance(template, list):
            return [self.value(item, at, dot, given, **more) for item in template]
        if isinstance(template, dict):
            return {name: self.value(item, at, dot, given, **more) for name, item in template.items()}
        if not isinstance(template, Expression):
            return template
        seen = {"context": at.thread.context, "input": given, **at.variables, **more}
        seen = {name: found() if callable(found) else found for name, found in seen.items()}
        try:
            return LANGUAGE.compile(template.text).evaluate(dot, seen)
        except ExpressionFailed:
            raise Broke(faults.EXPRESSION, 400) from None

    def truth(self, template, at, dot, given):
        found = self.value(template, at, dot, given)
        if not isinstance(found, bool):
            raise Broke(faults.EXPRESSION, 400)
        return found


@dataclass
class Interpreter(Leaves):
    """One run. `begun` is every attempt that was made: position, number and request."""

    async def run(self, given):
        root = self.program.root
        at = At("", "", Thread(), {}, None)
        try:
            output, _ = await self.task(root, at, given)
        except Broke as broke:
            return "faulted", None, (broke.kind, broke.status, broke.place)
        return "completed", output, None

    async def task(self, task, at, raw):
        """Return the output of a task and where its list goes on."""
        attempt = 1
        if at.ledger is not None:
            past = at.ledger.setdefault(at.position, Past())
            past.attempt += 1
            attempt = past.attempt
        try:
            if task.condition is not None and not self.truth(task.condition, at, raw, raw):
                return raw, "continue"
            value = self.value(task.input.shape, at, raw, raw) if task.input.present else raw
            work = self.body(task, at, value, attempt)
            if task.timeout_seconds is None:
                return await work
            return await self.within(task.timeout_seconds, work)
        except Broke as broke:
            raise broke.at(at.pointer) from None

    async def body(self, task, at, value, attempt):
        try:
            output, directive = await self.node(task.node, at, value, attempt)
        except End as end:
            if at.pointer:
                raise
            output, directive = end.output, None
        if task.output.present:
            output = self.value(task.output.shape, at, output, value, output=output)
        if task.export.present:
            at.thread.context = self.value(task.export.shape, at, output, value, output=output)
        directive = directive or task.then
        if directive == "end" and at.pointer:
            raise End(output)
        return output, directive

    async def node(self, node, at, value, attempt):
        """Return what a node gives, and where it says that its list goes on."""
        match node:
            case Call():
                return await self.call(node, at, value, attempt), None
            case Switch():
                return value, self.chosen(node, at, value)
            case Try():
                return await self.attempts(node, at, value)
        kinds = {
            Set: self.set,
            Wait: self.wait,
            Raise: self.broken,
            Sequence: self.do,
            Loop: self.loop,
            Fork: self.fork,
            Graph: self.graph,
        }
        return await kinds[type(node)](node, at, value), None

    async def do(self, node, at, value):
        output, _ = await self.block(node, at, value)
        return output

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

    async def call(self, node, at, value, attempt):
        request = self.value(node.request, at, value, value)
        past = at.ledger[at.position] if at.ledger is not None else Past()
        if past.began and past.doubtful:
            request = past.sent
        past.sent, past.began, past.doubtful = request, True, True
        self.begun.append((at.position, attempt, request))
        await self.sleep(self.world.seconds(at.position, attempt))
        outcome = self.world.outcome(at.position, attempt, request)
        if isinstance(outcome, Done):
            past.doubtful = False
            return outcome.output
        past.doubtful = outcome.fault.doubtful or outcome.fault.status >= 500
        raise Broke(outcome.fault.type, outcome.fault.status)

    async def loop(self, node, at, value):
        items = self.value(node.items, at, value, value)
        if not isinstance(items, list):
            raise Broke(faults.EXPRESSION, 400)
        current = value
        for index, item in enumerate(items):
            inner = at.block(f"[{index}]", **{node.each: item, node.at: index})
            if node.condition is not None and not self.truth(node.condition, inner, current, value):
                return current
            current, directive = await self.block(node.body, inner, current)
            if directive == "exit":
                return current
        return current

    async def fork(self, node, at, value):
        threads = [Thread(at.thread.context) for _ in node.branches]
        async with gathering() as started:
            for branch, thread in zip(node.branches, threads, strict=True):
                inner = replace(at.child(branch), thread=thread)
                started.append(asyncio.ensure_future(self.task(branch, inner, value)))
            pending = set(started)
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for ended in done:
                    if isinstance(ended.exception(), End) or (ended.exception() and not node.compete):
                        raise ended.exception()
                    if node.compete and ended.exception() is None:
                        at.thread.context = threads[started.index(ended)].context
                        return ended.result()[0]
            if node.compete:
                raise started[0].exception()
        before = at.thread.context
        for thread in threads:
            at.thread.context = joined(before, at.thread.context, thread.context)
        return [ended.result()[0] for ended in started]

    async def attempts(self, node, at, value):
        at = replace(at, ledger=at.ledger if at.ledger is not None else {})
        since, retries, catch = self.clock.now(), 0, node.catch
        while True:
            try:
                body = self.block(node.body, at, value)
                limit = catch.retry.attempt_seconds if catch.retry else None
                if limit is not None:
                    body = self.within(self.value(limit, at, value, value), body, at.pointer)
                output, _ = await body
            except Broke as broke:
                delay = self.judged(broke, node, at, value, retries, since)
                if delay is None:
                    return await self.caught(broke, catch, at, value)
                retries += 1
                await self.sleep(delay)
            else:
                return output, None

    def judged(self, broke, node, at, value, retries, since):
        """Return the delay until the next attempt, None when there is none, or raise what is not caught."""
        catch, retry = node.catch, node.catch.retry
        seen = {"type": broke.kind, "status": broke.status}
        inner = at.block(**{catch.variable: seen})
        caught = all(seen.get(name) == wanted for name, wanted in catch.matching.items())
        if not caught or (catch.when is not None and not self.truth(catch.when, inner, value, value)):
            raise broke
        if retry is None or (retry.when is not None and not self.truth(retry.when, inner, value, value)):
            return None
        if retries >= retry.attempts_max:
            return None
        delay = self.value(retry.delay, inner, value, value)
        grown = {Backoff.CONSTANT: 1, Backoff.LINEAR: retries + 1, Backoff.EXPONENTIAL: 2**retries}
        delay *= grown[retry.backoff]
        if retry.total_seconds is not None and self.clock.now() + delay > since + retry.total_seconds:
            return None
        return delay

    async def caught(self, broke, catch, at, value):
        directive = None if catch.then == "continue" else catch.then
        if catch.body is not None:
            seen = {"type": broke.kind, "status": broke.status}
            output, _ = await self.block(catch.body, at.block(**{catch.variable: seen}), value)
            return output, directive
        if catch.retry is not None and directive is None:
            raise broke
        return value, directive

    async def graph(self, node, at, value):
        outputs, failed, running = {}, {}, {}
        variables = {
            **at.variables,
            **node.constants,
            node.binds: lambda: assemble({**node.initial, **outputs}),
        }
        waiting = [task for task in node.tasks if not node.needs[task.name]]
        blocked = [task for task in node.tasks if node.needs[task.name]]
        async with gathering() as started:
            while waiting or running:
                while len(running) < node.width:
                    task = next((task for task in waiting if has_room(node, task.name, running)), None)
                    if task is None:
                        break
                    waiting.remove(task)
                    inner = replace(at.child(task), variables=variables)
                    running[task.name] = asyncio.ensure_future(self.task(task, inner, value))
                    started.append(running[task.name])
                await asyncio.wait(running.values(), return_when=asyncio.FIRST_COMPLETED)
                for name in [name for name, work in running.items() if work.done()]:
                    work = running.pop(name)
                    if work.exception() is None:
                        outputs[name] = work.result()[0]
                    else:
                        failed[name] = work.exception()
                ready = [task for task in blocked if all(need in outputs for need in node.needs[task.name])]
                blocked = [task for task in blocked if task not in ready]
                waiting += ready
        for task in node.tasks:
            if task.name in failed:
                raise failed[task.name]
        return assemble({**node.initial, **outputs})


def has_room(graph, name, running):
    lane = graph.lanes.get(name)
    return lane is None or sum(graph.lanes.get(each) == lane for each in running) < graph.widths[lane]


@asynccontextmanager
async def gathering():
    """Tasks that do not outlive the block."""
    started = []
    try:
        yield started
    finally:
        for work in started:
            work.cancel()
        await asyncio.gather(*started, return_exceptions=True)


def joined(before, current, branch):
    if branch == before:
        return current
    if not isinstance(current, dict) or not isinstance(branch, dict):
        return branch
    known = before if isinstance(before, dict) else {}
    kept = {name: found for name, found in current.items() if name in branch or name not in known}
    return kept | {name: found for name, found in branch.items() if name not in known or known[name] != found}
