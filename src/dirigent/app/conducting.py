"""Make this process the engine of a store, or find the process that is.

A store has one engine. Whoever finds the lock taken asks the engine behind the door; when that one
dies, the next that asks takes its place, in the middle of following a run if need be.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from dirigent.app.databases.driver import room
from dirigent.app.databases.large import payloads_of
from dirigent.app.elsewhere import linker_of
from dirigent.app.later import AUTHORS, EXTRAS, LaterAuthors, LaterPerformer, LaterReception, LaterRemote
from dirigent.app.looking import SystemClock, readable
from dirigent.app.outside.delivering import Delivery, deliver, kept_seconds, no_sink, sending
from dirigent.app.planning import Parts, inherited, parts_of, planner_of
from dirigent.app.rarely import collected_rarely
from dirigent.app.seat import opened, seat
from dirigent.app.stacks import Surrounding, queues_of
from dirigent.app.tools import TOOLS
from dirigent.app.workers.posting import dispatched, loads, measured, own_workers, remote_of
from dirigent.core.machine import Tools
from dirigent.engine.children import WorkflowPerformer
from dirigent.engine.conductor import LocalConductor
from dirigent.engine.crew import Crew
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine, Observer
from dirigent.engine.queues import report
from dirigent.engine.schedules.keeping import SchedulePerformer
from dirigent.model import limits
from dirigent.model.program import Program
from dirigent.model.queue import Queue
from dirigent.model.record import dataclass
from dirigent.model.run.retention import Retention
from dirigent.model.values import Value
from dirigent.ports import Conductor, Journal, Performer, Prompt, Shelf, Vault
from dirigent.providers.apply import ResourcePerformer
from dirigent.service import door, queues, runs
from dirigent.service.plans import Planner
from dirigent.service.spools import Spools
from dirigent.service.succession import Succession
from dirigent.stores.folder.payloads import Payloads
from dirigent.stores.folder.sweeping import sweep
from dirigent.stores.folder.witness import FileWitness
from dirigent.stores.lock import EngineLock, holder
from dirigent.stores.retention import kept
from dirigent.tasks.large import LargeValues
from dirigent.tasks.process import ShellPerformer, Surroundings
from dirigent.tasks.script import ScriptPerformer
from dirigent.workers.hub import Hub

# For what is under way when an engine ends in order: a request whose fate the next one could not know.
PARTING_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Desk:
    """All that a command needs that starts or steers runs. `crew` is that of an engine of this process."""

    journal: Journal
    shelf: Shelf
    planner: Planner
    clock: SystemClock
    vault: Vault
    conductor: Conductor
    crew: Crew | None = None


class Join(Protocol):
    """How a process comes to work on a database."""

    def __call__(self, stack: AsyncExitStack, around: Surrounding, *, serve: bool) -> Awaitable[Desk]:
        """Return the desk of a new engine, or of a client of those that there are."""
        ...


@asynccontextmanager
async def conducting(around: Surrounding, *, drive: bool = True, serve: bool = False) -> AsyncIterator[Desk]:
    """Become the engine of the store, or the client of the process that is.

    With `drive`, every open run is taken up and goes on while the block runs; without, an engine of this
    process only records. On a database, where any number of engines may be, `serve` says to become one also
    when there are others.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(collected_rarely())
        if around.settings.database is not None:
            join: Join = room("dirigent.app.databases.cluster").conducted
            yield await join(stack, around, serve=serve)
            return
        lock = await seat(around.settings)
        if lock is None:
            yield await _second(stack, around)
            return
        yield await _enthroned(stack, around, lock, drive=drive)


@asynccontextmanager
async def visiting(around: Surrounding) -> AsyncIterator[Desk]:
    """Yield the desk of a client of the engine that there is, and of no other: `HolderGone` when it ends."""
    async with AsyncExitStack() as stack:
        parts = await parts_of(stack, around, await readable(stack, around.settings))
        distant = door.DoorConductor(around.settings.socket, parts.store, holder(around.settings.lock))
        yield desk_of(parts, distant)


async def _enthroned(
    stack: AsyncExitStack, around: Surrounding, lock: EngineLock, *, drive: bool = True
) -> Desk:
    stack.enter_context(lock)
    store = opened(around.settings)
    stack.push_async_callback(store.close)
    parts = await parts_of(stack, around, store)
    desk = await engaged(stack, around, parts, performers_of(around, parts), drive=drive)
    policy = around.stack.retention if around.stack else Retention()
    sweeping = partial(sweep, Payloads(around.settings.payloads), store)
    await stack.enter_async_context(kept(store, policy, parts.clock, sweeping))
    return desk


async def _second(stack: AsyncExitStack, around: Surrounding) -> Desk:
    """Become the client of the process that is the engine, and its heir when it ends."""

    async def succeed() -> Conductor | None:
        lock = await seat(around.settings)
        return (await _enthroned(stack, around, lock)).conductor if lock is not None else None

    no_sink(around, holder(around.settings.lock))
    parts = await parts_of(stack, around, await readable(stack, around.settings))
    distant = door.DoorConductor(around.settings.socket, parts.store, holder(around.settings.lock))
    return desk_of(parts, Succession(distant, succeed, parts.store))


def performers_of(around: Surrounding, parts: Parts) -> dict[str, Performer]:
    """Build who carries out the effects, by function; `engaged` adds `workflow`, which needs the engine."""
    folder = str(around.folder.absolute())
    surroundings = Surroundings(around.settings.spool, folder, inherited(), output_bytes=limits.LARGE_BYTES)
    found = _performers(around, parts, surroundings)
    return {
        name: each if name in {"resource", "python"} else with_large(around, parts, each)
        for name, each in found.items()
    }


