"""What a program means: events that are sent and awaited, and extensions round a work."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dirigent.model import fault as faults
from dirigent.model.values import Expression
from simulation.rig.blocks import Blocks
from simulation.rig.leaves import Broke, Interrupted, Wanted
from simulation.rig.listening import Hearing, emitted, filters_of, key_of, read


@dataclass
class Eventful(Blocks):
    """Events and extensions."""

    async def extended(self, node, at, value):
        """Extensions round a work: each `when` first, then the blocks before, the work, the blocks after."""
        holding = [
            each
            for each in node.extensions
            if each.when is None or await self.truth(each.when, at, value, value)
        ]
        for each in holding:
            if each.before is not None:
                value, directive = await self.block(each.before, at, value)
                if directive == "exit":
                    return value, None
        if self.lost.get(at.position, 0) >= at.attempt:
            at = self.renewed(at)  # A person had the run go on from a block before it.
        while True:
            try:
                output, then = await self.node(node.work, at, value)
                break
            except Interrupted:
                await self.loom.value(("renew", at.position, at.attempt))
                at = self.renewed(at)
        for each in reversed(holding):
            if each.after is not None:
                found, directive = await self.block(each.after, at, output)
                if directive == "exit":
                    return found, then
        return output, then

    async def emit(self, node, at, value):
        given = await self.value(node.event, at, value, value)
        wanted = Wanted(event=emitted(given))
        return await self.outside(("note", at.position, at.attempt), wanted), None

    async def listen(self, node, at, value):
        """Hear one event after the other, and go through each; the list of what became of them."""
        hearing = await self.hearing(node, at, value)
        outputs, leaving = [], False
        while not (leaving or hearing.over or await self.until(node, at, value, outputs)):
            event, number, keys = await self.event(at, hearing)
            self.taken.setdefault(key_of(event), self.facts)
            if not hearing.take(event, number, keys):
                continue
            found = read(event, node.read)
            if node.each is not None:
                found, leaving = await self.each(node.each, at, value, (found, hearing.taken))
            outputs.append(found)
            hearing.taken += 1
        return outputs, None

    async def hearing(self, node, at, value):
        """What is waited for at first; expressions in it see what there is now."""
        keys = {}
        for each in filters_of(node.to):
            for name, link in each.correlate.items():
                if link.expected:
                    expected = await self.value(link.expect, at, value, value)
                    if keys.setdefault(name, expected) != expected:
                        raise Broke(faults.CONFIGURATION, 400)
        seen = {"context": at.thread.context, "input": value, **at.variables}
        return Hearing(node, seen, keys, self.facts, since=self.created)

    async def until(self, node, at, value, outputs):
        if not outputs or not isinstance(node.to.until, Expression):
            return False
        return await self.truth(node.to.until, at, list(outputs), value)

    async def each(self, each, at, value, heard):
        """What becomes of one event, and whether its body wants no more."""
        current, index = heard
        bound = {each.item: current, each.at: index}
        leaving = False
        if each.body is not None:
            current, directive = await self.block(each.body, at.block(f"[{index}]", **bound), current)
            leaving = directive != "continue"
        inside = replace(at, variables={**at.variables, **bound})
        if each.output.present:
            current = await self.value(each.output.shape, inside, current, value)
        if each.export.present:
            at.thread.context = await self.value(each.export.shape, inside, current, value, output=current)
        return current, leaving
