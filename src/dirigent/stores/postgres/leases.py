"""Shards that this process owns for a while: taken, renewed, given back.

Rule 1: when a lease ends is told by the clock of the database alone, in the statement that asks.
Rule 2: each change of owner raises the token; so does its owner after a broken connection.
Rule 3: a fence is good for 60 % of the lease, counted from before the renewal was sent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from time import monotonic
from typing import Final, cast

from dirigent.model.record import dataclass
from dirigent.ports.fleet import Census
from dirigent.stores.postgres.session.link import Link
from dirigent.stores.postgres.session.statements import RELEASE, SQL
from dirigent.stores.postgres.writer.fence import Fence

LEASE_SECONDS: Final = 4.0
# So much of a lease may pass without a renewal before its owner stops acting.
TRUST: Final = 0.6


@dataclass(slots=True, eq=False)
class Leases:
    """The leases of one process. `owner` names it for ever, `title` is for people."""

    link: Link
    owner: str
    title: str = ""
    lease_seconds: float = LEASE_SECONDS

    async def take(self, count: int) -> list[Fence]:
        """Lease up to `count` shards whose lease has ended."""
        began = monotonic()
        rows = await self.link.once(SQL["lease"], self.owner, count, self.lease_seconds)
        return [
            Fence(cast("int", shard), cast("int", token), began + self.trusted)
            for shard, token in sorted(rows, key=lambda row: cast("int", row[0]))
        ]

    async def seize(self, shards: Sequence[int]) -> list[Fence]:
        """Take shards from whoever has them, for good: nobody renews, and nobody may share the database."""
        rows = await self.link.fetch(SQL["seize"], self.owner, list(shards), 10 * 365 * 86_400.0)
        return [Fence(cast("int", shard), cast("int", token), math.inf) for shard, token in rows]

    async def renew(self, fences: Sequence[Fence]) -> Census:
        """Renew leases and say that we live; a fence that is not ours any more is lost.

        Raises `Lost`, `Again` or `Refusal` when nobody knows: then the fences run out by themselves.
        """
        began = monotonic()
        standing = [fence for fence in fences if fence.check(began) is None]
        rows = await self.link.once(
            SQL["renew"],
            *(self.owner, *_tokens(standing), self.lease_seconds, self.title, RELEASE),
            seconds=self.trusted,
        )
        kept, engines, shards, free, soonest = rows[0]
        still = set(cast("list[int]", kept))
        for fence in standing:
            if fence.shard not in still:
                fence.lose()
            elif fence.check(monotonic()) is None:
                fence.until = max(fence.until, began + self.trusted)
        return Census(
            cast("int", engines), cast("int", shards), cast("int", free), cast("float | None", soonest)
        )

    async def raise_tokens(self, fences: Sequence[Fence]) -> None:
        """Take shards again that are ours, under a new token; waits for what the old session still does.

        A fence that is not ours any more is lost.
        """
        began = monotonic()
        rows = await self.link.once(SQL["raise_tokens"], self.owner, *_tokens(fences), self.lease_seconds)
        raised = {cast("int", shard): cast("int", token) for shard, token in rows}
        for fence in fences:
            if fence.shard not in raised:
                fence.lose()
            elif fence.check(monotonic()) is None:
                fence.token = raised[fence.shard]
                fence.until = max(fence.until, began + self.trusted)

    async def release(self, fences: Sequence[Fence], *, leaving: bool) -> None:
        """Give shards back at once, and tell others; `leaving` says that we live no more.

        What is lost already is left alone.
        """
        standing = [fence for fence in fences if fence.lost is None]
        for fence in standing:
            fence.lose()
        await self.link.once(SQL["release"], self.owner, *_tokens(standing), leaving)

    @property
    def trusted(self) -> float:
        """Return for how many seconds a renewal is good."""
        return TRUST * self.lease_seconds


def _tokens(fences: Sequence[Fence]) -> tuple[list[int], list[int]]:
    return [fence.shard for fence in fences], [fence.token for fence in fences]
