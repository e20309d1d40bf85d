"""The shards of a process, as the fleet sees them: fits `ports.fleet.Tenancy` and `ports.fleet.Tenure`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import field
from time import monotonic
from typing import Self, cast

from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.ports import Journal, Shelf
from dirigent.ports.fleet import Census, Tenure, Wish
from dirigent.stores.postgres.database import Database
from dirigent.stores.postgres.inbox import Inbox
from dirigent.stores.postgres.keeping.archive import PostgresArchive
from dirigent.stores.postgres.session.failures import Again, Lost
from dirigent.stores.postgres.session.hints import Ear
from dirigent.stores.postgres.session.statements import SQL
from dirigent.stores.postgres.store import PostgresStore
from dirigent.stores.postgres.writer.fence import Fence


@dataclass(frozen=True, slots=True, eq=False)
class LeasedShard:
    """A shard behind its fence."""

    fence: Fence
    store: PostgresStore
    inbox: Inbox
    deaths: dict[RunId, tuple[int, int]] = field(default_factory=dict)
    _telling: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def shard(self) -> int:
        """Return its number."""
        return self.fence.shard

    @property
    def journal(self) -> Journal:
        """Return the journals of its runs."""
        return self.store

    @property
    def shelf(self) -> Shelf:
        """Return what can be asked beside them."""
        return self.store

    def forgive(self, run: RunId) -> None:
        """Forget, soon and for every engine, that a run ended engines."""
        if self.deaths.pop(run, None) is not None:
            telling = asyncio.ensure_future(self._forgive(run))
            self._telling.add(telling)
            telling.add_done_callback(self._telling.discard)

    async def _forgive(self, run: RunId) -> None:
        # Where this is lost, the run is left alone once more, and forgiven once more.
        with suppress(Lost, Again, Refusal):
            await self.store.database.links[2].once(SQL["forgive"], run)

    def lost(self) -> Refusal | None:
        """Return why nothing may be begun for it any more, None while it is ours."""
        return self.fence.check(monotonic())

    def expect(self, wish: Wish) -> None:
        """Let the append that fulfils a wish answer it."""
        self.fence.expected.setdefault(wish.run, []).append(wish)

    async def answer(self, wish: Wish, answer: Refusal | RunId) -> None:
        """Answer a wish, unless an append has done so, and expect it no more."""
        self._forget(wish)
        if wish.id in self.fence.granted:
            self.fence.granted.discard(wish.id)
            return
        # When the database is away it still lies in the inbox, and the next sweep finds it.
        with suppress(Lost, Again):
            await self.inbox.answer(wish.id, answer)

    def _forget(self, wish: Wish) -> None:
        others = [each for each in self.fence.expected.get(wish.run, ()) if each.id != wish.id]
        if others:
            self.fence.expected[wish.run] = others
        else:
            self.fence.expected.pop(wish.run, None)


@dataclass(frozen=True, slots=True, eq=False)
class PostgresTenancy:
    """How a process comes to own shards of a database."""

    database: Database
    ear: Ear
    _taken: list[Fence] = field(default_factory=list)

    @property
    def archive(self) -> PostgresArchive:
        """Return what removes runs of the shards that are held just then."""
        return PostgresArchive(self.database, lambda: self._taken)

    @classmethod
    def of(cls, database: Database) -> Self:
        """Return the tenancy of this process."""
        return cls(database, database.hints.ear("shards", "inbox", "events"))

    async def take(self, count: int) -> Sequence[Tenure]:
        """Lease up to `count` shards that nobody owns; none while the database is away."""
        try:
            fences = await self.database.leases.take(count)
        except (Lost, Again):
            return []
        deaths = await self._deaths(fences)
        self._taken[:] = [fence for fence in self._taken if fence.lost is None] + fences
        inbox = Inbox(self.database, self.ear)
        return [
            LeasedShard(fence, PostgresStore(self.database, fence), inbox, deaths[fence.shard])
            for fence in fences
        ]

    async def _deaths(self, fences: Sequence[Fence]) -> dict[int, dict[RunId, tuple[int, int]]]:
        """Return which runs of some shards ended engines, as far as the database says so."""
        found: dict[int, dict[RunId, tuple[int, int]]] = {fence.shard: {} for fence in fences}
        with suppress(Lost, Again):
            for shard, run, *death in await self.database.links[2].once(SQL["deaths"], list(found)):
                place, count = cast("tuple[int, int]", tuple(death))
                found[cast("int", shard)][RunId(cast("str", run))] = (place, count)
        return found

    async def renew(self, held: Sequence[Tenure]) -> Census | None:
        """Renew leases, and say that we live; None while the database is away."""
        try:
            return await self.database.leases.renew([_fence(each) for each in held])
        except (Lost, Again):
            return None

    async def release(self, held: Sequence[Tenure], *, leaving: bool = False) -> None:
        """Give shards back at once; while the database is away, their leases just end."""
        with suppress(Lost, Again):
            await self.database.leases.release([_fence(each) for each in held], leaving=leaving)

    async def wishes(self, held: Sequence[Tenure]) -> list[Wish]:
        """Return the wishes that wait for us; none while the database is away."""
        try:
            return await Inbox(self.database, self.ear).waiting([each.shard for each in held])
        except (Lost, Again):
            return []

    def hint(self, word: str) -> None:
        """Tell other processes soon that there is something to look for."""
        self.database.hints.say(word)

    async def hinted(self, seconds: float) -> frozenset[str]:
        """Return what another process gave a hint of, or nothing after so long."""
        return await self.ear.wait(seconds)


def _fence(tenure: Tenure) -> Fence:
    return cast("LeasedShard", tenure).fence
