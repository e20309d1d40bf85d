"""What a database is relieved of, and what it takes in: runs as wholes, through the fence of their shard.

Rule 1: a run goes in one statement that checks the token, between two batches of the writer: nothing of it
is on its way then. Rule 2: what others may be about to name (definitions, plans) goes only when it is old.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Final, TypeAlias, cast

from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Created, Fact
from dirigent.model.run.retention import Pruned, Retention
from dirigent.stores import codec
from dirigent.stores.postgres import records
from dirigent.stores.postgres.database import Database
from dirigent.stores.postgres.session import failures
from dirigent.stores.postgres.session.failures import Again, Lost
from dirigent.stores.postgres.session.link import Row
from dirigent.stores.postgres.session.statements import SQL
from dirigent.stores.postgres.writer.batch import Append
from dirigent.stores.postgres.writer.fence import Fence
from dirigent.stores.projection import large

PAGE: Final = 1_000
# A definition may be on its way to the run that names it. Far longer than any process remembers one without
# saying so again (`database.KEPT_SECONDS`).
YOUNG_SECONDS: Final = 86_400.0
# What an engine that works beside others takes as it comes: its shard is gone, or the database just now.
PASSING: Final = frozenset({"E5002", "E5041", "E5047", "E5048"})

_Found: TypeAlias = tuple[int, str, float, object]


@dataclass(frozen=True, slots=True, eq=False)
class PostgresArchive:
    """Fits `stores.retention.Archive` for the shards of this process, as far as they are still its own."""

    database: Database
    fences: Callable[[], Sequence[Fence]]

    async def prunable(self, policy: Retention, now: float, limit: int) -> list[RunId]:
        """Return ended runs of these shards that a policy no longer keeps, oldest end first."""
        shards = [fence.shard for fence in self._ours()]
        await self._note_ends()
        ages = [policy.completed, policy.failed, policy.cancelled]
        ends = [-math.inf if age is None else now - age for age in ages]
        found = await self._checked(await self._ask("prunable", max(ends), *ends, shards, limit))
        if policy.runs is None or len(found) == limit:
            return found
        ((ended,),) = await self._ask("ended")
        too_many = max(0, cast("int", ended) - policy.runs)
        more = await self._checked(await self._ask("oldest_ended", too_many, shards, limit))
        return list(dict.fromkeys([*found, *more]))[:limit]

    async def prune(self, runs: Sequence[RunId]) -> Pruned:
        """Remove those of the runs that have ended, each whole, and return how much that was."""
        removed = Pruned()
        for fence in self._ours() if runs else ():
            removed += await self._prune(fence, runs)
        return removed

    async def take_in(self, run: RunId, facts: Sequence[Fact], shard: int) -> None:
        """Store the journal of a run from elsewhere in a shard; resources stay as they are."""
        fence = next((fence for fence in self._ours() if fence.shard == shard), None)
        if fence is None:
            raise failures.taken_over(shard)
        contents = [codec.encode_fact(fact) for fact in facts]
        for content in contents:
            large(run, content)
        job = Append(fence, run, 0, tuple(facts), records.joined(contents), 0.0, foreign=True)
        await self.database.queue.submit(job)

    async def drop_unused(self, young_seconds: float = YOUNG_SECONDS) -> None:
        """Remove old definitions that no run names, nor a wish for one. No engine may work meanwhile."""
        await self._ask("forget_definitions", sorted(await self._named()), young_seconds)

    async def forget_plans(self, older_seconds: float) -> None:
        """Remove plans that were kept so long ago and whose program is not stored any more."""
        await self._ask("forget_plans", older_seconds)

    def _ours(self) -> list[Fence]:
        now = monotonic()
        return [fence for fence in self.fences() if fence.check(now) is None]

    async def _prune(self, fence: Fence, runs: Sequence[RunId]) -> Pruned:
        writer = self.database.writer
        async with writer.turn:
            why = fence.check(monotonic())
            if why is not None:
                raise Refusal(why.problems)
            try:
                rows = await writer.link.once(SQL["prune"], fence.shard, fence.token, list(runs))
            except (Lost, Again) as failure:
                # A new token waits for what the broken session still does: no append may come between.
                await writer.link.lasting(lambda: writer.refence([fence]))
                raise failures.unreachable(self.database.url, failure) from None
        owned, gone, facts = cast("tuple[int, int, int]", tuple(rows[0]))
        if not owned:
            fence.lose()
            raise failures.taken_over(fence.shard)
        return Pruned(gone, facts)

    async def _note_ends(self) -> None:
        """Note the end of every run that has ended since the last time."""
        while rows := await self._ask("unnoted", PAGE):
            await self._note((cast("int", number), standing) for number, standing in rows)
            if len(rows) < PAGE:
                return

    async def _note(self, rows: Iterable[tuple[int, object]]) -> None:
        ends = [(number, *_end(standing)) for number, standing in rows]
        await self._ask("note_ends", *(list(column) for column in zip(*ends, strict=True)))

    async def _checked(self, rows: Sequence[Row]) -> list[RunId]:
        """Return those runs whose end is the noted one; note it anew where a run went on and ended again."""
        found = cast("list[_Found]", [tuple(row) for row in rows])
        stale = [(number, standing) for number, _, at, standing in found if _end(standing)[0] != at]
        if stale:
            await self._note(stale)
        gone_on = {number for number, _ in stale}
        return [RunId(run) for number, run, _, _ in found if number not in gone_on]

    async def _named(self) -> set[str]:
        """Return the digests of the definitions that runs name, and wishes for runs."""
        named: set[str] = set()
        last = 0
        while rows := await self._ask("standings", last, PAGE):
            last = cast("int", rows[-1][0])
            named.update(records.standing(standing).definition for _, standing in rows)
        for (content,) in await self._ask("wished"):
            first = codec.decode_fact(cast("bytes", content))
            if isinstance(first, Created):
                named.add(first.definition)
        return named

    async def _ask(self, statement: str, *parameters: object) -> list[Row]:
        return await self.database.links[0].fetch(SQL[statement], *parameters)


@dataclass(frozen=True, slots=True, eq=False)
class BesideWork:
    """Fits `stores.retention.Archive`: what cannot be done just now is left for the next time."""

    archive: PostgresArchive

    async def prunable(self, policy: Retention, now: float, limit: int) -> list[RunId]:
        """Return what may go, nothing while the database cannot be asked."""
        try:
            return await self.archive.prunable(policy, now, limit)
        except Refusal as why:
            _let_pass(why)
            return []

    async def prune(self, runs: Sequence[RunId]) -> Pruned:
        """Remove runs, nothing of a shard that is lost meanwhile."""
        try:
            return await self.archive.prune(runs)
        except Refusal as why:
            _let_pass(why)
            return Pruned()


def _let_pass(why: Refusal) -> None:
    if why.problems[0].code not in PASSING:
        raise why


def _end(content: object) -> tuple[float, str | None]:
    """Return when a run ended, and its parent; one whose row is damaged never has, and stays."""
    try:
        where = records.standing(content)
    except Refusal:
        return math.inf, None
    return math.inf if where.ended_at is None else where.ended_at, where.parent
