"""A store gives back what it no longer needs: to the disk, and on a full one."""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dirigent.model import limits
from dirigent.model.run.journal import Created, Ended, Succeeded
from dirigent.model.run.retention import Retention
from dirigent.stores import files
from dirigent.stores.retention import kept, prune
from dirigent.stores.sqlite import SqliteStore
from dirigent.stores.sqlite.pruning import compact
from dirigent.testing import MemoryStore, VirtualClock
from stores.samples import AT, PAY, PROGRAM, in_loop

LARGE = "x" * (2 * limits.PAYLOAD_INLINE_BYTES)


async def fill(store, runs, first=0):
    digest = await store.keep(PROGRAM)

    async def one(number):
        facts = [Succeeded(AT, PAY, n, f"{number}-{n}" + "y" * 200) for n in range(20)]
        large = Succeeded(AT, PAY, 99, f"{number}{LARGE}")
        await store.append(
            f"r{number}", 0, [Created(AT, digest, None), *facts, large, Ended(AT + number, "completed")]
        )

    await asyncio.gather(*(one(number) for number in range(first, first + runs)))


def size_of(path):
    return Path(path).stat().st_size


@pytest.mark.slow
@in_loop
async def test_after_retention_a_store_is_as_large_as_what_it_keeps(tmp_path):
    path, small = str(tmp_path / "a" / "store.db"), str(tmp_path / "b" / "store.db")
    store, fresh = SqliteStore.open_for_writing(path), SqliteStore.open_for_writing(small)
    await fill(fresh, 40)
    await fill(store, 400)
    await prune(store, Retention(runs=40), AT)
    for _ in range(40):
        await store.prune([])
    await fresh.close()
    await store.close()
    assert size_of(path) <= 1.1 * size_of(small)


@pytest.mark.slow
@in_loop
async def test_a_file_of_an_older_release_shrinks_when_it_is_written_anew(tmp_path):
    path = str(tmp_path / "store.db")
    with closing(sqlite3.connect(path)) as plain:
        plain.execute("pragma auto_vacuum = none")
        plain.execute("create table it_is_too_late (n)")
        plain.execute("drop table it_is_too_late")
    store = SqliteStore.open_for_writing(path)
    await fill(store, 200)
    before = size_of(path)
    await prune(store, Retention(runs=0), AT)
    await store.close()
    compact(path)
    assert size_of(path) < before / 10
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("pragma auto_vacuum").fetchone() == (2,)
    store = SqliteStore.open_for_writing(path)
    await fill(store, 3)
    assert len(await store.runs()) == 3
    await store.close()


@in_loop
async def test_pruning_goes_on_beside_the_work_until_the_block_ends():
    store, clock = MemoryStore(), VirtualClock(AT)
    await fill(store, 120)
    async with kept(store, Retention(runs=10), clock):
        await clock.sleep_until(AT + 5)
        assert len(await store.runs(limit=999)) == 10
        await fill(store, 20, first=500)
        await clock.sleep_until(AT + 200)
        assert {run.id for run in await store.runs(limit=999)} == {f"r{number}" for number in range(510, 520)}
    await fill(store, 5, first=900)
    await clock.sleep_until(AT + 999)
    assert len(await store.runs(limit=999)) == 15


@in_loop
async def test_without_a_policy_nothing_is_ever_removed():
    store, clock = MemoryStore(), VirtualClock(AT)
    await fill(store, 5)
    async with kept(store, Retention(), clock):
        await clock.sleep_until(AT + 1e9)
    assert len(await store.runs()) == 5


def test_a_ballast_is_laid_once_and_given_up_once(tmp_path):
    path = str(tmp_path / "ballast")
    assert files.lay_ballast(path, 4096)
    assert files.lay_ballast(path, 4096)
    assert size_of(path) == 4096
    assert Path(path).stat().st_mode & 0o777 == 0o600
    assert files.release_ballast(path)
    assert not files.release_ballast(path)


def test_no_ballast_is_laid_where_space_is_short(tmp_path):
    free = os.statvfs(tmp_path)
    assert not files.lay_ballast(str(tmp_path / "ballast"), free.f_bavail * free.f_frsize)
    assert list(tmp_path.iterdir()) == []
    assert not files.lay_ballast(str(tmp_path / "nowhere" / "ballast"))
