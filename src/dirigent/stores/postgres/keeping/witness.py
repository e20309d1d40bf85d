"""Which run an engine was turning when it died: a note in shared memory, and what the database knows.

To note a turn costs no system call. The note outlives the engine in the process that watches it, which tells
the database; so whoever has the run next, on whatever machine, knows of it.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping
from typing import Final

from dirigent.model.ids import RunId
from dirigent.model.record import dataclass
from dirigent.ports.fleet import Tenure
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres.session.link import Link
from dirigent.stores.postgres.session.statements import SQL

NOTE_BYTES: Final = 512
# Whoever takes the shard over does so after four seconds; a database that was away may come back later.
PATIENCE_SECONDS: Final = 60.0


class Note:
    """What is being turned in this process, in memory that another process may look into."""

    def __init__(self) -> None:
        """Make the memory. Raises `OSError` when the system gives none."""
        self.descriptor: Final = os.memfd_create("dirigent-turning")
        os.ftruncate(self.descriptor, NOTE_BYTES)
        self._map: Final = mmap.mmap(self.descriptor, NOTE_BYTES)

    def begin(self, run: RunId, place: int) -> None:
        """Note that a run is being turned that has so many facts. One whose id is too long is not noted."""
        note = f"{place} {run}\n".encode()
        if len(note) <= NOTE_BYTES:
            self._map[: len(note)] = note

    def end(self) -> None:
        """Note that nothing is being turned."""
        self._map[0] = 0

    def stands(self) -> tuple[RunId, int] | None:
        """Return what is noted just now: the run, and how many facts it had."""
        return noted(self._map[:NOTE_BYTES])

    def close(self) -> None:
        """Let the memory go."""
        self._map.close()
        os.close(self.descriptor)


def noted(content: bytes) -> tuple[RunId, int] | None:
    """Return what the bytes of a note say: the run that was being turned, and how many facts it had."""
    place, _, run = content.partition(b"\n")[0].partition(b" ")
    return (RunId(run.decode(errors="replace")), int(place)) if place.isdigit() and run else None


@dataclass(frozen=True, slots=True)
class ShardWitness:
    """Fits `engine.memory.Witness` for the engine of one shard."""

    note: Note
    tenure: Tenure

    def begin(self, run: RunId, place: int) -> None:
        """Note that a run is being turned."""
        self.note.begin(run, place)

    def end(self) -> None:
        """Note that nothing is being turned."""
        self.note.end()

    def deaths(self) -> Mapping[RunId, tuple[int, int]]:
        """Return each run of the shard that ended engines: at how many facts, how often in a row there."""
        return dict(self.tenure.deaths)

    def forgive(self, run: RunId) -> None:
        """Forget what a run did."""
        self.tenure.forgive(run)


async def tell_death(url: DatabaseUrl, engine: str, run: RunId, place: int) -> None:
    """Have the database know that a run ended an engine; the same engine counts once. Raises `Refusal`."""
    link = Link(url, PATIENCE_SECONDS, "witness")
    try:
        await link.fetch(SQL["note_death"], run, place, engine)
    finally:
        await link.close()
