"""What a database knows of applies, whatever shard they lie in."""

from __future__ import annotations

from typing import cast

from dirigent.model.ids import PlanId
from dirigent.model.record import dataclass
from dirigent.model.run.summary import RunSummary
from dirigent.ports.applies import APPLY
from dirigent.stores.postgres import records
from dirigent.stores.postgres.session.link import Link
from dirigent.stores.postgres.session.statements import SQL


@dataclass(frozen=True, slots=True, eq=False)
class PostgresApplies:
    """Fits `ports.applies.Applies`."""

    _link: Link

    async def newest_apply(self) -> str:
        """Return the id of the apply that was begun last, empty for none."""
        return cast("str", (await self._link.fetch(SQL["newest_apply"]))[0][0])

    async def open_applies(self) -> list[RunSummary]:
        """Return every apply that has not ended, oldest first."""
        rows = await self._link.fetch(SQL["open_applies"])
        found = [records.standing(standing).summary(cast("int", length)) for standing, length in rows]
        return [run for run in found if run.kind == APPLY]

    async def has_plan(self, plan: PlanId) -> bool:
        """Return whether a plan is stored."""
        return bool(await self._link.fetch(SQL["has_plan"], plan))

    async def addresses(self) -> list[str]:
        """Return the address of every instance that there ever was."""
        return [cast("str", row[0]) for row in await self._link.fetch(SQL["addresses"])]