def with_large(around: Surrounding, parts: Parts, performer: Performer) -> Performer:
    """Return a performer whose results may be large, and whose requests may name large values."""
    inner: object = performer
    prompt = inner if isinstance(inner, Prompt) else None
    return LargeValues(performer, payloads_of(around.settings, parts.shared), parts.vault, prompt)


def _performers(around: Surrounding, parts: Parts, surroundings: Surroundings) -> dict[str, Performer]:
    return {
        "http": LaterPerformer("http", around, parts),
        "openapi": LaterPerformer("openapi", around, parts),
        "asyncapi": LaterPerformer("asyncapi", around, parts, EXTRAS),
        "grpc": LaterPerformer("grpc", around, parts, EXTRAS),
        "a2a": LaterPerformer("a2a", around, parts),
        "authorize": LaterPerformer("authorize", around, parts),
        "container": LaterPerformer("container", around, parts),
        "mcp": LaterPerformer("mcp", around, parts),
        "shell": ShellPerformer(surroundings, parts.vault),
        "script": ScriptPerformer(surroundings, parts.vault, remote=LaterRemote(around, parts)),
        "python": LaterPerformer("python", around, parts, AUTHORS),
        "resource": ResourcePerformer(parts.providers, parts.store.row, parts.clock),
    }


async def engaged(
    stack: AsyncExitStack, around: Surrounding, parts: Parts, performers: dict[str, Performer], *, drive: bool
) -> Desk:
    """Set an engine going on a store that is locked and open for writing, with its door open."""
    effects = Effects(performers, parts.oracle, parts.vault, parts.clock)
    witness = FileWitness(around.settings.witness)
    stack.callback(witness.close)
    declared, crew = queues_of(around), Crew()
    engine = Engine(
        *(parts.store, parts.store, effects, tools_of(around), parts.clock),
        declared=declared,
        witness=witness,
        linker=linker_of(around),
        _crew=crew,
    )
    engine.events.keep_seconds = kept_seconds(around)
    performers["workflow"] = children_of(around, engine)
    engine.observers.extend(observers_of(performers))
    hub = Hub(parts.vault.reveal)
    python = dispatched(hub, around, performers.get("python"))
    performers["python"] = with_large(around, parts, python)
    engine.observers.append(hub.hear)
    measured(hub, engine.queues, remote_of(around))
    if drive:
        # They end last: what they do when the engine ends in order is known by then.
        await stack.enter_async_context(own_workers(around, hub, around.settings.socket))
    stack.push_async_callback(engine.close)
    courier = await sending(stack, Delivery(around, parts, performers, engine.wants)) if drive else None
    stack.push_async_callback(engine.settle, PARTING_SECONDS)
    conductor = LocalConductor(engine, parts.store)
    performers["schedule"] = SchedulePerformer(
        *(conductor, parts.store, parts.store, parts.clock, TOOLS.language, parts.oracle)
    )

    desk = desk_of(parts, conductor, crew)
    warm = LaterReception(around, parts, desk)
    stack.push_async_callback(warm.close)
    others = {"work": hub.welcome, "queues": _telling(engine, hub, declared), "warm": warm.welcome}
    await stack.enter_async_context(door.opened(around.settings.socket, conductor, others))
    if drive:
        spools = Spools(around.settings.spool)
        left = spools.left()
        engine.observers.append(spools.hear)
        await engine.open()
        deliver(courier, crew, engine.observers)
        await spools.sweep(left, frozenset(engine.standing), parts.store)
    else:
        await engine.settle(0)
    return desk


def _telling(engine: Engine, hub: Hub, declared: Mapping[str, Queue]) -> door.Work:
    """Return what tells of the queues at the door."""

    def look() -> list[queues.QueueView]:
        present = loads(hub, declared)
        return [queues.view(*each, present.get(each[0].name)) for each in report(engine.queues)]

    return queues.answering(look)


def tools_of(around: Surrounding) -> Tools:
    """Return what the core computes with: the workflows in Python of a folder among it."""
    return replace(TOOLS, plays=LaterAuthors(around))


def observers_of(performers: Mapping[str, Performer]) -> list[Observer]:
    """Return what performers want to hear of the facts of runs."""
    inner = [each.performer if isinstance(each, LargeValues) else each for each in performers.values()]
    return [each.hear for each in inner if isinstance(each, LaterPerformer)]


def children_of(around: Surrounding, engine: Engine) -> WorkflowPerformer:
    """Build who carries out `run: workflow` for the runs of an engine."""
    authors = LaterAuthors(around)
    known = runs.catalogue(around.stack.workflows if around.stack else {}, around.programs)
    stack = around.stack

    async def metadata() -> dict[str, Value]:
        return runs.metadata_of(stack, await engine.shelf.rows()) if stack else {}

    def find(namespace: str, name: str, version: str) -> Program | None:
        # A workflow in Python is known by its module and name, of which no document can be.
        return known.get((namespace, name, version)) if ":" not in name else authors.program(name)

    return WorkflowPerformer(engine, find, metadata)


def desk_of(parts: Parts, conductor: Conductor, crew: Crew | None = None) -> Desk:
    """Return the desk of a conductor over these parts."""
    return Desk(parts.store, parts.store, planner_of(parts), parts.clock, parts.vault, conductor, crew)
