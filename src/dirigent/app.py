"""The composition root: the only module that knows every adapter. It wires, and decides nothing.

`looking` opens a store to read; `conducting` makes this process the engine of a store, or finds the
process that is.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from dirigent.core.machine import Tools
from dirigent.engine.children import WorkflowPerformer
from dirigent.engine.conductor import LocalConductor
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.jq import LANGUAGE
from dirigent.lang.schema import SCHEMAS
from dirigent.lang.stack import TypeShape
from dirigent.model.program import Program
from dirigent.model.stack import Secret, Stack
from dirigent.model.values import Value
from dirigent.ports import Conductor, Journal, Performer, Provider, Shelf
from dirigent.providers.apply import ResourcePerformer
from dirigent.providers.files import FilesProvider
from dirigent.providers.files.shape import TYPES as FILE_TYPES
from dirigent.providers.services.provider import ServiceProvider
from dirigent.providers.services.shape import SERVICE
from dirigent.service import door, runs
from dirigent.service.plans import Planner
from dirigent.service.succession import Succession
from dirigent.settings import Settings
from dirigent.stores.empty import EmptyStore
from dirigent.stores.lock import EngineLock, holder
from dirigent.stores.sqlite import SqliteStore
from dirigent.tasks.http.call import HttpPerformer
from dirigent.tasks.http.client import Client
from dirigent.tasks.openapi.call import OpenApiPerformer
from dirigent.tasks.openapi.document import within
from dirigent.tasks.oracle import JqOracle
from dirigent.tasks.process import ShellPerformer, Surroundings
from dirigent.tasks.script import ScriptPerformer
from dirigent.tasks.secrets import EnvironmentVault

TYPES: Final[Mapping[str, TypeShape]] = {**FILE_TYPES, "service": SERVICE}

# Secrets of a workflow that belongs to no stack are looked up under this prefix.
ENVIRONMENT_PREFIX: Final = "DIRIGENT_SECRET_"

# For what is under way when an engine ends in order: a request whose fate the next one could not know.
PARTING_SECONDS: Final = 5.0

# How often we look whether a process that holds the lock has opened its door.
LOOK_SECONDS: Final = 0.05

INHERITED: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")

Store: TypeAlias = SqliteStore | EmptyStore


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    async def sleep_until(self, at: float) -> None:
        """Sleep in short stretches, so that a clock that is set forward is noticed."""
        left = at - time.time()
        while left > 0:
            await asyncio.sleep(min(left, 30.0))
            left = at - time.time()


@dataclass(frozen=True, slots=True)
class Surrounding:
    """What a command works in: the folder of the stack, and what it declares."""

    settings: Settings
    folder: Path
    stack: Stack | None = None
    programs: tuple[Program, ...] = ()

    @property
    def secrets(self) -> dict[str, Secret]:
        """Return where each secret is found: as the stack says, else in the environment."""
        named = {name for program in self.programs for name in program.secrets}
        found = {name: Secret(name, "env", ENVIRONMENT_PREFIX + _variable(name)) for name in sorted(named)}
        return {**found, **(self.stack.secrets if self.stack else {})}


@dataclass(frozen=True, slots=True)
class Desk:
    """All that a command needs. Only a conducting desk has a `conductor`."""

    journal: Journal
    shelf: Shelf
    planner: Planner
    tools: Tools
    clock: SystemClock
    conductor: Conductor | None = None
    engine: Engine | None = None
    taken_up: int = 0

    @property
    def must_conduct(self) -> Conductor:
        """Return the conductor of a desk that was opened to conduct."""
        if self.conductor is None:
            raise AssertionError("this desk was opened to look")
        return self.conductor


@asynccontextmanager
async def looking(around: Surrounding) -> AsyncIterator[Desk]:
    """Open the store to read, beside whatever engine drives it. Nothing is created."""
    async with AsyncExitStack() as stack:
        store = await _readable(stack, around.settings)
        yield _desk(await parts_of(stack, around, store))


@asynccontextmanager
async def conducting(around: Surrounding, *, drive: bool = True) -> AsyncIterator[Desk]:
    """Become the engine of the store, or the client of the process that is.

    With `drive`, every open run is taken up and goes on while the block runs.
    """
    async with AsyncExitStack() as stack:
        lock = await _lock_or_door(around.settings)
        if lock is None:
            store = await _readable(stack, around.settings)
            desk = _desk(await parts_of(stack, around, store))
            yield _with(desk, _client(stack, around, store, drive=drive))
            return
        stack.enter_context(lock)
        store = SqliteStore.open_for_writing(around.settings.store)
        stack.push_async_callback(store.close)
        parts = await parts_of(stack, around, store)
        yield await engaged(stack, around, parts, performers_of(around, parts), drive=drive)


@dataclass(frozen=True, slots=True)
class Parts:
    """What both a look and an engine are made of."""

    store: Store
    vault: EnvironmentVault
    oracle: JqOracle
    providers: Mapping[str, Provider]
    client: Client
    clock: SystemClock = field(default_factory=SystemClock)


async def _lock_or_door(settings: Settings) -> EngineLock | None:
    """Return the lock, or None where an engine answers. One that is starting or ending is waited for."""
    for _ in range(round(door.ANSWER_SECONDS / LOOK_SECONDS)):
        lock = EngineLock.try_take(settings.lock)
        if lock is not None or door.answers(settings.socket):
            return lock
        await asyncio.sleep(LOOK_SECONDS)
    raise door.silent(holder(settings.lock))


def _client(stack: AsyncExitStack, around: Surrounding, store: Store, *, drive: bool) -> Conductor:
    async def renew() -> Conductor:
        desk = await stack.enter_async_context(conducting(around, drive=drive))
        return desk.must_conduct

    there = door.DoorConductor(around.settings.socket, store, holder(around.settings.lock))
    return Succession(there, renew)


def _exists(path: str) -> bool:
    return Path(path).exists()


async def _readable(stack: AsyncExitStack, settings: Settings) -> Store:
    if not _exists(settings.store):
        return EmptyStore()
    store = SqliteStore.open_for_reading(settings.store)
    stack.push_async_callback(store.close)
    return store


async def parts_of(stack: AsyncExitStack, around: Surrounding, store: Store) -> Parts:
    """Build the adapters around a store; what must be closed is given to `stack`."""
    vault = EnvironmentVault(around.secrets, os.environ, around.folder)
    oracle = JqOracle()
    stack.push_async_callback(oracle.close)
    client = Client(around.stack.hosts if around.stack else ())
    folder = str(around.folder.absolute())
    files = FilesProvider(folder, vault)
    services = ServiceProvider(around.settings.services, folder, _inherited(), vault)
    providers: dict[str, Provider] = {
        **dict.fromkeys(files.types, files),
        **dict.fromkeys(services.types, services),
    }
    return Parts(store, vault, oracle, providers, client)


def performers_of(around: Surrounding, parts: Parts) -> dict[str, Performer]:
    """Build who carries out the effects, by function; `engaged` adds `workflow`, which needs the engine."""
    folder = str(around.folder.absolute())
    surroundings = Surroundings(around.settings.spool, folder, _inherited())
    store, vault = parts.store, parts.vault
    return {
        "http": HttpPerformer(parts.client, vault),
        "openapi": OpenApiPerformer(parts.client, vault, within(folder)),
        "shell": ShellPerformer(surroundings, vault),
        "script": ScriptPerformer(surroundings, vault),
        "resource": ResourcePerformer(parts.providers, store.row, parts.clock),
    }


async def engaged(
    stack: AsyncExitStack, around: Surrounding, parts: Parts, performers: dict[str, Performer], *, drive: bool
) -> Desk:
    """Set an engine going on a store that is locked and open for writing, with its door open."""
    effects = Effects(performers, parts.oracle, parts.vault, parts.clock)
    engine = Engine(parts.store, parts.store, effects, Tools(LANGUAGE, SCHEMAS), parts.clock)
    performers["workflow"] = _children(around, engine)
    stack.push_async_callback(engine.close)

    async def part(kind: type[BaseException] | None, _reason: object, _trace: object) -> None:
        if kind is None or not issubclass(kind, KeyboardInterrupt):  # that is a second Ctrl-C: at once, then
            await engine.settle(PARTING_SECONDS)

    stack.push_async_exit(part)
    conductor = LocalConductor(engine, parts.store)
    await stack.enter_async_context(door.opened(around.settings.socket, conductor))
    taken_up = await engine.open() if drive else 0
    return _with(_desk(parts), conductor, engine, taken_up)


def _children(around: Surrounding, engine: Engine) -> WorkflowPerformer:
    known = runs.catalogue(around.stack.workflows if around.stack else {}, around.programs)
    stack = around.stack

    async def metadata() -> dict[str, Value]:
        return runs.metadata_of(stack, await engine.shelf.rows()) if stack else {}

    return WorkflowPerformer(engine, lambda *names: known.get(names), metadata)


def _desk(parts: Parts) -> Desk:
    planner = Planner(parts.store, parts.providers, parts.oracle, parts.clock, LANGUAGE)
    return Desk(parts.store, parts.store, planner, Tools(LANGUAGE, SCHEMAS), parts.clock)


def _with(desk: Desk, conductor: Conductor, engine: Engine | None = None, taken_up: int = 0) -> Desk:
    return Desk(desk.journal, desk.shelf, desk.planner, desk.tools, desk.clock, conductor, engine, taken_up)


def _inherited() -> dict[str, str]:
    """Return what processes may see of our own environment: enough to find programs, and no secret."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


def _variable(name: str) -> str:
    return "".join(letter if letter.isalnum() else "_" for letter in name).upper()
