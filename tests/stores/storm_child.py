"""Appends until it is killed; tells its parent of each append that was acknowledged, and of nothing else.

Each append holds two facts, so a torn one can be seen. Usage: storm_child.py FILE LIFE
"""

import asyncio
import os
import sys

from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import Created, ResourceChanged, Succeeded
from dirigent.stores.sqlite import SqliteStore
from stores.samples import AT, PAY, PROGRAM


async def live(store, digest, run):
    await store.append(run, 0, [Created(AT, digest, None)])
    os.write(1, f"{run} 1\n".encode())
    for length in range(1, 10_000, 2):
        row = ResourceRow(run, run, "service", {"n": length}, {})
        large = "x" * 40_000 if length % 31 == 0 else ""
        facts = [Succeeded(AT, PAY, length, large), ResourceChanged(AT, run, row)]
        await store.append(run, length, facts)
        os.write(1, f"{run} {length + 2}\n".encode())


async def main(path, life):
    store = SqliteStore.open_for_writing(path)
    digest = await store.keep(PROGRAM)
    await asyncio.gather(*(live(store, digest, f"life{life}-{n}") for n in range(1 + int(life) % 12)))


asyncio.run(main(*sys.argv[1:]))
