"""What users write and type checkers accept: `reveal_type` comments are compared with what mypy finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import reveal_type

import dirigent
from dirigent import (
    Retry,
    Transaction,
    gather,
    sleep,
    step,
    transaction,
    wait_event,
    within,
    workflow,
)


@dataclass
class Receipt:
    order: int


@step
async def price(order: int, currency: str = "eur") -> float:
    return order * 1.5


@step
def pack(order: int) -> str:
    return str(order)


@step(retry=Retry(3), timeout=3, idempotent=True)
async def charge(order: int) -> Receipt:
    return Receipt(order)


@transaction("shop.db")
def reserve(shop: Transaction, order: int) -> bool:
    shop.execute("select 1")
    return True


async def counted(order: int) -> tuple[int, str]:
    return order, await pack(order)


@workflow
async def place(order: int) -> Receipt:
    reveal_type(await price(order, currency="usd"))  # float
    reveal_type(await pack(order))  # str
    reveal_type(await reserve(order))  # bool
    reveal_type(await gather(price(order), counted(order)))  # tuple[float, tuple[int, str]]
    reveal_type(await gather(*[pack(n) for n in range(3)]))  # tuple[str, ...]
    reveal_type(await within(5, pack(order)))  # str
    reveal_type(await wait_event("paid", Receipt))  # accepted.Receipt
    await sleep(1)
    return await charge(order)


@workflow(timeout=60)
async def parent(order: int) -> int:
    reveal_type(await place(order))  # accepted.Receipt
    return order


async def main() -> None:
    async with dirigent.open("shop") as engine:
        handle = await engine.start(place(7), id="order-7")
        reveal_type(await handle.result())  # accepted.Receipt
        reveal_type(await engine.run(parent, "p").result())  # int
        await handle.signal("paid", Receipt(7))
