"""What can be asked of a database beside journals: runs, resources, plans."""

from __future__ import annotations

from dirigent.model.ids import PlanId, RunId
from dirigent.model.plan import Plan
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.run.summary import RunSummary
from dirigent.stores import codec
from dirigent.stores.postgres.applies import PostgresApplies
from dirigent.stores.postgres.database import Database
from dirigent.stores.postgres.session.statements import SQL
from dirigent.stores.postgres.writer.fence import Fence
from dirigent.stores.projection import another_plan


@dataclass(frozen=True, slots=True, eq=False)
class PostgresShelf:
    """Fits `ports.Shelf`. With a fence it lists the runs of that shard alone."""

    database: Database
    fence: Fence | None = None

    async def runs(self, *, only_open: bool = False, limit: int = 50) -> list[RunSummary]:
        """Return runs, newest first."""
        shard = None if self.fence is None else self.fence.shard
        return await self.database.reader.runs(shard, only_open=only_open, limit=limit)

    async def run(self, run: RunId) -> RunSummary | None:
        """Return one run."""
        return await self.database.reader.run(run)

    @property
    def applies(self) -> PostgresApplies:
        """Return what is known of applies."""
        return PostgresApplies(self.database.links[0])

    async def row(self, address: str) -> ResourceRow | None:
        """Return one resource instance."""
        return await self.database.reader.row(address)

    async def rows(self) -> list[ResourceRow]:
        """Return every resource instance, by address."""
        return await self.database.reader.rows()

    async def history(self, address: str) -> list[tuple[float, RunId, ResourceRow | None]]:
        """Return what one instance was and is, oldest first; None where it was deleted."""
        return await self.database.reader.history(address)

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan under its id; another plan under a taken id is refused (E5015)."""
        content = codec.encode(plan)
        await self.database.links[0].fetch(SQL["keep_plan"], plan.id, content)
        if await self.database.reader.plan_bytes(plan.id) != content:
            raise another_plan(plan.id)

    async def plan(self, plan: PlanId) -> Plan | None:
        """Return a stored plan."""
        return await self.database.reader.plan(plan)
