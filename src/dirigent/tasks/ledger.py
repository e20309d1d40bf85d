"""The results of transactions, in the author's own SQLite file: written with his rows, in one commit.

A row is needed only until the journal holds the result too; then the next transaction takes it away.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Final, cast

from dirigent.durable.conversion import to_json
from dirigent.durable.transactions import Transaction
from dirigent.model.values import Value

TABLE: Final = (
    "create table if not exists dirigent_results (id text primary key, result text not null) without rowid"
)
WAIT_SECONDS: Final = 30.0


def transact(
    path: str, effect: str, call: Callable[[Transaction], object], settled: Sequence[str], what: str
) -> Value:
    """Call a function in a transaction and return its result; or the result that an earlier call committed.

    `settled` are effects whose results are in the journal.
    """
    with closing(sqlite3.connect(path, timeout=WAIT_SECONDS, isolation_level=None)) as connection:
        connection.execute(TABLE)
        connection.execute("begin immediate")
        # Whatever rises closes the connection, which undoes the transaction.
        row = connection.execute("select result from dirigent_results where id = ?", (effect,)).fetchone()
        if row is not None:
            return cast("Value", json.loads(row[0]))
        result = to_json(call(Transaction(connection)), what)
        connection.execute("insert into dirigent_results values (?, ?)", (effect, json.dumps(result)))
        connection.executemany("delete from dirigent_results where id = ?", [(each,) for each in settled])
        connection.execute("commit")
        return result
