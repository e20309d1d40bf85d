"""Who commits, where, and how often."""

import asyncio
import threading
from itertools import count
from types import SimpleNamespace

import pytest

from dirigent.model.run.journal import Created, Succeeded
from dirigent.stores.sqlite import SqliteStore, commit
from dirigent.stores.sqlite.commit import GroupCommit
from stores.samples import AT, PAY, PROGRAM, in_loop


class Ledger:
    """A writer that notes each batch and the thread that brought it; `gate` holds it back."""

    def __init__(self):
        self.batches = []
        self.gate = threading.Event()
        self.gate.set()

    def commit(self, jobs):
        self.gate.wait(5)
        self.batches.append((len(jobs), threading.current_thread() is threading.main_thread()))
        return [None] * len(jobs)


@pytest.fixture
def ledger():
    return Ledger()


async def on_a_slow_disk(ledger, monkeypatch):
    """A queue whose first commit has shown that the disk is slow."""
    group = GroupCommit("x", ledger.commit)
    with monkeypatch.context() as disk:
        disk.setattr(commit, "ALONE_SECONDS", -1.0)
        await group.submit(object())
    assert ledger.batches.pop() == (1, True)
    return group


def a_disk_that_waits(seconds, monkeypatch):
    """A clock by which each commit waits as long as the next of these says, and works not at all."""
    at = 0.0
    waits = iter(seconds)
    looks = count()

    def now():
        nonlocal at
        at += next(waits) if next(looks) % 2 else 0.0
        return at

    monkeypatch.setattr(commit, "time", SimpleNamespace(perf_counter=now, thread_time=lambda: 0.0))


@in_loop
async def test_jobs_are_committed_on_the_thread_of_the_loop(ledger, monkeypatch):
    a_disk_that_waits([0.0] * 4, monkeypatch)
    group = GroupCommit("x", ledger.commit)
    for _ in range(3):
        await group.submit(object())
    await asyncio.gather(*(group.submit(object()) for _ in range(100)))
    await group.close()
    assert ledger.batches == [(1, True)] * 3 + [(100, True)]


@in_loop
async def test_on_a_slow_disk_the_loop_stays_free_until_it_is_time_to_look_again(ledger, monkeypatch):
    monkeypatch.setattr(commit, "PATIENCE", 3)
    group = await on_a_slow_disk(ledger, monkeypatch)
    a_disk_that_waits([0.0] * 2, monkeypatch)
    for _ in range(5):
        await group.submit(object())
    await group.close()
    assert ledger.batches == [(1, False)] * 3 + [(1, True)] * 2


