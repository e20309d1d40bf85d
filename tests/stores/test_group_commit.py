"""Who commits, where, and how often."""

import asyncio
import threading

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


@in_loop
async def test_a_lone_job_is_committed_on_the_thread_of_the_loop(ledger, monkeypatch):
    monkeypatch.setattr(commit, "SLOW_SECONDS", 10.0)
    group = GroupCommit("x", ledger.commit)
    for _ in range(3):
        await group.submit(object())
    await group.close()
    assert ledger.batches == [(1, True)] * 3


@in_loop
async def test_on_a_slow_disk_even_a_lone_job_leaves_the_loop_free(ledger, monkeypatch):
    monkeypatch.setattr(commit, "SLOW_SECONDS", -1.0)
    group = GroupCommit("x", ledger.commit)
    for _ in range(2):
        await group.submit(object())
    monkeypatch.setattr(commit, "SLOW_SECONDS", 10.0)
    for _ in range(2):
        await group.submit(object())
    await group.close()
    # The first commit shows how the disk is, and so does each that follows.
    assert ledger.batches == [(1, True), (1, False), (1, False), (1, True)]


@in_loop
async def test_jobs_at_once_are_one_batch_on_the_thread_of_the_writer(ledger):
    group = GroupCommit("x", ledger.commit)
    await asyncio.gather(*(group.submit(object()) for _ in range(100)))
    await group.close()
    assert ledger.batches == [(100, False)]


@in_loop
async def test_what_comes_during_a_commit_goes_into_the_next(ledger):
    group = GroupCommit("x", ledger.commit)
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
async def test_a_cancelled_caller_holds_nobody_up(ledger):
    group = GroupCommit("x", ledger.commit)
    tasks = [asyncio.create_task(group.submit(object())) for _ in range(5)]
    await asyncio.sleep(0)
    tasks[2].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
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
