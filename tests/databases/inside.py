"""Engines on one database inside one process, each with sessions of its own."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count

from dirigent.app.looking import SystemClock
from dirigent.app.tools import TOOLS
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.engine.fleet.conductor import FleetConductor
from dirigent.engine.fleet.fleet import Fleet
from dirigent.service.documents import load_workflow
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres import Database, PostgresStore
from dirigent.stores.postgres.inbox import Inbox
from dirigent.stores.postgres.tenancy import PostgresTenancy
from dirigent.testing import FakeVault

CLOCK = SystemClock()
_number = count(1)

WAITING = """
document: {dsl: '1.0.1', namespace: inside, name: waiting, version: '1.0.0'}
do:
- one: {set: {n: '${ .n }'}}
- two: {wait: {hours: 1}}
"""
QUICK = WAITING.replace("hours: 1", "milliseconds: 20").replace("name: waiting", "name: quick")


def program(folder, text):
    """Return the program of a text."""
    file = folder / "workflow.yaml"
    file.write_text(text)
    return load_workflow(file)[0]


@dataclass
class Member:
    """One process, as far as a database sees it."""

    database: Database
    conductor: FleetConductor
    fleet: Fleet | None = None


def build(tenure, crew):
    effects = Effects({}, None, FakeVault(), CLOCK)
    return Engine(tenure.journal, tenure.shelf, effects, TOOLS, CLOCK, _crew=crew)


@asynccontextmanager
async def member(url, *, engine=True):
    """Yield a process that is an engine, or only a client."""
    database = await Database.opened(DatabaseUrl(url), f"member-{next(_number)}")
    store = PostgresStore(database)
    fleet = Fleet(PostgresTenancy.of(database), build) if engine else None
    if fleet is not None:
        await fleet.open()
    try:
        yield Member(database, FleetConductor(Inbox.of(database), store, store, fleet), fleet)
    finally:
        if fleet is not None:
            await fleet.close()
        await database.close()
