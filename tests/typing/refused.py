"""What users get wrong and type checkers find: the code of each error stands behind its line."""

from __future__ import annotations

import dirigent
from dirigent import Transaction, gather, step, transaction, workflow


@step
async def price(order: int) -> float:
    return order * 1.5


@transaction("shop.db")
def reserve(shop: Transaction, order: int) -> bool:
    return True


@transaction("shop.db")  # arg-type
def without(order: int) -> bool:
    return True


@workflow
async def place(order: int) -> str:
    await price("seven")  # arg-type
    await price(order, 2)  # call-arg
    await reserve(order, order)  # call-arg
    total: int = await price(order)  # assignment
    a, b = await gather(price(order))  # misc
    return total  # return-value


@workflow  # arg-type
def plain(order: int) -> str:
    return str(order)


async def main() -> None:
    async with dirigent.open("shop") as engine:
        await engine.start(place("seven"))  # arg-type
        await engine.start(price(7))  # arg-type
        handle = await engine.start(place(7))
        number: int = await handle.result()  # assignment
