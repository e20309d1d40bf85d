"""The shop's money: charges and refunds. It can be told to fail, to be slow, to decline or to die."""

from __future__ import annotations

import sqlite3

from shopkit import Refused, Request, Route, Service, enter, rows, serve

TABLES = """
CREATE TABLE IF NOT EXISTS charges (
  number INTEGER PRIMARY KEY AUTOINCREMENT, "order" TEXT NOT NULL, amount INTEGER NOT NULL,
  state TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS limits (name TEXT PRIMARY KEY, amount INTEGER NOT NULL);
"""
COLUMNS = "'charge-' || number AS id, \"order\", amount, state"
DEFAULT_LIMIT = 100_000


def opened(connection: sqlite3.Connection, config: dict[str, object]) -> None:
    """Take the largest amount that is accepted, in cents, from the configuration."""
    connection.execute(
        "INSERT OR REPLACE INTO limits VALUES ('charge', ?)", (config.get("limit", DEFAULT_LIMIT),)
    )


def list_charges(connection: sqlite3.Connection, request: Request) -> tuple[int, object]:
    """List the charges that stand (those that were not refunded), of all orders or of one."""
    order = request.query.get("order")
    return 200, rows(
        connection,
        f"SELECT {COLUMNS} FROM charges WHERE state = 'charged' AND (? IS NULL OR \"order\" = ?)"
        " ORDER BY number",
        order,
        order,
    )


def charge(connection: sqlite3.Connection, request: Request) -> tuple[int, object]:
    """Take money for an order, in cents."""
    order, amount = request.text("order"), request.number("amount")
    limit = connection.execute("SELECT amount FROM limits WHERE name = 'charge'").fetchone()["amount"]
    if amount > limit:
        raise Refused(402, f"`{amount}` is more than the limit of {limit}")
    number = connection.execute(
        'INSERT INTO charges ("order", amount, state) VALUES (?, ?, ?)', (order, amount, "charged")
    ).lastrowid
    enter(connection, "charge", order, f"charge-{number}", request.key)
    return 201, rows(connection, f"SELECT {COLUMNS} FROM charges WHERE number = ?", number)[0]


def refund(connection: sqlite3.Connection, request: Request) -> tuple[int, object]:
    """Give the money of a charge back. Refunded already is as good."""
    found = rows(
        connection, f"SELECT {COLUMNS} FROM charges WHERE 'charge-' || number = ?", request.path["charge"]
    )
    if not found:
        raise Refused(404, f"there is no charge `{request.path['charge']}`")
    kept = found[0]
    if kept["state"] == "charged":
        connection.execute(
            "UPDATE charges SET state = 'refunded' WHERE 'charge-' || number = ?", (kept["id"],)
        )
        enter(connection, "refund", str(kept["order"]), str(kept["id"]), request.key)
    return 200, {**kept, "state": "refunded"}


SERVICE = Service(
    "payment",
    TABLES,
    (
        Route("GET", "/charges", "listCharges", "Charges that stand", list_charges, {"order": "string?"}),
        Route(
            "POST",
            "/charges",
            "charge",
            "Take money",
            charge,
            body={"order": "string", "amount": "integer"},
        ),
        Route("POST", "/charges/{charge}/refunds", "refund", "Give it back", refund),
    ),
    opened,
)

if __name__ == "__main__":
    serve(SERVICE)
