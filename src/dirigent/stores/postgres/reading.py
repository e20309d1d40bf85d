"""What can be asked of the database. Questions of one moment travel together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import field
from typing import Final, TypeAlias, cast

from dirigent.model.ids import Digest, PlanId, RunId, digest_of
from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import Fact
from dirigent.model.run.summary import RunSummary
from dirigent.ports import Past, Waking
from dirigent.stores import codec
from dirigent.stores.forms import corrupt
from dirigent.stores.postgres import records
from dirigent.stores.postgres.session.link import Link, Row
from dirigent.stores.postgres.session.statements import SQL
from dirigent.stores.projection import missing_definition

# Journals of so many runs travel in one answer.
TOGETHER: Final = 256

_Found: TypeAlias = "asyncio.Future[list[Row]]"


@dataclass(slots=True, eq=False)
class Together:
    """One statement for all runs that are asked about in one moment; it takes their ids as its parameter."""

    link: Link
    statement: str
    _asked: dict[str, _Found] = field(default_factory=dict)
    _asking: asyncio.Task[None] | None = None

    async def ask(self, run: str) -> list[Row]:
        """Return the rows whose first column is this run, without that column."""
        found = self._asked.get(run)
        if found is None:
            found = self._asked[run] = asyncio.get_running_loop().create_future()
            if self._asking is None:
                self._asking = asyncio.ensure_future(self._serve())
        return await asyncio.shield(found)

    async def _serve(self) -> None:
        try:
            while self._asked:
                runs = list(self._asked)[:TOGETHER]
                await self._answer({run: self._asked.pop(run) for run in runs})
        finally:
            self._asking = None

    async def _answer(self, asked: dict[str, _Found]) -> None:
        try:
            rows = await self.link.fetch(self.statement, list(asked))
        except Refusal as why:
            for found in asked.values():
                if not found.cancelled():
                    found.set_exception(Refusal(why.problems))
                    found.exception()  # Whoever asked may be gone; it is no news then.
            return
        sorted_rows: dict[str, list[Row]] = {run: [] for run in asked}
        for row in rows:
            sorted_rows[cast("str", row[0])].append(tuple(row)[1:])
        for run, found in asked.items():
            if not found.cancelled():
                found.set_result(sorted_rows[run])


class Reader:
    """Reads of one process. Each sees everything that was acknowledged before it began."""

    def __init__(self, link: Link) -> None:
        """Read through a link that is this reader's alone."""
        self._link: Final = link
        self._heads: Final = Together(link, SQL["heads"])
        self._facts: Final = Together(link, SQL["facts"])

    async def facts(self, run: RunId, since: int = 0) -> list[Fact]:
        """Return the facts of a run from a position on, oldest first."""
        if since:
            return records.journal(await self._link.fetch(SQL["facts_since"], run, since), run, since)
        return records.journal(await self._facts.ask(run), run)

    async def pasts(self, runs: Sequence[RunId]) -> list[Past | Refusal]:
        """Return what is known of each run, in their order."""
        found: list[Past | Refusal] = []
        for first in range(0, len(runs), TOGETHER):
            found.extend(await self._pasts(runs[first : first + TOGETHER]))
        return found

    async def _pasts(self, runs: Sequence[RunId]) -> list[Past | Refusal]:
        snapshots: dict[RunId, tuple[int, bytes]] = {
            RunId(cast("str", run)): (cast("int", position), cast("bytes", content))
            for run, position, content in await self._link.fetch(SQL["snapshots"], list(runs))
        }
        since = [snapshots[run][0] if run in snapshots else 0 for run in runs]
        rows: dict[str, list[Row]] = {run: [] for run in runs}
        for run, *row in await self._link.fetch(SQL["facts_of_many"], list(runs), since):
            rows[cast("str", run)].append(tuple(row))
        return [_past(run, rows[run], snapshots.get(run)) for run in runs]

    async def wakings(self, shard: int | None, after: Waking, limit: int) -> list[Waking]:
        """Return the next wakings behind one, by time, then by id; those of one shard, or all."""
        rows = await self._link.fetch(SQL["wakings"], shard, *after, limit)
        return [(cast("float", at), RunId(cast("str", run))) for at, run in rows]

    async def run(self, run: RunId) -> RunSummary | None:
        """Return one run."""
        for _, _, standing, length, *_ in await self._heads.ask(run):
            return records.standing(standing).summary(cast("int", length))
        return None

    async def place(self, run: RunId) -> int | None:
        """Return the shard that a run lies in."""
        for _, shard, *_ in await self._heads.ask(run):
            return cast("int", shard)
        return None

    async def runs(self, shard: int | None, *, only_open: bool, limit: int) -> list[RunSummary]:
        """Return runs, newest first; those of one shard, or all."""
        rows = await self._link.fetch(SQL["runs"], limit, shard, only_open)
        return [records.standing(standing).summary(cast("int", length)) for standing, length in rows]

    async def definition(self, digest: Digest) -> Program:
        """Return a stored definition, or raise `Refusal` (E5004 none, E5008 damaged)."""
        rows = await self._link.fetch(SQL["definition"], digest)
        if not rows:
            raise missing_definition(digest)
        content = cast("bytes", rows[0][0])
        if digest_of(content) != digest:
            raise corrupt(f"definition `{digest}` has changed")
        return codec.decode(content, Program)

    async def row(self, address: str) -> ResourceRow | None:
        """Return one resource instance."""
        found = await self._link.fetch(SQL["row"], address)
        return codec.decode(cast("bytes", found[0][0]), ResourceRow) if found else None

    async def rows(self) -> list[ResourceRow]:
        """Return every resource instance, by address."""
        return [codec.decode(cast("bytes", row[0]), ResourceRow) for row in await self._fetch("rows")]

    async def history(self, address: str) -> list[tuple[float, RunId, ResourceRow | None]]:
        """Return what one instance was and is, oldest first."""
        past: list[tuple[float, RunId, ResourceRow | None]] = []
        for at, run, content in await self._fetch("history", address):
            row = None if content is None else codec.decode(cast("bytes", content), ResourceRow)
            past.append((cast("float", at), RunId(cast("str", run)), row))
        return past

    async def plan_bytes(self, plan: PlanId) -> bytes | None:
        """Return the bytes of a stored plan."""
        rows = await self._fetch("plan", plan)
        return cast("bytes", rows[0][0]) if rows else None

    async def plan(self, plan: PlanId) -> Plan | None:
        """Return a stored plan."""
        content = await self.plan_bytes(plan)
        return None if content is None else codec.decode(content, Plan)

    async def _fetch(self, statement: str, *parameters: str) -> Sequence[Row]:
        return await self._link.fetch(SQL[statement], *parameters)


def _past(run: RunId, rows: list[Row], snapshot: tuple[int, bytes] | None) -> Past | Refusal:
    """Return what rows and a snapshot say of a run, or why they cannot be read."""
    position, content = snapshot or (0, None)
    try:
        return Past(records.journal(rows, run, position), position, content)
    except Refusal as why:
        return why
