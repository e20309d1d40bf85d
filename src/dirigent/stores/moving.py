"""A whole store as a stream, and from one stream into another: copied, read again, compared.

Law: nothing of a copy is there before all of it was verified; a copy that broke off is simply begun anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import field
from hashlib import blake2b
from typing import Final, Protocol, TypeAlias

import msgspec

from dirigent.model.problem import refuse
from dirigent.model.record import dataclass
from dirigent.stores.projection import Standing

Field: TypeAlias = str | float | bytes | None
Record: TypeAlias = tuple[Field, ...]

# The kinds of records beside runs, in the order in which they are written.
KINDS: Final = ("definitions", "plans", "rows", "history", "events", "listeners", "sinks")
PAGE: Final = 200

_pack: Final = msgspec.msgpack.Encoder().encode


@dataclass(frozen=True, slots=True)
class MovedRun:
    """A run: how it stands, and the bytes of each of its facts."""

    standing: Standing
    facts: Sequence[bytes]


class Source(Protocol):
    """A store that can be read whole, always in the same order."""

    def records(self, kind: str) -> AsyncIterator[Sequence[Record]]:
        """Yield the records of a kind, some at a time."""
        ...

    def runs(self) -> AsyncIterator[Sequence[MovedRun]]:
        """Yield the runs, oldest first, some at a time."""
        ...


class Target(Source, Protocol):
    """An empty store that can be filled. What was put in can be read; it is there for others after `keep`."""

    async def put(self, kind: str, records: Sequence[Record]) -> None:
        """Add records of a kind."""
        ...

    async def put_runs(self, runs: Sequence[MovedRun]) -> None:
        """Add runs."""
        ...

    async def keep(self) -> None:
        """Make all of it durable and visible."""
        ...


@dataclass(slots=True)
class Sum:
    """How many records of each kind there are, and a digest of all their bytes."""

    counts: dict[str, int] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)

    def close(self, kind: str, count: int, digest: str) -> None:
        """Note a kind that was read to its end."""
        self.counts[kind] = count
        self.digests[kind] = digest


async def copied(source: Source, target: Target) -> Sum:
    """Copy, verify and keep; return what was copied. Raises `Refusal` (E5053) when the copy differs."""
    told = await summed(source, target)
    found = await summed(target)
    for kind, digest in told.digests.items():
        if found.digests[kind] != digest:
            raise refuse(
                "E5053",
                f"the copy differs from the store in its {kind}: `{told.counts[kind]}` were read,"
                f" `{found.counts[kind]}` are there, and their digests are not the same",
                "nothing was kept: check the disks of both, and copy again",
            )
    await target.keep()
    return told


async def summed(source: Source, target: Target | None = None) -> Sum:
    """Read a store to its end, into another one if there is one."""
    told = Sum()
    for kind in KINDS:
        digest, count = blake2b(digest_size=20), 0
        async for records in source.records(kind):
            for record in records:
                digest.update(_pack(record))
            count += len(records)
            if target is not None and records:
                await target.put(kind, records)
        told.close(kind, count, digest.hexdigest())
    await _summed_runs(source, target, told)
    return told


async def _summed_runs(source: Source, target: Target | None, told: Sum) -> None:
    runs, facts = blake2b(digest_size=20), blake2b(digest_size=20)
    counts = [0, 0]
    async for some in source.runs():
        for run in some:
            runs.update(_pack(run.standing))
            for fact in run.facts:
                facts.update(len(fact).to_bytes(8, "big"))
                facts.update(fact)
            counts[0] += 1
            counts[1] += len(run.facts)
        if target is not None and some:
            await target.put_runs(some)
    told.close("runs", counts[0], runs.hexdigest())
    told.close("facts", counts[1], facts.hexdigest())
