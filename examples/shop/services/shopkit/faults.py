"""What can be ordered to go wrong: a service that fails, is slow, declines or dies, so many times."""

from __future__ import annotations

import json
import sqlite3
import time
from dataclasses import dataclass

from shopkit.store import Store, rows
from shopkit.terms import Refused, Request, Route, positive

SECONDS_MAX = 600
TABLES = """
CREATE TABLE IF NOT EXISTS faults (
  number INTEGER PRIMARY KEY AUTOINCREMENT, operation TEXT NOT NULL, mode TEXT NOT NULL,
  moment TEXT NOT NULL, times INTEGER NOT NULL, seconds REAL NOT NULL
);
"""


@dataclass(frozen=True)
class Fault:
    """What was ordered to go wrong with one request."""

    mode: str
    moment: str
    seconds: float


def set_fault(connection: sqlite3.Connection, request: Request) -> tuple[int, object]:
    """Order the next requests of one operation to go wrong."""
    mode, moment = request.text("mode"), str(request.body.get("moment", "before"))
    seconds = request.body.get("seconds", 1)
    if mode not in {"fail", "slow", "die", "decline"}:
        raise Refused(400, f"`mode` is fail, slow, die or decline, not `{mode}`")
    if moment not in {"before", "after"}:
        raise Refused(400, f"`moment` is before or after (the commit), not `{moment}`")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= SECONDS_MAX:
        raise Refused(400, f"`seconds` must be a number up to {SECONDS_MAX}, not `{json.dumps(seconds)}`")
    operation = request.text("operation")
    times = positive("times", request.body.get("times", 1))
    connection.execute(
        "INSERT INTO faults (operation, mode, moment, times, seconds) VALUES (?, ?, ?, ?, ?)",
        (operation, mode, moment, times, seconds),
    )
    return 201, {"operation": operation, "mode": mode, "moment": moment, "times": times, "seconds": seconds}


def list_faults(connection: sqlite3.Connection, _request: Request) -> tuple[int, object]:
    """List the faults that are still to come."""
    return 200, rows(connection, "SELECT * FROM faults WHERE times > 0 ORDER BY number")


def clear_faults(connection: sqlite3.Connection, _request: Request) -> tuple[int, object]:
    """Forget all faults."""
    return 200, {"cleared": connection.execute("DELETE FROM faults WHERE times > 0").rowcount}


def take_fault(store: Store, operation: str) -> Fault | None:
    """Use up one fault of an operation. Its own commit: a process that dies of it dies once."""
    with store.connect() as connection:
        if not connection.execute(
            "SELECT 1 FROM faults WHERE operation = ? AND times > 0", (operation,)
        ).fetchone():
            return None
    with store.transaction() as connection:
        row = connection.execute(
            "SELECT * FROM faults WHERE operation = ? AND times > 0 ORDER BY number LIMIT 1", (operation,)
        ).fetchone()
        if row is None:
            return None
        connection.execute("UPDATE faults SET times = times - 1 WHERE number = ?", (row["number"],))
        return Fault(row["mode"], row["moment"], row["seconds"])


def strike(fault: Fault) -> None:
    """Let the fault have its way: refuse, or take time. Dying and declining have their own place."""
    if fault.mode == "fail":
        raise Refused(503, "this service was told to fail")
    if fault.mode == "slow":
        time.sleep(fault.seconds)


BODY = {
    "operation": "string",
    "mode": "string",
    "moment": "string?",
    "times": "integer?",
    "seconds": "number?",
}
ROUTES = (
    Route("GET", "/faults", "listFaults", "Faults still to come", list_faults),
    Route("POST", "/faults", "setFault", "Make requests go wrong", set_fault, {}, BODY),
    Route("DELETE", "/faults", "clearFaults", "Forget all faults", clear_faults),
)
