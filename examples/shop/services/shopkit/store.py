"""One SQLite file per service, its ledger, and the answers that were given under a key."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shopkit.terms import Refused, Request, Route, Service, problem

SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
  key TEXT PRIMARY KEY, request TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS ledger (
  number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, act TEXT NOT NULL,
  "order" TEXT NOT NULL, subject TEXT NOT NULL, key TEXT, pid INTEGER NOT NULL
);
"""


class Store:
    """One SQLite file. Each request opens its own connection; writers queue in `BEGIN IMMEDIATE`."""

    def __init__(self, path: Path) -> None:
        """Remember the file; it is made at the first `connect`."""
        self.path = path

    @contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose commits are durable when they return."""
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA synchronous=FULL")
            yield connection
        finally:
            connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection inside one transaction: all of it is kept, or none."""
        with self.connect() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def prepare(self, service: Service, config: dict[str, object], tables: str) -> None:
        """Make the tables, and let the service fill them from its configuration."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.connect() as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(SCHEMA + tables + service.tables)
        with self.transaction() as connection:
            service.opened(connection, config)


def enter(connection: sqlite3.Connection, act: str, order: str, subject: str, key: str | None) -> None:
    """Write one line of the ledger, in the transaction of the effect itself."""
    connection.execute(
        'INSERT INTO ledger (at, act, "order", subject, key, pid) VALUES (?, ?, ?, ?, ?, ?)',
        (time.time(), act, order, subject, key, os.getpid()),
    )


def rows(connection: sqlite3.Connection, statement: str, *values: object) -> list[dict[str, object]]:
    """Return the rows of a query as objects."""
    return [dict(row) for row in connection.execute(statement, values)]


def list_ledger(connection: sqlite3.Connection, request: Request) -> tuple[int, object]:
    """List every effect that ever happened here, oldest first."""
    order = request.query.get("order")
    return 200, rows(
        connection, 'SELECT * FROM ledger WHERE ? IS NULL OR "order" = ? ORDER BY number', order, order
    )


def decline() -> tuple[int, object]:
    """Refuse, as a bank does."""
    raise Refused(402, "declined, as this service was told to do")


def once(
    connection: sqlite3.Connection, route: Route, request: Request, fingerprint: str, *, declined: bool
) -> tuple[int, object]:
    """Act, or give the answer that was given before under the same key."""
    if request.key is not None:
        kept = connection.execute("SELECT * FROM answers WHERE key = ?", (request.key,)).fetchone()
        if kept is not None and kept["request"] != fingerprint:
            raise Refused(422, f"`Idempotency-Key: {request.key}` was used for another request")
        if kept is not None:
            return kept["status"], json.loads(kept["body"])
    connection.execute("SAVEPOINT effect")
    try:
        status, body = decline() if declined else route.act(connection, request)
    except Refused as refusal:
        # A refusal is an answer too: it is kept under the key, but nothing else of the try is.
        connection.execute("ROLLBACK TO effect")
        status, body = refusal.status, problem(refusal)
    if request.key is not None:
        connection.execute(
            "INSERT INTO answers (key, request, status, body) VALUES (?, ?, ?, ?)",
            (request.key, fingerprint, status, json.dumps(body)),
        )
    return status, body