@in_loop
async def test_a_commit_that_works_hard_and_waits_little_does_not_make_the_disk_slow(ledger, monkeypatch):
    seconds = count()
    both = SimpleNamespace(perf_counter=lambda: next(seconds) // 2, thread_time=lambda: next(seconds) // 2)
    monkeypatch.setattr(commit, "time", both)
    group = GroupCommit("x", ledger.commit)
    for _ in range(3):
        await group.submit(object())
    await group.close()
    # Each commit takes a second by this clock, and the thread works all the while.
    assert ledger.batches == [(1, True)] * 3


@in_loop
async def test_a_flush_that_takes_its_time_among_fast_ones_drives_nobody_away(ledger, monkeypatch):
    a_disk_that_waits([0.0002, 0.0002, 0.02, 0.0002, 0.0002], monkeypatch)
    group = GroupCommit("x", ledger.commit)
    for _ in range(5):
        await group.submit(object())
    await group.close()
    assert ledger.batches == [(1, True)] * 5


@pytest.mark.parametrize(("size", "stays"), [(1, True), (2, False)])
@in_loop
async def test_who_appends_alone_bears_a_slower_disk_than_many_do(size, stays, ledger, monkeypatch):
    a_disk_that_waits([0.003] * 20, monkeypatch)
    group = GroupCommit("x", ledger.commit)
    for _ in range(20):
        await asyncio.gather(*(group.submit(object()) for _ in range(size)))
    await group.close()
    assert all(here for _, here in ledger.batches) is stays


@in_loop
async def test_nobody_who_appends_alone_bears_every_disk(ledger, monkeypatch):
    a_disk_that_waits([0.02] * 20, monkeypatch)
    group = GroupCommit("x", ledger.commit)
    for _ in range(20):
        await group.submit(object())
    await group.close()
    assert not ledger.batches[-1][1]


@in_loop
async def test_what_follows_from_a_lone_append_is_committed_in_the_same_turn_of_the_loop(ledger, monkeypatch):
    a_disk_that_waits([0.0] * 4, monkeypatch)
    group = GroupCommit("x", ledger.commit)
    turns = []

    def again(_):
        turns.append(len(ledger.batches))
        if len(turns) < 3:
            group.submit(object()).add_done_callback(again)

    again(None)
    for _ in range(3):
        await asyncio.sleep(0)
    assert turns == [0, 1, 2]
    await group.close()


@in_loop
async def test_what_comes_during_a_commit_goes_into_the_next(ledger, monkeypatch):
    group = await on_a_slow_disk(ledger, monkeypatch)
    ledger.gate.clear()
    first = asyncio.gather(group.submit(object()), group.submit(object()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    later = asyncio.gather(*(group.submit(object()) for _ in range(50)))
    await asyncio.sleep(0)
    ledger.gate.set()
    await asyncio.gather(first, later)
    await group.close()
    assert ledger.batches == [(2, False), (50, False)]


@in_loop
async def test_a_cancelled_caller_holds_nobody_up(ledger, monkeypatch):
    group = await on_a_slow_disk(ledger, monkeypatch)
    ledger.gate.clear()
    waiting = [group.submit(object()) for _ in range(5)]
    await asyncio.sleep(0)
    waiting[2].cancel()
    ledger.gate.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers].count(asyncio.CancelledError) == 1
    assert ledger.batches == [(5, False)]
    await group.close()


@in_loop
async def test_steps_of_many_runs_share_commits(tmp_path):
    store = SqliteStore.open_for_writing(str(tmp_path / "dirigent.db"))
    digest = await store.keep(PROGRAM)
    commits = []
    store._writer._connection.set_trace_callback(
        lambda statement: commits.append(statement) if statement == "commit" else None
    )

    async def live(run):
        await store.append(run, 0, [Created(AT, digest, None)])
        for n in range(1, 10):
            await store.append(run, n, [Succeeded(AT, PAY, n, None)])

    await asyncio.gather(*(live(f"r{n}") for n in range(50)))
    assert len(commits) <= 20, f"500 appends of 50 runs took {len(commits)} commits"
    await store.close()


@in_loop
async def test_a_definition_at_hand_costs_no_commit(tmp_path):
    store = SqliteStore.open_for_writing(str(tmp_path / "dirigent.db"))
    digest = await store.keep(PROGRAM)
    statements = []
    store._writer._connection.set_trace_callback(statements.append)
    assert await store.keep(PROGRAM) == digest
    assert statements == []
    await store.close()


@in_loop
async def test_a_defect_of_the_writer_is_told_to_everybody_in_the_batch(ledger, monkeypatch):
    def fails(_):
        raise ZeroDivisionError

    seen = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: seen.append(context["exception"]))
    for away in (False, True):
        group = GroupCommit("x", ledger.commit) if not away else await on_a_slow_disk(ledger, monkeypatch)
        group._commit = fails
        answers = await asyncio.gather(*(group.submit(object()) for _ in range(3)), return_exceptions=True)
        assert [str(answer)[:13] for answer in answers] == ["error[E5010]:"] * 3
        await group.close()
    assert [type(failure) for failure in seen] == [ZeroDivisionError] * 2
