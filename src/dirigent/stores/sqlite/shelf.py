"""What can be asked of a store in a file beside journals: runs, resources, plans."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import cast

from dirigent.model.ids import PlanId, RunId
from dirigent.model.plan import Plan
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import Fact
from dirigent.model.run.retention import Pruned, Retention
from dirigent.model.run.summary import RunSummary
from dirigent.stores import codec
from dirigent.stores.sqlite.commit import GroupCommit
from dirigent.stores.sqlite.pruning import named
from dirigent.stores.sqlite.reading import Desk, Reader, summary
from dirigent.stores.sqlite.writing import Append, ChangeCursor, KeepPlan, Prune


@dataclass(frozen=True, slots=True, eq=False)
class SqliteApplies:
    """Fits `ports.applies.Applies`."""

    _desk: Desk
    _reader: Reader

    async def newest_apply(self) -> str:
        """Return the id of the apply that was begun last, empty for none."""
        rows = await self._desk.ask(self._reader.rows_of, "newest_apply")
        return cast("str", rows[0][0])

    async def open_applies(self) -> list[RunSummary]:
        """Return every apply that has not ended, oldest first."""
        rows = await self._desk.ask(self._reader.rows_of, "open_applies")
        return [summary(row) for row in rows]

    async def has_plan(self, plan: PlanId) -> bool:
        """Return whether a plan is stored."""
        return bool(await self._desk.ask(self._reader.rows_of, "has_plan", plan))

    async def addresses(self) -> list[str]:
        """Return the address of every instance that there ever was."""
        return [cast("str", row[0]) for row in await self._desk.ask(self._reader.rows_of, "addresses")]


@dataclass(frozen=True, slots=True, eq=False)
class SqliteShelf:
    """Fits `ports.Shelf`: questions go to the thread that reads, plans to the writer."""

    path: str
    _reader: Reader
    _desk: Desk
    _queue: GroupCommit

    async def runs(self, *, only_open: bool = False, limit: int = 50) -> list[RunSummary]:
        """Return runs, newest first."""
        return await self._desk.ask(self._reader.runs, only_open=only_open, limit=limit)

    async def run(self, run: RunId) -> RunSummary | None:
        """Return one run."""
        return await self._desk.ask(self._reader.run, run)

    async def row(self, address: str) -> ResourceRow | None:
        """Return one resource instance."""
        return await self._desk.ask(self._reader.row, address)

    async def rows(self) -> list[ResourceRow]:
        """Return every resource instance, by address."""
        return await self._desk.ask(self._reader.rows)

    async def history(self, address: str) -> list[tuple[float, RunId, ResourceRow | None]]:
        """Return what one instance was and is, oldest first; None where it was deleted."""
        return await self._desk.ask(self._reader.history, address)

    @property
    def applies(self) -> SqliteApplies:
        """Return what is known of applies."""
        return SqliteApplies(self._desk, self._reader)

    async def prunable(self, policy: Retention, now: float, limit: int) -> list[RunId]:
        """Return ended runs that a policy no longer keeps, oldest end first."""
        return await self._desk.ask(self._reader.prunable, policy, now, limit)

    async def prune(self, runs: Sequence[RunId]) -> Pruned:
        """Remove those of the runs that have ended, each whole, and return how much that was."""
        removed: list[Pruned] = []
        await self._queue.submit(Prune(runs, removed))
        return removed[0]

    async def drop_unused(self) -> None:
        """Remove definitions that no run names. Nobody may start runs meanwhile."""
        await self._queue.submit(Prune((), [], unused=True))

    async def forget_plans(self, older_seconds: float) -> None:
        """Remove plans that were kept so long ago and whose program is not stored any more."""
        await self._queue.submit(ChangeCursor("forget_plans", (older_seconds,)))

    async def named(self) -> frozenset[str]:
        """Return every digest that something stored may name as a large value."""
        return await asyncio.to_thread(named, self.path)

    async def take_in(self, run: RunId, facts: Sequence[Fact]) -> None:
        """Store the journal of a run from elsewhere; resources stay as they are."""
        contents = [codec.encode_fact(fact) for fact in facts]
        await self._queue.submit(Append(run, 0, facts, contents, foreign=True))

    async def keep_plan(self, plan: Plan) -> None:
        """Store a plan under its id; another plan under a taken id is refused (E5015)."""
        await self._queue.submit(KeepPlan(plan.id, codec.encode(plan)))

    async def plan(self, plan: PlanId) -> Plan | None:
        """Return a stored plan."""
        return await self._desk.ask(self._reader.plan, plan)
