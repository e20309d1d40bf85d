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
        disk.setattr(commit, "SLOW_SECONDS", -1.0)
        await group.submit(object())
    assert ledger.batches.pop() == (1, True)
    return group


@in_loop
async def test_jobs_are_committed_on_the_thread_of_the_loop(ledger, monkeypatch):
    monkeypatch.setattr(commit, "SLOW_SECONDS", 10.0)
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
    monkeypatch.setattr(commit, "SLOW_SECONDS", 10.0)
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
