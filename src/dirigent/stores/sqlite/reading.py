"""What can be asked of a store. Reads on a connection of its own, so that it never waits for the writer."""

from __future__ import annotations

import asyncio
import json
import math
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import takewhile
from typing import Final, ParamSpec, TypeVar, cast

from dirigent.model.ids import Digest, PlanId, RunId, digest_of
from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal
from dirigent.model.program import Program
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import Fact
from dirigent.model.run.retention import Retention
from dirigent.model.run.summary import RunSummary
from dirigent.ports import Past, Waking
from dirigent.stores import codec
from dirigent.stores.forms import corrupt
from dirigent.stores.projection import missing_definition
from dirigent.stores.sqlite import records
from dirigent.stores.sqlite.failures import closed, refusal
from dirigent.stores.sqlite.statements import SQL

P = ParamSpec("P")
T = TypeVar("T")


class Desk:
    """Where questions wait for the thread that reads, so that a long answer blocks nobody."""

    def __init__(self, path: str) -> None:
        """Open the desk of the store at `path`."""
        self._path: Final = path
        self._thread: Final = ThreadPoolExecutor(1, thread_name_prefix="dirigent-read")
        self._closed = False

    async def ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the answer, or raise what the question raises; `Refusal` (E5017) when closed."""
        if self._closed:
            raise closed(self._path)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, partial(question, *args, **kwargs))

    def close(self) -> None:
        """Answer what has been asked, then nothing more."""
        self._closed = True
        self._thread.shutdown()


class Reader:
    """Plain reads, one at a time. Each sees everything that was acknowledged before it began."""

    def __init__(self, connection: sqlite3.Connection, path: str) -> None:
        """Read through a connection that is this reader's alone."""
        self._connection: Final = connection
        self._path: Final = path

    def facts(self, run: RunId, since: int = 0) -> list[Fact]:
        """Return the facts of a run from a position on, oldest first."""
        rows = self._tail(run, since) if since else self.rows_of("facts", run)
        return [codec.decode_fact(content) for content in records.journal(rows, self._path, since)]

    def _tail(self, run: RunId, since: int) -> list[records.Row]:
        try:
            backwards = self._connection.execute(SQL["last_facts"], (run,))
            rows = list(takewhile(lambda row: row[0] >= since, backwards))
            backwards.close()
        except sqlite3.Error as error:
            raise refusal(error, self._path) from None
        return rows[::-1]

    def pasts(self, runs: Sequence[RunId]) -> list[Past | Refusal]:
        """Return what is known of each run: two questions, however many they are."""
        found = self.rows_of("pasts", json.dumps(runs))
        numbers = json.dumps([row[0] for row in found])
        rows: dict[object, list[records.Row]] = {row[0]: [] for row in found}
        for number, *row in self.rows_of("pasts_facts", numbers):
            rows[number].append(tuple(row))
        pasts = {row[1]: _past(self._path, row, rows[row[0]]) for row in found}
        return [pasts.get(run, Past([])) for run in runs]

    def wakings(self, after: Waking, limit: int) -> list[Waking]:
        """Return the next wakings behind one, by time, then by id."""
        return [
            (cast("float", at), RunId(cast("str", run))) for at, run in self.rows_of("wakings", *after, limit)
        ]

    def definition(self, digest: Digest) -> Program:
        """Return a stored definition, or raise `Refusal` (E5004 none, E5008 damaged)."""
        rows = self.rows_of("definition", digest)
        if not rows:
            raise missing_definition(digest)
        content = cast("bytes", rows[0][0])
        if digest_of(content) != digest:
            raise corrupt(f"`{self._path}` is damaged: definition `{digest}` has changed")
        return codec.decode(content, Program)

    def runs(self, *, only_open: bool, limit: int) -> list[RunSummary]:
        """Return runs, newest first."""
        rows = self.rows_of("open_runs" if only_open else "runs", limit)
        return [summary(row) for row in rows]

    def run(self, run: RunId) -> RunSummary | None:
        """Return one run."""
        rows = self.rows_of("run", run)
        return summary(rows[0]) if rows else None

    def prunable(self, policy: Retention, now: float, limit: int) -> list[RunId]:
        """Return ended runs that a policy no longer keeps, oldest end first."""
        ages = [policy.completed, policy.failed, policy.cancelled]
        ends = [-math.inf if age is None else now - age for age in ages]
        found = [RunId(cast("str", row[0])) for row in self.rows_of("prunable", max(ends), *ends, limit)]
        if policy.runs is None or len(found) == limit:
            return found
        too_many = cast("int", self.rows_of("ended")[0][0]) - policy.runs
        more = self.rows_of("oldest_ended", min(limit, max(0, too_many)))
        return list(dict.fromkeys([*found, *(RunId(cast("str", row[0])) for row in more)]))[:limit]

    def row(self, address: str) -> ResourceRow | None:
        """Return one resource instance."""
        found = self.rows_of("row", address)
        return codec.decode(cast("bytes", found[0][0]), ResourceRow) if found else None

    def rows(self) -> list[ResourceRow]:
        """Return every resource instance, by address."""
        return [codec.decode(cast("bytes", row[0]), ResourceRow) for row in self.rows_of("rows")]

    def history(self, address: str) -> list[tuple[float, RunId, ResourceRow | None]]:
        """Return what one instance was and is, oldest first."""
        past = []
        for at, run, content in self.rows_of("history", address):
            row = None if content is None else codec.decode(cast("bytes", content), ResourceRow)
            past.append((cast("float", at), RunId(cast("str", run)), row))
        return past

    def plan(self, plan: PlanId) -> Plan | None:
        """Return a stored plan."""
        rows = self.rows_of("plan", plan)
        return codec.decode(cast("bytes", rows[0][0]), Plan) if rows else None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def rows_of(self, statement: str, *parameters: str | float) -> list[records.Row]:
        """Return the rows of a statement, or raise `Refusal` where the file does not give them."""
        try:
            return self._connection.execute(SQL[statement], parameters).fetchall()
        except sqlite3.Error as error:
            raise refusal(error, self._path) from None


def _position(row: records.Row) -> int:
    return cast("int", row[0])


def summary(row: records.Row) -> RunSummary:
    """Return what a list shows of a run, from a row of `standings`."""
    _, facts, where = records.standing(row)
    return where.summary(facts)


def _past(path: str, about: records.Row, rows: list[records.Row]) -> Past | Refusal:
    since, snapshot = cast("int", about[2] or 0), cast("bytes | None", about[3])
    after = sorted((row for row in rows if cast("int", row[0]) >= since), key=_position)
    try:
        contents = records.journal(after, path, since)
        return Past([codec.decode_fact(content) for content in contents], since, snapshot)
    except Refusal as why:
        return why
