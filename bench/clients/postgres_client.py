"""Dirigent as a library: workflow documents on PostgreSQL; this process owns all shards."""

from __future__ import annotations

import os

from course import course, take_part
from dirigent_client import Dirigent, effects_of
from faster import go

from dirigent.app.tools import TOOLS
from dirigent.engine.crew import Crew
from dirigent.engine.engine import Engine
from dirigent.engine.fleet.conductor import FleetConductor
from dirigent.engine.fleet.fleet import Fleet
from dirigent.ports.fleet import Tenure
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres.database import Database
from dirigent.stores.postgres.inbox import Inbox
from dirigent.stores.postgres.store import PostgresStore
from dirigent.stores.postgres.tenancy import PostgresTenancy


async def main() -> None:
    """Take part."""
    orders = course()
    database = await Database.opened(DatabaseUrl(orders.url), f"bench-{os.getpid()}")
    store = PostgresStore(database)
    effects = effects_of(orders)

    def build(tenure: Tenure, crew: Crew) -> Engine:
        return Engine(tenure.journal, tenure.shelf, effects, TOOLS, effects.clock, _crew=crew)

    fleet = Fleet(PostgresTenancy.of(database), build)
    await fleet.open()
    conductor = FleetConductor(Inbox.of(database), store, store, fleet)
    entrant = Dirigent(conductor)
    await entrant.learn(orders, conductor.keep)
    await take_part(entrant, orders)


go(main())
