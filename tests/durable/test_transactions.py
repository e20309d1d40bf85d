"""A transaction happens exactly once: killed before, in the middle of and after its commit."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dirigent.tasks import ledger

HERE = Path(__file__).parent
PLACES = ["before begin", "after begin", "before insert into booked", "after insert into booked",
          "before insert into dirigent_results", "after insert into dirigent_results", "before commit",
          "after commit"]  # fmt: skip


def lived(folder, place=""):
    return subprocess.run(
        [sys.executable, HERE / "transaction_child.py", place, folder],
        env={"PYTHONPATH": str(HERE.parents[1] / "src"), "PATH": os.environ["PATH"]},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def rows(folder):
    with closing(sqlite3.connect(folder / "shop.db")) as shop:
        booked = [number for (number,) in shop.execute("select number from booked order by number")]
        return booked, len(shop.execute("select id from dirigent_results").fetchall())


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_killed_at_any_place_of_the_commit_it_happens_once(tmp_path, place):
    assert lived(tmp_path, place).returncode == -signal.SIGKILL
    done = lived(tmp_path)
    assert done.stdout == "3\n", done.stderr
    # The second transaction took the result of the first away, whose journal has it.
    assert rows(tmp_path)[0] == [7, 8]


def test_a_transaction_that_raises_leaves_nothing(tmp_path):
    def failing(shop):
        shop.execute("create table booked (number integer)")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        ledger.transact(str(tmp_path / "shop.db"), "effect", failing, (), "it")
    with closing(sqlite3.connect(tmp_path / "shop.db")) as shop:
        assert not shop.execute("select * from sqlite_master where name = 'booked'").fetchall()


def test_an_effect_that_is_committed_is_answered_and_not_repeated(tmp_path):
    path, calls = str(tmp_path / "shop.db"), []

    def counting(shop):
        calls.append(1)
        return {"n": len(calls)}

    for _ in range(3):
        assert ledger.transact(path, "effect", counting, (), "it") == {"n": 1}
    assert ledger.transact(path, "another", counting, ("effect",), "it") == {"n": 2}
    assert ledger.transact(path, "effect", counting, (), "it") == {"n": 3}


def test_the_control_a_ledger_that_forgets_books_twice(tmp_path):
    # The fault that all of this is against: rows and result in two commits.
    path = tmp_path / "shop.db"

    def book(shop):
        shop.execute("create table if not exists booked (number integer)")
        shop.execute("insert into booked values (7)")

    def forgetful(effect):
        with closing(sqlite3.connect(path)) as shop, shop:
            book(shop)
        raise KeyboardInterrupt(effect)

    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            forgetful("effect")
    with closing(sqlite3.connect(path)) as shop:
        assert len(shop.execute("select * from booked").fetchall()) == 2


def test_the_loop_is_free_while_a_transaction_waits_for_the_file(tmp_path):
    path = str(tmp_path / "shop.db")

    def counted(shop):
        return len(shop.execute("select * from t"))

    async def both():
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("create table t (n)")
            other.execute("begin immediate")
            work = asyncio.to_thread(ledger.transact, path, "effect", counted, (), "it")
            waiting = asyncio.ensure_future(work)
            await asyncio.sleep(0)
            assert not waiting.done()
            other.execute("insert into t values (1)")
            other.execute("commit")
        return await waiting

    assert asyncio.run(asyncio.wait_for(both(), 60)) == 1
