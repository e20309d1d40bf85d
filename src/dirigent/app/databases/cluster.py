"""A store on PostgreSQL: read it, or become one of its engines, or the client of those that there are."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import replace

from dirigent.app.conducting import (
    Desk,
    children_of,
    desk_of,
    observers_of,
    performers_of,
    tools_of,
    with_large,
)
from dirigent.app.databases import large
from dirigent.app.databases.chores import tended
from dirigent.app.databases.watching import watched
from dirigent.app.elsewhere import linker_of
from dirigent.app.looking import Store
from dirigent.app.outside.delivering import (
    Delivery,
    attending,
    deliver,
    kept_seconds,
    no_sink,
    sending,
)
from dirigent.app.planning import Parts, parts_of
from dirigent.app.stacks import Surrounding, queues_of
from dirigent.app.tools import TOOLS
from dirigent.app.workers.doors import own_door
from dirigent.app.workers.posting import dispatched, own_workers, remote_of
from dirigent.app.workers.sharing import Shares
from dirigent.engine.crew import Crew
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine, Observer
from dirigent.engine.events.telling import Wants
from dirigent.engine.fleet.conductor import FleetConductor
from dirigent.engine.fleet.fleet import Build, Fleet
from dirigent.engine.schedules.keeping import SchedulePerformer
from dirigent.model.plan import Plan
from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.model.run.retention import Retention
from dirigent.ports import Performer
from dirigent.ports.fleet import Tenure
from dirigent.service import door
from dirigent.service.spools import Spools
from dirigent.settings import DatabaseUrl
from dirigent.stores.empty import EmptyStore
from dirigent.stores.postgres.database import Database
from dirigent.stores.postgres.inbox import Inbox
from dirigent.stores.postgres.keeping.archive import BesideWork
from dirigent.stores.postgres.keeping.witness import Note, ShardWitness
from dirigent.stores.postgres.store import PostgresStore
from dirigent.stores.postgres.tenancy import PostgresTenancy
from dirigent.stores.retention import kept
from dirigent.workers.hub import Hub


async def readable(stack: AsyncExitStack, url: DatabaseUrl) -> Store:
    """Return the store of a database, open for reading, and as it is; `stack` closes it."""
    database = await Database.as_it_is(url, own_name())
    if database is None:
        return EmptyStore()
    stack.push_async_callback(database.close)
    return PostgresStore(database)


async def keep_plan(url: DatabaseUrl, plan: Plan) -> None:
    """Store a plan: anybody may."""
    database = await Database.opened(url, own_name())
    try:
        await PostgresStore(database).keep_plan(plan)
    finally:
        await database.close()


async def conducted(stack: AsyncExitStack, around: Surrounding, *, serve: bool) -> Desk:
    """Become one of the engines of a database; unless told to `serve`, only when there is none."""
    url = around.settings.database
    if url is None:
        raise refuse("E5049", "no database was named")
    name = own_name()
    database = await Database.opened(url, name, title=f"process {os.getpid()} on {socket.gethostname()}")
    stack.push_async_callback(database.close)
    store = PostgresStore(database)
    parts = await parts_of(stack, around, store)
    wishing = Inbox.of(database)
    if not serve and await database.engines():
        no_sink(around, "another engine of the database")
        return desk_of(parts, FleetConductor(wishing, store, store))
    performers = performers_of(around, parts)
    stack.callback(large.close, parts.shared)
    staff = await _staffed(stack, around, parts, performers)
    tenancy = PostgresTenancy.of(database)
    watch = watched(url, name)
    stack.push_async_callback(watch.close)
    wants = Wants()
    fleet = Fleet(tenancy, _builder(around, parts, performers, watch.note, staff, wants))
    conductor = FleetConductor(wishing, store, store, fleet)
    performers["schedule"] = SchedulePerformer(
        *(conductor, store, store, parts.clock, TOOLS.language, parts.oracle)
    )
    # Only what is ours to know: other engines may share the folder of spools.
    fleet.observers.append(Spools(around.settings.spool).hear)
    stack.push_async_callback(fleet.close)
    stack.push_async_callback(watch.tell)
    courier = await sending(stack, Delivery(around, parts, performers, wants, name))
    if staff.door:
        await stack.enter_async_context(door.opened(staff.door, conductor, {"work": staff.hub.welcome}))
    await fleet.open()
    deliver(courier, fleet.crew, fleet.observers)
    fleet.crew.act(attending(store.log, wants))
    policy = around.stack.retention if around.stack else Retention()
    await stack.enter_async_context(kept(BesideWork(tenancy.archive), policy, parts.clock))
    await stack.enter_async_context(tended(database, parts.clock))
    return desk_of(parts, conductor, fleet.crew)


@dataclass(frozen=True, slots=True)
class _Staff:
    """Who does Python steps for the engines of this process: workers who knock at `door`, or itself.

    `heard` is what the performers want to hear of the facts of runs.
    """

    door: str
    hub: Hub
    shares: Shares
    heard: Sequence[Observer]


async def _staffed(
    stack: AsyncExitStack, around: Surrounding, parts: Parts, performers: dict[str, Performer]
) -> _Staff:
    """Have Python steps go to workers where a queue says so, and start those that the stack wants."""
    heard, hub = observers_of(performers), Hub(parts.vault.reveal)
    performers["python"] = with_large(around, parts, dispatched(hub, around, performers.get("python")))
    staff = _Staff(own_door(stack, around.settings), hub, Shares(hub, remote_of(around)), heard)
    if staff.door:
        await stack.enter_async_context(own_workers(around, hub, staff.door))
    await stack.enter_async_context(staff.shares.going_on())
    return staff


def _builder(
    around: Surrounding, parts: Parts, known: dict[str, Performer], note: Note, staff: _Staff, wants: Wants
) -> Build:
    """Return what builds the engine of a shard: all of them share performers and places for calls."""
    declared = queues_of(around)
    shared = Effects(known, parts.oracle, parts.vault, parts.clock)

    def build(tenure: Tenure, crew: Crew) -> Engine:
        performers = dict(shared.performers)
        effects = replace(shared, performers=performers)
        tools = tools_of(around)
        engine = Engine(
            *(tenure.journal, tenure.shelf, effects, tools, parts.clock),
            declared=declared,
            witness=ShardWitness(note, tenure),
            linker=linker_of(around),
            wants=wants,
            _crew=crew,
        )
        engine.events.keep_seconds = kept_seconds(around)
        performers["workflow"] = children_of(around, engine)
        engine.observers.extend([*staff.heard, staff.hub.hear, staff.shares.hear])
        staff.shares.join(engine.queues)
        return engine

    return build


def own_name() -> str:
    """Return a name that no other process has, ever."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
