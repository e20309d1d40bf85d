"""The shop's parcels: what delivery costs, what was sent. Some countries are refused, at the door."""

from __future__ import annotations

import json
import sqlite3

from shopkit import Refused, Request, Route, Service, enter, rows, serve

TABLES = """
CREATE TABLE IF NOT EXISTS shipments (
  number INTEGER PRIMARY KEY AUTOINCREMENT, "order" TEXT NOT NULL, sku TEXT NOT NULL,
  quantity INTEGER NOT NULL, country TEXT NOT NULL, state TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS terms (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
COLUMNS = "'shipment-' || number AS id, \"order\", sku, quantity, country, state"
DEFAULT_TERMS = {"price": 490, "refused": ["AQ"]}


def opened(connection: sqlite3.Connection, config: dict[str, object]) -> None:
    """Take the price of a parcel, in cents, and the refused countries from the configuration."""
    for name, value in {**DEFAULT_TERMS, **config}.items():
        connection.execute("INSERT OR REPLACE INTO terms VALUES (?, ?)", (name, json.dumps(value)))


def term(connection: sqlite3.Connection, name: str) -> object:
    """Return one of the terms of business."""
    return json.loads(
        connection.execute("SELECT value FROM terms WHERE name = ?", (name,)).fetchone()["value"]
    )


def quote(connection: sqlite3.Connection, request: Request) -> tuple[int, object]:
    """Say what delivery costs, in cents."""
    quantity = request.asked_number("quantity")
    return 200, {"country": request.query["country"], "amount": term(connection, "price") * quantity}


def list_shipments(connection: sqlite3.Connection, request: Request) -> tuple[int, object]:
    """List the shipments that stand, of all orders or of one."""
    order = request.query.get("order")
    return 200, rows(
        connection,
        f"SELECT {COLUMNS} FROM shipments WHERE state = 'sent' AND (? IS NULL OR \"order\" = ?)"
        " ORDER BY number",
        order,
        order,
    )


def ship(connection: sqlite3.Connection, request: Request) -> tuple[int, object]:
    """Send a parcel."""
    order, sku, country = request.text("order"), request.text("sku"), request.text("country")
    quantity = request.number("quantity")
    if country in term(connection, "refused"):
        raise Refused(409, f"nothing is shipped to `{country}`")
    number = connection.execute(
        'INSERT INTO shipments ("order", sku, quantity, country, state) VALUES (?, ?, ?, ?, ?)',
        (order, sku, quantity, country, "sent"),
    ).lastrowid
    enter(connection, "ship", order, f"shipment-{number}", request.key)
    return 201, rows(connection, f"SELECT {COLUMNS} FROM shipments WHERE number = ?", number)[0]


def cancel(connection: sqlite3.Connection, request: Request) -> tuple[int, object]:
    """Call a parcel back. Cancelled already is as good."""
    found = rows(
        connection,
        f"SELECT {COLUMNS} FROM shipments WHERE 'shipment-' || number = ?",
        request.path["shipment"],
    )
    if not found:
        raise Refused(404, f"there is no shipment `{request.path['shipment']}`")
    kept = found[0]
    if kept["state"] == "sent":
        connection.execute(
            "UPDATE shipments SET state = 'cancelled' WHERE 'shipment-' || number = ?", (kept["id"],)
        )
        enter(connection, "cancel", str(kept["order"]), str(kept["id"]), request.key)
    return 200, {**kept, "state": "cancelled"}


SERVICE = Service(
    "shipping",
    TABLES,
    (
        Route(
            "GET",
            "/quotes",
            "quoteDelivery",
            "What it costs",
            quote,
            {"country": "string", "quantity": "integer"},
        ),
        Route("GET", "/shipments", "listShipments", "What was sent", list_shipments, {"order": "string?"}),
        Route(
            "POST",
            "/shipments",
            "ship",
            "Send a parcel",
            ship,
            body={"order": "string", "sku": "string", "quantity": "integer", "country": "string"},
        ),
        Route("DELETE", "/shipments/{shipment}", "cancelShipment", "Call it back", cancel),
    ),
    opened,
)

if __name__ == "__main__":
    serve(SERVICE)
