"""An order as a workflow in Python: reserve, charge, wait for the parcel, and undo when it must not be.

Try it: `dirigent run orders.py:place_order -i order=7 -i amount=30 --id order-7`, kill it anywhere, and
`dirigent resume order-7`. Then `dirigent signal order-7 parcel --data '{carrier: post}'`.
"""

from __future__ import annotations

from dataclasses import dataclass

from dirigent import (
    Cancelled,
    Retry,
    StepFailed,
    TimedOut,
    Transaction,
    gather,
    step,
    step_id,
    transaction,
    wait_event,
    workflow,
)

DAYS = 86_400
COVERED = 1_000


@dataclass
class Parcel:
    """What the warehouse tells when it has packed."""

    carrier: str


@dataclass
class Receipt:
    """What the customer gets."""

    order: int
    charge: str
    carrier: str


@transaction("shop.db")
def reserve(shop: Transaction, order: int) -> bool:
    """Take one piece from the shelf; the row and the result of this step are one commit."""
    shop.execute("create table if not exists reserved (number integer primary key, id text unique)")
    shop.execute("insert into reserved values (?, ?)", (order, step_id()))
    return True


@transaction("shop.db")
def release(shop: Transaction, order: int) -> bool:
    """Put it back."""
    shop.execute("delete from reserved where number = ?", (order,))
    return True


@step(idempotent=True, retry=Retry(attempts=4, delay=0.1, never=(ValueError,)), timeout=30)
async def charge(order: int, amount: int) -> str:
    """Charge the card. The bank knows the charge by its key, so another attempt charges nothing twice."""
    if amount > COVERED:
        raise ValueError(f"the card of order {order} does not cover {amount}")
    return f"charge-{step_id()[:8]}"


@step(idempotent=True)
async def refund(charged: str) -> None:
    """Give the money back."""


@step(idempotent=True)
def notify(order: int, words: str) -> None:
    """Tell the customer. A plain function runs in a thread."""


@workflow
async def place_order(order: int, amount: int) -> Receipt:
    """Place an order. Whatever dies in the middle, it is placed once, or undone."""
    await reserve(order)
    try:
        charged = await charge(order, amount)
    except StepFailed:
        await gather(release(order), notify(order, "your card was refused"))
        raise
    try:
        parcel = await wait_event("parcel", Parcel, timeout=3 * DAYS)
    except (TimedOut, Cancelled):
        await gather(release(order), refund(charged), notify(order, "we could not ship it"))
        raise
    await notify(order, f"it is on its way with {parcel.carrier}")
    return Receipt(order, charged, parcel.carrier)
