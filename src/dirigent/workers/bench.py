"""The bench of a worker: its child processes, what each has in hand, and what still waits for one.

Children are kept. One that dies, or is ended because its step is no longer wanted, harms that step alone:
what it had not begun goes to the others.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import field
from typing import Final

from dirigent.model.record import dataclass
from dirigent.workers.wire import Job, Mouth, Result, Token, read

# A child gets more than one job at a time only while its steps are shorter than this.
SHORT_SECONDS: Final = 0.002
DEPTH: Final = 32


@dataclass(slots=True, eq=False)
class Child:
    """One process, with what it was given, in order. `seconds` is how long its steps take on average."""

    process: subprocess.Popen[bytes]
    mouth: Mouth
    jobs: deque[Job] = field(default_factory=deque)
    seconds: float = 1.0
    since: float = 0.0
    watch: asyncio.Task[None] | None = None

    @property
    def depth(self) -> int:
        """Return how many jobs it may have in hand."""
        return DEPTH if self.seconds < SHORT_SECONDS else 1


@dataclass(slots=True, eq=False)
class Bench:
    """`command` starts a child, with its end of the wire as standard input; `tell` takes results."""

    command: Sequence[str]
    size: int
    tell: Callable[[Result], None]
    children: list[Child] = field(default_factory=list)
    backlog: deque[Job] = field(default_factory=deque)
    _unwanted: set[Token] = field(default_factory=set)
    _closed: bool = False

    async def open(self) -> None:
        """Start the children."""
        for _ in range(self.size):
            await self._start()

    async def close(self) -> None:
        """End the children; what they were doing is left as it is."""
        self._closed = True
        for child in self.children:
            _kill(child)
        watches = [child.watch for child in self.children if child.watch is not None]
        if watches:
            await asyncio.wait(watches)

    @property
    def room(self) -> int:
        """Return how many jobs may be in hand at a time."""
        return 2 * sum(child.depth for child in self.children)

    @property
    def busy(self) -> int:
        """Return how many jobs are in hand."""
        return len(self.backlog) + sum(len(child.jobs) for child in self.children)

    @property
    def tokens(self) -> list[Token]:
        """Return what is in hand."""
        return [job.token for job in (*self.backlog, *(job for child in self.children for job in child.jobs))]

    def take(self, jobs: Sequence[Job]) -> None:
        """Take jobs, and hand them to whoever is free."""
        self.backlog.extend(jobs)
        self._share()

    def stop(self, token: Token) -> bool:
        """Stop a job; return whether it was in hand. What runs is ended with its process."""
        for job in self.backlog:
            if job.token == token:
                self.backlog.remove(job)
                self.tell(Result(token, "lost", "it was stopped before it began"))
                return True
        for child in self.children:
            if any(job.token == token for job in child.jobs):
                # What waits behind another step in a child is not taken back: only short steps let wait.
                self._unwanted.add(token)
                if child.jobs[0].token == token:
                    _kill(child)
                return True
        return False

    # -- inside -----------------------------------------------------------------------------------

    def _share(self) -> None:
        """Give every child what it may have, the emptiest first."""
        while self.backlog:
            free = [child for child in self.children if len(child.jobs) < child.depth]
            if not free:
                return
            child = min(free, key=lambda each: len(each.jobs))
            job = self.backlog.popleft()
            if not child.jobs:
                child.since = time.monotonic()
            child.jobs.append(job)
            child.mouth.next.do.append(job)

    async def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(
                list(self.command), stdin=theirs.fileno(), stdout=2, start_new_session=True
            )
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        child = Child(process, Mouth(writer))
        self.children.append(child)
        child.watch = asyncio.ensure_future(self._watch(child, reader))
        self._share()

    async def _watch(self, child: Child, reader: asyncio.StreamReader) -> None:
        """Take results of a child until it ends; then see what it died of, and start another."""
        while (message := await read(reader)) is not None:
            now = time.monotonic()
            for result in message.done:
                if child.jobs and child.jobs[0].token == result.token:
                    child.jobs.popleft()
                    child.seconds += 0.2 * (now - child.since - child.seconds)
                    child.since = now
                    self._unwanted.discard(result.token)
                    self.tell(result)
            self._share()
        child.mouth.writer.close()
        code = await asyncio.to_thread(child.process.wait)
        self.children.remove(child)
        if self._closed:
            return
        self._bury(child, code)
        await self._start()

    def _bury(self, child: Child, code: int) -> None:
        """Tell of the step that a child died of, and let the others go to another child."""
        if child.jobs:
            job = child.jobs.popleft()
            words = f"the process of the step `{job.step}` ended: {_ended(code)}"
            if job.token in self._unwanted:
                self.tell(Result(job.token, "lost", "it was stopped"))
            else:
                self.tell(Result(job.token, "died", words))
            self._unwanted.discard(job.token)
        for job in reversed(child.jobs):
            if job.token in self._unwanted:
                self._unwanted.discard(job.token)
                self.tell(Result(job.token, "lost", "it was stopped before it began"))
            else:
                self.backlog.appendleft(job)


def _kill(child: Child) -> None:
    """End a child and all that its step started."""
    with suppress(ProcessLookupError):
        os.killpg(child.process.pid, signal.SIGKILL)


def _ended(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
