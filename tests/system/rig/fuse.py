"""Places where an engine can die, and the fuse that kills it there with SIGKILL.

A place has names: one for each fact of an append, one for an effect, one for a step on the disk. A
death is ordered by a name and how often it has come up, or by a plain count of places. Every place
that is passed is written down at once, so that the record outlives the process.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass

FACT_FIELDS = ("position", "attempt", "purpose", "slot", "address")
# Letters and figures that differ from run to run: effect ids, thread numbers, ports.
VARYING = re.compile(r"[0-9a-f]{12,}|[0-9]+")
STEPS = ("replace", "rename", "link", "mkdir")
LITTLE_SECONDS = 0.01


@dataclass(frozen=True)
class Death:
    """When to die: at the `nth` time that `name` comes up, or at the place number `count` (from 1)."""

    name: str = ""
    nth: int = 1
    count: int = 0
    seconds: float = LITTLE_SECONDS


class Fuse:
    """Counts places, writes them to a descriptor, and dies where it is told to."""

    def __init__(self, descriptor, death):
        self.descriptor = descriptor
        self.death = death
        self.places = 0
        self.seen = {}

    def reach(self, *names):
        """Pass a place, or die there."""
        if self.deadly(*names):
            self.die()

    def deadly(self, *names):
        """Write down a place and return whether it is the one to die at."""
        self.places += 1
        record = {"at": time.monotonic(), "names": names}
        os.write(self.descriptor, json.dumps(record).encode() + b"\n")
        for name in names:
            self.seen[name] = self.seen.get(name, 0) + 1
        death = self.death
        if death is None:
            return False
        if death.count:
            return self.places == death.count
        return death.name in names and self.seen[death.name] == death.nth

    def die(self):
        """End as a machine would end us: at once."""
        os.kill(os.getpid(), signal.SIGKILL)


def name_of(fact):
    """Return what a fact is called in a place: its kind, and where it belongs."""
    parts = [getattr(fact, name) for name in FACT_FIELDS if hasattr(fact, name)]
    return " ".join([type(fact).__name__, *map(str, parts)])


class FusedStore:
    """A store with a place before and after everything that it makes durable."""

    def __init__(self, inner, fuse):
        self.inner = inner
        self.fuse = fuse

    def __getattr__(self, name):
        return getattr(self.inner, name)

    async def append(self, run, expected, facts, *rest):
        names = [name_of(fact) for fact in facts]
        self.fuse.reach(*(f"before {name}" for name in names))
        await self.inner.append(run, expected, facts, *rest)
        self.fuse.reach(*(f"after {name}" for name in names))

    async def keep(self, program):
        self.fuse.reach("before keep")
        digest = await self.inner.keep(program)
        self.fuse.reach("after keep")
        return digest

    async def keep_plan(self, plan):
        self.fuse.reach("before keep_plan")
        await self.inner.keep_plan(plan)
        self.fuse.reach("after keep_plan")


class FusedPerformer:
    """A performer with a place before, amid and after each effect."""

    def __init__(self, inner, fuse):
        self.inner = inner
        self.fuse = fuse

    async def perform(self, order):
        what = f"{order.function} {order.position} {order.attempt}"
        self.fuse.reach(f"before {what}")
        if self.fuse.deadly(f"amid {what}"):
            work = asyncio.ensure_future(self.inner.perform(order))
            await asyncio.wait([work], timeout=self.fuse.death.seconds)
            self.fuse.die()
        outcome = await self.inner.perform(order)
        self.fuse.reach(f"after {what}")
        return outcome

    async def abandon(self, order):
        what = f"abandon {order.function} {order.position} {order.attempt}"
        self.fuse.reach(f"before {what}")
        await self.inner.abandon(order)
        self.fuse.reach(f"after {what}")


def fuse_the_disk(fuse):
    """Put a place after each step on the disk, and after each start of a supervisor, of this process."""

    def fused(name, step):
        def stepped(*args, **kwargs):
            result = step(*args, **kwargs)
            if name == "run":
                fuse.reach(f"started {args[0][-2].rpartition('.')[2]} {_last(args[0][-1])}")
            else:
                fuse.reach(f"{name} {_last(args[-1] if isinstance(args[-1], str) else args[0])}")
            return result

        return stepped

    for name in STEPS:
        setattr(os, name, fused(name, getattr(os, name)))
    subprocess.run = fused("run", subprocess.run)


def _last(path):
    return VARYING.sub("*", "/".join(str(path).split("/")[-2:]))
