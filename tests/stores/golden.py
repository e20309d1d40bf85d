"""Writes the golden journals of this version: `PYTHONPATH=src:tests python tests/stores/golden.py`.

Run it once for each `JOURNAL_VERSION`, never again: what a release wrote, all later ones must read.
"""

import asyncio
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from dirigent.model.fault import Fault
from dirigent.model.ids import digest_of
from dirigent.model.run.journal import (
    JOURNAL_VERSION,
    Created,
    Ended,
    Held,
    ResourceChanged,
    Succeeded,
    TimerSet,
)
from dirigent.stores import codec, transfer
from dirigent.stores.sqlite import SqliteStore
from stores.samples import AT, FACTS, FACTS_2, PAY, PLAN, PROGRAM, PROGRAM_2, row

FOLDER = Path(__file__).parents[1] / "journals" / f"v{JOURNAL_VERSION}"
LARGE = "large " * 6_000
EXPORTED = transfer.Transfer(
    "exported",
    PROGRAM,
    [replace(FACTS[0], definition=digest_of(codec.encode(PROGRAM))), *FACTS_2, *FACTS[1:]],
)


async def history(path):
    """Write a small store with one of everything in it."""
    store = SqliteStore.open_for_writing(path)
    digest = await store.keep(PROGRAM)
    await store.append("all", 0, [replace(FACTS[0], definition=digest), *FACTS[1:]])
    await store.append(
        "held", 0, [Created(AT, digest, LARGE), Held(AT, PAY, 1, "?"), TimerSet(AT, PAY, 1, "wait", AT)]
    )
    await store.append("held", 3, [ResourceChanged(AT, "db", row("db")), Succeeded(AT, "/do/2", 1, None)])
    code = await store.keep(PROGRAM_2)
    await store.append("code", 0, [Created(AT, code, {"order": 7}), *FACTS_2])
    await store.append("bad", 0, [Created(AT, digest, None), Ended(AT, "faulted", None, Fault("urn:t", 500))])
    await store.keep_plan(PLAN)
    await store.close()


def write():
    """Write every golden file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    facts = "".join(codec.encode_fact(fact).hex() + "\n" for fact in FACTS + FACTS_2)
    (FOLDER / "facts.hex").write_text(facts)
    for name, document in (("program", PROGRAM), ("program_2", PROGRAM_2), ("plan", PLAN), ("row", row())):
        (FOLDER / f"{name}.hex").write_text(codec.encode(document).hex() + "\n")
    (FOLDER / "run.json").write_text(transfer.written(EXPORTED, "golden") + "\n")
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "dirigent.db")
        asyncio.run(history(path))
        with closing(sqlite3.connect(path)) as store:
            pragmas = [
                f"pragma {name} = {store.execute(f'pragma {name}').fetchone()[0]};"
                for name in ("application_id", "user_version")
            ]
            (FOLDER / "store.sql").write_text("\n".join([*pragmas, *store.iterdump()]) + "\n")


if __name__ == "__main__":
    write()
