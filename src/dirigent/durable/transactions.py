"""Steps that write to a SQLite file of the author's: their rows and their result are one commit.

So such a step happens exactly once, whatever dies when: the result in the file says that it happened.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Concatenate, ParamSpec, TypeAlias, TypeVar, cast

from dirigent.durable.steps import Options, Retry, Step, policy_of
from dirigent.model.program import OnDoubt
from dirigent.model.record import dataclass

P = ParamSpec("P")
R = TypeVar("R")
Cell: TypeAlias = str | bytes | int | float | None
Row: TypeAlias = tuple[Cell, ...]


class Transaction:
    """An open transaction of a file. It is committed when the step returns, and undone when it raises."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take a connection in which a transaction has begun."""
        self._connection = connection

    def execute(self, statement: str, values: Sequence[Cell] = ()) -> list[Row]:
        """Run one statement, and return its rows."""
        return self._connection.execute(statement, values).fetchall()

    def execute_many(self, statement: str, rows: Iterable[Sequence[Cell]]) -> int:
        """Run one statement for each row, and return how many rows it changed."""
        return self._connection.executemany(statement, rows).rowcount


@dataclass(frozen=True, slots=True)
class Decorator:
    """Makes transactions with the same options."""

    options: Options

    def __call__(self, function: Callable[Concatenate[Transaction, P], R], /) -> Step[P, R]:
        """Make a function a step whose first argument is the transaction."""
        # The step is called without the transaction: that is put in front by whoever performs it.
        return Step[P, R](cast("Callable[P, R]", function), self.options)


def transaction(
    database: str,
    *,
    name: str = "",
    retry: Retry | int | None = None,
    timeout: float | timedelta | None = None,
) -> Decorator:
    """Make a plain function a step that gets a `Transaction` of a SQLite file as its first argument.

    A relative path starts from the folder that was opened. What the function writes and what it returns
    are committed together, so it takes effect exactly once.
    """
    return Decorator(Options(name, policy_of(retry), timeout, OnDoubt.HOLD, database))
