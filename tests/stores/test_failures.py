"""A disk that is full, breaks or is locked: no false acknowledgement, and a way on where there is one."""

import asyncio
import os
import resource
import sqlite3
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Created, Succeeded
from dirigent.stores.sqlite import SqliteStore, failures, opening
from stores.samples import AT, PAY, PROGRAM, code_of, in_loop


@pytest.fixture
def store(tmp_path):
    store = SqliteStore.open_for_writing(str(tmp_path / "dirigent.db"))
    yield store
    store.abandon()


async def begin(store, *runs):
    digest = await store.keep(PROGRAM)
    for run in runs:
        await store.append(run, 0, [Created(AT, digest, None)])


def fact(n, text=""):
    return Succeeded(AT, PAY, n, text)


async def filled(store):
    """Append until it is refused; return how many facts the run has."""
    length = 1
    while True:
        answer = await asyncio.gather(
            store.append("r", length, [fact(length, "x" * 20_000)]), return_exceptions=True
        )
        if answer != [None]:
            assert [problem.code for problem in answer[0].problems] == ["E5011"]
            return length
        length += 1


def limit_pages(store, pages):
    store._writer._connection.execute(f"pragma max_page_count = {pages}")


@in_loop
async def test_a_full_disk_refuses_stays_readable_and_works_again_when_there_is_room(store):
    await begin(store, "r")
    limit_pages(store, 1)
    length = await filled(store)
    assert len(await store.read("r")) == length
    with pytest.raises(Refusal) as caught:
        await store.append("r", length, [fact(1, "x" * 20_000)])
    assert code_of(caught) == "E5011"
    limit_pages(store, 1_000_000)
    await store.append("r", length, [fact(length)])
    assert len(await store.read("r")) == length + 1


@in_loop
async def test_everyone_in_a_batch_that_fails_is_answered(store):
    runs = [f"r{n}" for n in range(50)]
    await begin(store, *runs)
    limit_pages(store, 1)
    batch = [store.append(run, 1, [fact(1, "x" * 20_000)]) for run in runs]
    answers = await asyncio.wait_for(asyncio.gather(*batch, return_exceptions=True), 60)
    assert {answer.problems[0].code for answer in answers} == {"E5011"}
    limit_pages(store, 1_000_000)
    for run in runs:
        assert len(await store.read(run)) == 1
        await store.append(run, 1, [fact(1)])


