"""One life of a forked engine: the real command line on the real composition, with a fuse in it."""

import os
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from dirigent.app import conducting as app
from dirigent.app.planning import parts_of
from dirigent.cli import main as cli
from dirigent.stores.lock import EngineLock
from dirigent.stores.sqlite import SqliteStore
from system.rig.fuse import FusedPerformer, FusedStore, fuse_the_disk
from system.rig.plants import PLANTS


def live(argv, fuse, plant):
    """Run a command of Dirigent in this process, and return its exit code."""
    fuse_the_disk(fuse)
    app.conducting = conductor(fuse, PLANTS[plant](fuse) if plant else None)
    sys.argv = ["dirigent", *argv]
    code = cli._run()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def conductor(fuse, plant):
    """Return what stands in for `app.conducting`: the same parts, with places between them."""

    @asynccontextmanager
    async def conducting(around, *, drive=True):
        async with AsyncExitStack() as stack:
            lock = EngineLock.try_take(around.settings.lock)
            if lock is None:
                raise AssertionError("somebody holds the lock")
            stack.enter_context(lock)
            fuse.reach("locked")
            store = SqliteStore.open_for_writing(around.settings.store)
            stack.push_async_callback(store.close)
            fuse.reach("store opened")
            fused = FusedStore(store, fuse)
            parts = await parts_of(stack, around, plant.store(fused) if plant else fused)
            performers = {
                name: FusedPerformer(each, fuse) for name, each in app.performers_of(around, parts).items()
            }
            if plant:
                performers = {name: plant.performer(each) for name, each in performers.items()}
            desk = await app.engaged(stack, around, parts, performers, drive=drive)
            fuse.reach("engaged")
            yield replace(desk)

    return conducting


def go(argv, report, death, plant, make):
    """Live in a forked child: output to files, places to a record; never returns."""
    descriptor = os.open(f"{report}.places", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(f"{report}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os._exit(live(argv, make(descriptor, death), plant))
