"""Providers that run, kept warm: one process for each program under each configuration.

Rule: a process that failed in any call is not asked again. Who is in the middle of a call keeps its own.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from dirigent.model import limits
from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.providers.tofu.finding.disk.hashes import digest_of
from dirigent.providers.tofu.lifecycle.session import Misconfigured, Refused, Session, opened
from dirigent.providers.tofu.process.connection import CallBroken, CallUnknown, connected
from dirigent.providers.tofu.process.launch import NotStarted, launched
from dirigent.providers.tofu.schema.reading import Schemas

_UNCONFIGURED: Final = ""


@dataclass(frozen=True, slots=True)
class Program:
    """The program of a provider. `digest` is the SHA-256 of its file."""

    source: str
    path: str
    digest: str
    version: str = ""


@dataclass(slots=True)
class _Warm:
    """One process. `users` counts who is in the middle of a call."""

    key: tuple[str, str]
    stack: AsyncExitStack
    session: Session
    users: int = 0
    retired: bool = False
    sleeping: asyncio.TimerHandle | None = None


class Pool:
    """The processes of all providers of an engine, or of a command."""

    def __init__(self, environment: Mapping[str, str], home: str | None = None) -> None:
        """Take what the processes see of our environment, and the folder from which they take paths."""
        self._environment, self._home = environment, home
        self._warm: dict[tuple[str, str], _Warm] = {}
        self._starting: dict[tuple[str, str], asyncio.Lock] = {}
        self._schemas: dict[str, Schemas] = {}
        # All that run, also those that are retired while somebody is in the middle of a call.
        self._living: dict[int, _Warm] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False
        # What was started once: since then its file may have changed.
        self._before: set[str] = set()
        # What wants to be done while they can still be asked.
        self.before_end: list[Callable[[], Awaitable[None]]] = []

    async def schemas(self, program: Program) -> Schemas:
        """Return what a program offers; it is asked once. Raises as `session` does."""
        if program.digest not in self._schemas:
            async with self.session(program, None) as session:
                self._schemas[program.digest] = session.schemas
        return self._schemas[program.digest]

    @asynccontextmanager
    async def session(self, program: Program, setup: dict[str, Value] | None) -> AsyncIterator[Session]:
        """Yield a session under a configuration, None for one that is only asked for its schemas.

        Raises:
            NotStarted, CallBroken, Refused, Misfit: as starting does; Misconfigured.
        """
        if self._closed:
            raise CallBroken("it is not asked any more: the engine ends")
        key = (program.digest, _UNCONFIGURED if setup is None else _digest(setup))
        async with self._starting.setdefault(key, asyncio.Lock()):
            warm = self._warm.get(key)
            if warm is None:
                warm = await self._started(key, program, setup)
            warm.users += 1
        if warm.sleeping is not None:
            warm.sleeping.cancel()
        try:
            yield warm.session
        except CallBroken:
            self._retire(warm)
            raise
        finally:
            warm.users -= 1
            self._rest(warm)

    async def stop(self, program: Program, setup: dict[str, Value]) -> None:
        """Ask a process, if there is one, to bring what is under way to an end; it is not used again."""
        warm = self._warm.get((program.digest, _digest(setup)))
        if warm is not None:
            self._retire(warm)
            try:
                await warm.session.stop()
            except (CallBroken, CallUnknown):
                return

    async def close(self) -> None:
        """End all processes, and start no more."""
        while self.before_end:
            await self.before_end.pop()()
        self._closed = True
        for warm in list(self._living.values()):
            self._retire(warm)
            warm.users = 0
            self._rest(warm)
        while self._ending:
            await asyncio.wait(self._ending)

    async def _started(self, key: tuple[str, str], program: Program, setup: dict[str, Value] | None) -> _Warm:
        if program.digest in self._before:
            await asyncio.to_thread(_check_unchanged, program)
        self._before.add(program.digest)
        async with AsyncExitStack() as stack:
            plugin = await stack.enter_async_context(launched(program.path, self._environment, self._home))
            session = await opened(await stack.enter_async_context(connected(plugin)))
            self._schemas[program.digest] = session.schemas
            if setup is not None:
                await _configure(session, setup)
            warm = _Warm(key, stack.pop_all(), session)
        self._warm[key] = self._living[id(warm)] = warm
        return warm

    def _retire(self, warm: _Warm) -> None:
        warm.retired = True
        if self._warm.get(warm.key) is warm:
            del self._warm[warm.key]

    def _rest(self, warm: _Warm) -> None:
        """Let a process that nobody uses sleep for a while, then end it; a retired one ends at once."""
        if warm.users:
            return
        if warm.sleeping is not None:
            warm.sleeping.cancel()
        if warm.retired:
            self._living.pop(id(warm), None)
            task = asyncio.ensure_future(warm.stack.aclose())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)
        else:
            wait = limits.PROVIDER_IDLE_SECONDS
            warm.sleeping = asyncio.get_running_loop().call_later(wait, self._slept, warm)

    def _slept(self, warm: _Warm) -> None:
        if not warm.users:
            self._retire(warm)
            self._rest(warm)


async def _configure(session: Session, setup: dict[str, Value]) -> None:
    try:
        await session.configure(setup)
    except Refused as refused:
        raise Misconfigured(refused.said) from None


def _check_unchanged(program: Program) -> None:
    """Hash a program again before it is started again. Raises `NotStarted`."""
    try:
        same = digest_of(Path(program.path)) == program.digest
    except OSError:
        same = False
    if not same:
        raise NotStarted(f"`{program.path}` has changed since it was looked at; start the engine anew")


def _digest(setup: Mapping[str, Value]) -> str:
    return hashlib.sha256(msgspec.json.encode(setup, order="deterministic")).hexdigest()
