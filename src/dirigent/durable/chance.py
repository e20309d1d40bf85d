"""Time, chance and identity for workflows: the same on every replay."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import blake2b
from uuid import UUID

from dirigent.durable.asking import moving
from dirigent.durable.context import PERFORMANCE


def now() -> datetime:
    """Return when what was awaited last came about, in UTC. Time passes in a workflow only at an `await`."""
    return datetime.fromtimestamp(moving("`now()`").site.now, tz=UTC)


def random() -> float:
    """Return a number in [0, 1) that looks random."""
    return int.from_bytes(_drawn("`random()`")[:7]) / 2**56


def uuid() -> UUID:
    """Return an identifier that nobody else has."""
    return UUID(bytes=_drawn("`uuid()`"), version=4)


def _drawn(what: str) -> bytes:
    site = moving(what).site
    site.drawn += 1
    return blake2b(f"{site.run}\n{site.drawn}".encode(), digest_size=16).digest()


def patched(name: str) -> bool:
    """Return whether this run goes the new way at a change of the workflow's text.

    True for a run that comes here first with the new text (which is recorded), False for one that went
    past it with the old.
    """
    return moving(f"`patched({name!r})`").site.patched(name)


def run_id() -> str:
    """Return the id of the run, in a workflow or in one of its steps."""
    performance = PERFORMANCE.get()
    return performance.run if performance is not None else moving("`run_id()`").site.run
