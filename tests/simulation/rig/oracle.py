"""What a program means, in direct style: recursive, without journal, recovery or any line of the core.

A list of tasks is a loop, a fork is a team of strands, a retry is a loop round a `try`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dirigent.model import fault as faults
from dirigent.model.program import (
    Backoff,
    Call,
    Emit,
    Extended,
    Fork,
    Graph,
    Listen,
    Loop,
    Raise,
    Sequence,
    Set,
    Switch,
    Try,
    Wait,
)
from dirigent.model.resource import assemble
from simulation.rig.eventful import Eventful
from simulation.rig.leaves import Broke, Thread
from simulation.rig.loom import Team


@dataclass
class Oracle(Eventful):
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
            Extended: self.extended,
            Emit: self.emit,
            Listen: self.listen,
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
        inside = at if at.ledger.counted else replace(at, ledger=self.ledger(counted=True))
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
                if at.position in inside.ledger.pasts:
                    inside.ledger.pasts[at.position].attempt = attempt
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
