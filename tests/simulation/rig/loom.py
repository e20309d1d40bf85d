"""The fewest lines in which direct-style code can wait, run side by side and be stopped: no event loop.

A strand waits for a key (something that comes from outside) or for the next of its own strands to end.
"""

from __future__ import annotations

from collections import deque
from types import coroutine


@coroutine
def _wait(what):
    return (yield what)


class Strand:
    """A piece of direct-style code under way."""

    __slots__ = ("done", "error", "loom", "owner", "result", "waits", "work")

    def __init__(self, loom, work, owner):
        self.loom, self.work, self.owner = loom, work, owner
        self.done, self.result, self.error, self.waits = False, None, None, None

    def close(self):
        """Stop it where it is; its `finally` blocks run."""
        if not self.done:
            self.done = True
            if not isinstance(self.waits, Team):
                self.loom.waiting.pop(self.waits, None)
            self.work.close()


class Team:
    """Strands that somebody started and takes back one by one, in the order in which they end."""

    def __init__(self, loom):
        self.loom, self.strands, self.ended = loom, [], deque()
        self.waiter = None

    def start(self, work):
        strand = Strand(self.loom, work, self)
        self.strands.append(strand)
        self.loom.ready.append((strand, None))
        return strand

    async def next(self):
        """The next strand that has ended."""
        while not self.ended:
            await _wait(self)
        return self.ended.popleft()

    def close(self):
        for strand in self.strands:
            strand.close()


class Loom:
    """Runs strands to quiescence, first come first served. A strand may end with one of these `errors`."""

    def __init__(self, errors):
        self.errors = errors
        self.ready, self.waiting = deque(), {}
        self.current = None

    async def value(self, key):
        """What comes from outside under this key."""
        return await _wait(key)

    def feed(self, key, value):
        """Let it come; False when nobody waits for it."""
        strand = self.waiting.pop(key, None)
        if strand is None:
            return False
        self.ready.append((strand, value))
        self.settle()
        return True

    def settle(self):
        while self.ready:
            strand, value = self.ready.popleft()
            if not strand.done:
                self._step(strand, value)

    def throw(self, strand, error):
        """Have a strand that waits go on with an error."""
        if isinstance(strand.waits, Team):
            strand.waits.waiter = None
        else:
            self.waiting.pop(strand.waits, None)
        self._step(strand, None, error)
        self.settle()

    def _step(self, strand, value, thrown=None):
        self.current, strand.waits = strand, None
        try:
            wanted = strand.work.send(value) if thrown is None else strand.work.throw(thrown)
        except StopIteration as end:
            strand.result = end.value
        except self.errors as error:
            strand.error = error
        else:
            strand.waits = wanted
            if isinstance(wanted, Team):
                wanted.waiter = strand
            else:
                self.waiting[wanted] = strand
            return
        strand.done = True
        team = strand.owner
        if team is not None:
            team.ended.append(strand)
            if team.waiter is not None:
                self.ready.append((team.waiter, None))
                team.waiter = None
