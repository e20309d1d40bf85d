"""The write-ahead log of a busy writer: at its full length from early on, and never in the way."""

import shutil
from types import SimpleNamespace

import pytest

from dirigent.model.run.journal import Created, Succeeded
from dirigent.stores import files
from dirigent.stores.sqlite import SqliteStore, writing
from stores.samples import AT, PAY, PROGRAM, in_loop


@pytest.fixture
def path(tmp_path):
    return tmp_path / "dirigent.db"


def log_of(path):
    return path.with_name(f"{path.name}-wal")


async def written(path, facts):
    """An open store with one run of so many facts, each committed on its own."""
    store = SqliteStore.open_for_writing(str(path))
    digest = await store.keep(PROGRAM)
    await store.append("r", 0, [Created(AT, digest, None)])
    for n in range(1, facts):
        await store.append("r", n, [Succeeded(AT, PAY, n, n)])
    return store


@in_loop
async def test_a_busy_writer_gets_its_whole_log_at_once_and_an_idle_one_does_not(path):
    store = await written(path, writing.BUSY_COMMITS - 10)
    assert log_of(path).stat().st_size < writing.LOG_BYTES / 2
    for n in range(writing.BUSY_COMMITS - 10, writing.BUSY_COMMITS + 10):
        await store.append("r", n, [Succeeded(AT, PAY, n, n)])
    assert log_of(path).stat().st_size == writing.LOG_BYTES
    await store.close()
    assert not log_of(path).exists()


@pytest.mark.slow
@in_loop
async def test_what_a_crash_leaves_of_a_stretched_log_is_read_to_the_last_fact(path, tmp_path):
    store = await written(path, 200)
    copy = tmp_path / "after" / path.name
    copy.parent.mkdir()
    for each in (path, log_of(path)):
        shutil.copy(each, copy.with_name(each.name))
    store.abandon()
    again = SqliteStore.open_for_writing(str(copy))
    assert len(await again.read("r")) == 200
    await again.append("r", 200, [Succeeded(AT, PAY, 200, 200)])
    await again.close()


@pytest.mark.slow
@in_loop
async def test_the_log_goes_round_within_its_length(path):
    store = await written(path, 2 * writing.WAL_PAGES)
    assert log_of(path).stat().st_size == writing.LOG_BYTES
    assert len(await store.read("r")) == 2 * writing.WAL_PAGES
    await store.close()


def test_a_disk_with_little_room_keeps_it(path, monkeypatch):
    path.write_bytes(b"x")
    room = SimpleNamespace(f_bavail=63, f_frsize=1000)
    monkeypatch.setattr(files.os, "fstatvfs", lambda descriptor: room)
    assert not files.stretch(str(path), 1000)
    assert path.read_bytes() == b"x"
    room.f_bavail = 64
    assert files.stretch(str(path), 1000)
    assert path.read_bytes() == b"x" + bytes(999)


@pytest.mark.slow
@in_loop
async def test_a_log_that_cannot_be_stretched_keeps_nobody_from_writing(path, monkeypatch):
    def refused(path, size):
        raise PermissionError(path)

    monkeypatch.setattr(files, "stretch", refused)
    store = await written(path, writing.BUSY_COMMITS + 10)
    assert len(await store.read("r")) == writing.BUSY_COMMITS + 10
    await store.close()
