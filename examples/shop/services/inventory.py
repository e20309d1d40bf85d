"""The shop's stock: what there is, what it costs, and what is put aside for which order."""

from __future__ import annotations

import sqlite3

from shopkit import Refused, Request, Route, Service, enter, rows, serve

TABLES = """
CREATE TABLE IF NOT EXISTS stock (
  sku TEXT PRIMARY KEY, available INTEGER NOT NULL CHECK (available >= 0), price INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS reservations (
  number INTEGER PRIMARY KEY AUTOINCREMENT, "order" TEXT NOT NULL, sku TEXT NOT NULL,
  quantity INTEGER NOT NULL, state TEXT NOT NULL
);
"""
COLUMNS = "'reservation-' || number AS id, \"order\", sku, quantity, state"
DEFAULT_STOCK = {"teapot": {"available": 100, "price": 2400}, "cup": {"available": 400, "price": 650}}


def opened(connection: sqlite3.Connection, config: dict[str, object]) -> None:
    """Take new articles and prices from the configuration; what was counted stays as it is."""
    stock = config.get("stock", DEFAULT_STOCK)
    for sku, article in stock.items():
        connection.execute(
            "INSERT INTO stock VALUES (?, ?, ?) ON CONFLICT (sku) DO UPDATE SET price = excluded.price",
            (sku, article["available"], article["price"]),
        )


def article(connection: sqlite3.Connection, sku: str) -> sqlite3.Row:
    """Return the row of an article, or refuse an unknown one."""
    row = connection.execute("SELECT * FROM stock WHERE sku = ?", (sku,)).fetchone()
    if row is None:
        raise Refused(404, f"there is no article `{sku}`")
    return row


def list_stock(connection: sqlite3.Connection, _request: Request) -> tuple[int, object]:
    """List every article."""
    return 200, rows(connection, "SELECT * FROM stock ORDER BY sku")


def quote(connection: sqlite3.Connection, request: Request) -> tuple[int, object]:
    """Say what a quantity costs, in cents."""
    sku, quantity = request.query["sku"], request.asked_number("quantity")
    return 200, {"sku": sku, "quantity": quantity, "amount": article(connection, sku)["price"] * quantity}


def list_reservations(connection: sqlite3.Connection, request: Request) -> tuple[int, object]:
    """List the reservations that stand, of all orders or of one."""
    order = request.query.get("order")
    return 200, rows(
        connection,
        f"SELECT {COLUMNS} FROM reservations WHERE state = 'held' AND (? IS NULL OR \"order\" = ?)"
        " ORDER BY number",
        order,
        order,
    )


def reserve(connection: sqlite3.Connection, request: Request) -> tuple[int, object]:
    """Put a quantity aside for an order."""
    order, sku, quantity = request.text("order"), request.text("sku"), request.number("quantity")
    available = article(connection, sku)["available"]
    if available < quantity:
        raise Refused(409, f"`{sku}`: {quantity} asked for, {available} available")
    connection.execute("UPDATE stock SET available = available - ? WHERE sku = ?", (quantity, sku))
    number = connection.execute(
        'INSERT INTO reservations ("order", sku, quantity, state) VALUES (?, ?, ?, ?)',
        (order, sku, quantity, "held"),
    ).lastrowid
    enter(connection, "reserve", order, f"reservation-{number}", request.key)
    return 201, rows(connection, f"SELECT {COLUMNS} FROM reservations WHERE number = ?", number)[0]


def release(connection: sqlite3.Connection, request: Request) -> tuple[int, object]:
    """Put a reserved quantity back. Released already is as good."""
    found = rows(
        connection,
        f"SELECT {COLUMNS} FROM reservations WHERE 'reservation-' || number = ?",
        request.path["reservation"],
    )
    if not found:
        raise Refused(404, f"there is no reservation `{request.path['reservation']}`")
    kept = found[0]
    if kept["state"] == "held":
        connection.execute(
            "UPDATE stock SET available = available + ? WHERE sku = ?", (kept["quantity"], kept["sku"])
        )
        connection.execute(
            "UPDATE reservations SET state = 'released' WHERE 'reservation-' || number = ?", (kept["id"],)
        )
        enter(connection, "release", str(kept["order"]), str(kept["id"]), request.key)
    return 200, {**kept, "state": "released"}


ORDER = {"order": "string?"}
SERVICE = Service(
    "inventory",
    TABLES,
    (
        Route("GET", "/stock", "listStock", "Every article", list_stock),
        Route("GET", "/quotes", "quote", "What it costs", quote, {"sku": "string", "quantity": "integer"}),
        Route("GET", "/reservations", "listReservations", "What is put aside", list_reservations, ORDER),
        Route(
            "POST",
            "/reservations",
            "reserve",
            "Put a quantity aside",
            reserve,
            body={"order": "string", "sku": "string", "quantity": "integer"},
        ),
        Route("DELETE", "/reservations/{reservation}", "release", "Put it back", release),
    ),
    opened,
)

if __name__ == "__main__":
    serve(SERVICE)