@contextmanager
def broken_disk(size):
    """Let no file of this process grow beyond `size`: SQLite sees an input/output error."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("appends", [1, 30])
@in_loop
async def test_after_an_error_of_the_disk_nothing_more_is_acknowledged(tmp_path, appends):
    path = str(tmp_path / "dirigent.db")
    store = SqliteStore.open_for_writing(path)
    runs = [f"r{n}" for n in range(appends)]
    await begin(store, *runs)
    with broken_disk(100_000):
        batch = [store.append(run, 1, [fact(1, "x" * 200_000)]) for run in runs]
        answers = await asyncio.wait_for(asyncio.gather(*batch, return_exceptions=True), 60)
    assert {answer.problems[0].code for answer in answers} == {"E5010"}
    # The disk is well again, but nobody knows what the failed write left: only a new start may tell.
    with pytest.raises(Refusal) as caught:
        await store.append("r0", 1, [fact(1)])
    assert code_of(caught) == "E5010"
    assert len(await store.read("r0")) == 1
    await store.close()
    with closing(sqlite3.connect(path)) as plain:
        assert plain.execute("select clean from fence").fetchone() == (0,)
    again = SqliteStore.open_for_writing(path)
    await again.append("r0", 1, [fact(1)])
    assert [len(await again.read(run)) for run in runs] == [2] + [1] * (appends - 1)
    await again.close()


@in_loop
async def test_a_file_that_another_program_locks_is_refused_for_now(store, monkeypatch):
    await begin(store, "r")
    store._writer._connection.execute("pragma busy_timeout = 1")
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(Refusal) as caught:
        await store.append("r", 1, [fact(1)])
    assert code_of(caught) == "E5009"
    monkeypatch.setattr(opening, "BUSY_SECONDS", 0.001)
    with pytest.raises(Refusal) as caught:
        SqliteStore.open_for_writing(store.path)
    assert code_of(caught) == "E5009"
    other.execute("rollback")
    other.close()
    await store.append("r", 1, [fact(1)])


@pytest.mark.parametrize("appends", [1, 5])
@in_loop
async def test_a_defect_of_the_writer_answers_everyone_and_acknowledges_nobody(store, monkeypatch, appends):
    runs = [f"r{n}" for n in range(appends)]
    await begin(store, *runs)
    seen = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context["exception"]))

    def defect(batch):
        raise ZeroDivisionError

    monkeypatch.setattr(store._writer, "_execute", defect)
    batch = [store.append(run, 1, [fact(1)]) for run in runs]
    answers = await asyncio.wait_for(asyncio.gather(*batch, return_exceptions=True), 60)
    assert {answer.problems[0].code for answer in answers} == {"E5010"}
    assert [type(each) for each in seen] == [ZeroDivisionError]
    monkeypatch.undo()
    # The transaction of the defect is still open; what comes after it must not be taken for it.
    with pytest.raises(Refusal) as caught:
        await store.append("r0", 1, [fact(1)])
    assert code_of(caught) == "E5010"


@in_loop
async def test_closing_answers_what_is_under_way_first(store):
    runs = [f"r{n}" for n in range(20)]
    await begin(store, *runs)
    batch = [asyncio.ensure_future(store.append(run, 1, [fact(1)])) for run in runs]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*batch) == [None] * 20
    again = SqliteStore.open_for_reading(store.path)
    assert {len(await again.read(run)) for run in runs} == {2}
    await again.close()


class Disk:
    f_bavail = 0


@pytest.mark.parametrize(("room", "code"), [(0, "E5011"), (7, "E5010")])
def test_an_error_of_input_or_output_on_a_disk_without_room_is_called_a_full_disk(
    tmp_path, monkeypatch, room, code
):
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR | (19 << 8)
    disk = Disk()
    disk.f_bavail = room
    monkeypatch.setattr(os, "statvfs", lambda path: disk)
    (problem,) = failures.refusal(error, str(tmp_path / "dirigent.db")).problems
    assert problem.code == code


@pytest.mark.parametrize("part", ["", "-wal"])
def test_a_file_that_the_disk_does_not_give_is_not_called_damaged(tmp_path, monkeypatch, part):
    path = tmp_path / "dirigent.db"
    path.write_bytes(b"x")
    Path(f"{path}-wal").write_bytes(b"y")
    error = sqlite3.DatabaseError("database disk image is malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    (problem,) = failures.refusal(error, str(path)).problems
    assert problem.code == "E5008"
    sound = Path.open

    def failing(self, *args, **kwargs):
        if str(self) == f"{path}{part}":
            raise OSError(5, "Input/output error")
        return sound(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", failing)
    (problem,) = failures.refusal(error, str(path)).problems
    assert problem.code == "E5021"
    assert "Input/output error" in problem.message
    assert problem.help


def test_a_store_that_gets_no_thread_says_so_when_it_is_opened(tmp_path, monkeypatch):
    def none_left(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", none_left)
    with pytest.raises(Refusal) as caught:
        SqliteStore.open_for_writing(str(tmp_path / "dirigent.db"))
    assert code_of(caught) == "E5022"


@in_loop
async def test_a_batch_that_finds_no_memory_is_refused_and_nothing_follows_it(store, monkeypatch):
    await begin(store, "r", "s")
    monkeypatch.setattr(store._writer, "_execute", no_memory_left)
    answers = await asyncio.gather(
        *(store.append(run, 1, [fact(1)]) for run in ("r", "s")), return_exceptions=True
    )
    assert [answer.problems[0].code for answer in answers] == ["E5023", "E5023"]
    monkeypatch.undo()
    with pytest.raises(Refusal) as caught:
        await store.append("r", 1, [fact(1)])
    assert code_of(caught) == "E5023"
    assert len(await store.read("r")) == 1


def no_memory_left(batch):
    raise MemoryError
