"""Ended runs are removed, in the transaction of whatever else is written just then.

Law: only runs that have ended go, each whole: its facts, its row, and the large payloads that no other fact
names. The history of resources stays. Definitions go when they are asked to, while nobody starts runs.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Final
from urllib.parse import quote

from dirigent.model.ids import RunId
from dirigent.model.run import payload
from dirigent.model.run.retention import Pruned
from dirigent.stores.sqlite.failures import refusal
from dirigent.stores.sqlite.statements import SQL

# So many free pages are given back to the disk with one pruning, at most: others are moved for that.
PAGES: Final = 512
INCREMENTAL: Final = 2
# A sixteenth of the file may stay free: what is written next goes there.
SPARE: Final = 16
_DIGEST: Final = re.compile(rb"[0-9a-f]{64}")


def prune(connection: sqlite3.Connection, runs: Sequence[RunId], *, unused: bool = False) -> Pruned:
    """Remove those of the runs that have ended, and `unused` definitions; the caller commits."""
    run = connection.execute
    numbers = json.dumps([row[0] for row in run(SQL["numbers"], (json.dumps(runs),))])
    found = run(SQL["rows_of"], (numbers,)).fetchall()
    connection.executemany(SQL["prune_fact"], [(row[0],) for row in found])
    named = sorted({row[1] for row in found if row[1] is not None})
    run(SQL["prune_places"], (numbers,))
    removed = run(SQL["prune_runs"], (numbers,)).rowcount
    blobs = run(SQL["prune_blobs"], (json.dumps(named),)).rowcount if named else 0
    if unused:
        run(SQL["prune_definitions"])
    return Pruned(removed, len(found), blobs, more=_shrink(connection))


def named(path: str) -> frozenset[str]:
    """Return every digest that something stored may name as a large value; rather too many than too few.

    Reads on a connection of its own, and every fact there is; nobody waits for it.
    Raises `Refusal` (E5009 locked, E5010 disk failure).
    """
    found: set[bytes] = set()
    try:
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True)) as file:
            for (content,) in file.execute(SQL["naming"], (payload.NAME.encode(),)):
                found.update(_DIGEST.findall(content))
    except sqlite3.Error as error:
        raise refusal(error, path) from None
    return frozenset(each.decode() for each in found)


def _shrink(connection: sqlite3.Connection) -> bool:
    """Give some free pages back; return whether there are more to give."""
    free = int(connection.execute("pragma freelist_count").fetchone()[0])
    pages = int(connection.execute("pragma page_count").fetchone()[0])
    shrinks = int(connection.execute("pragma auto_vacuum").fetchone()[0]) == INCREMENTAL
    excess = free - pages // SPARE if shrinks else 0
    for _ in range(min(PAGES, excess)):
        # Each call gives one page back, whatever number it is given: its answer has a row without a column.
        connection.execute("pragma incremental_vacuum(1)")
    return excess > PAGES


def compact(path: str) -> None:
    """Write the whole file anew without a gap, and have it shrink from now on when something is removed.

    Needs as much free space as the file has, and nobody else who reads or writes meanwhile. Raises
    `Refusal` (E5009 locked, E5010 disk failure, E5011 disk full).
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, isolation_level=None)) as file:
            file.execute("pragma auto_vacuum = incremental")
            file.execute("vacuum")
            file.execute("pragma wal_checkpoint(truncate)").fetchall()
    except sqlite3.Error as error:
        raise refusal(error, path) from None
