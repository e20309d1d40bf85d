"""Shards of a store that several processes share: how they are leased, and how wishes reach their owners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Fact
from dirigent.model.run.start import Start
from dirigent.ports import Journal, Shelf


@dataclass(frozen=True, slots=True)
class Census:
    """How shards are shared out: engines that live (this one too), shards, and those that nobody owns.

    `soonest_seconds` is when the next lease of another engine ends, None when there is none.
    """

    engines: int
    shards: int
    free: int
    soonest_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What another process wants of the owner of a shard: a run begun, or a word put into one."""

    id: int
    shard: int
    run: RunId
    wanted: Start | Fact


class Tenure(Protocol):
    """A shard that this process owns for a while. Its journal and shelf are those of its runs alone."""

    @property
    def shard(self) -> int:
        """Return its number."""
        ...

    @property
    def journal(self) -> Journal:
        """Return the journals of its runs; every append checks that the shard is still ours."""
        ...

    @property
    def shelf(self) -> Shelf:
        """Return what can be asked beside them."""
        ...

    @property
    def deaths(self) -> Mapping[RunId, tuple[int, int]]:
        """Return its runs that ended engines when it was taken: at how many facts, and how often in a row."""
        ...

    def forgive(self, run: RunId) -> None:
        """Forget, soon and for every engine, that a run ended engines."""
        ...

    def lost(self) -> Refusal | None:
        """Return why nothing may be begun for it any more (`E5002`), None while it is ours."""
        ...

    def expect(self, wish: Wish) -> None:
        """Let the append that fulfils a wish answer it in the same commit."""
        ...

    async def answer(self, wish: Wish, answer: Refusal | RunId) -> None:
        """Answer a wish with why not, or with the run that stands for it, unless an append has done so."""
        ...


class Tenancy(Protocol):
    """How a process comes to own shards. Ends of leases are told by the clock of the store alone."""

    async def take(self, count: int) -> Sequence[Tenure]:
        """Lease up to `count` shards that nobody owns."""
        ...

    async def renew(self, held: Sequence[Tenure]) -> Census | None:
        """Renew leases, and say that we live; None when the store cannot be asked."""
        ...

    async def release(self, held: Sequence[Tenure], *, leaving: bool = False) -> None:
        """Give shards back at once; `leaving` says that we live no more."""
        ...

    async def wishes(self, held: Sequence[Tenure]) -> list[Wish]:
        """Return the wishes that wait for us, oldest first."""
        ...

    def hint(self, word: str) -> None:
        """Tell other processes soon that there is something to look for; they may miss it."""
        ...

    async def hinted(self, seconds: float) -> frozenset[str]:
        """Return where a hint says that there is something to do: `shards`, `inbox`; or nothing in time."""
        ...
