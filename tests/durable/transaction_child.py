"""A program that books an order in its own SQLite file, and kills itself at a chosen place of the commit."""

import asyncio
import os
import signal
import sqlite3
import sys

import dirigent
from dirigent import Transaction, transaction, workflow
from dirigent.tasks import ledger

PLACE = sys.argv[1]


class Deadly(sqlite3.Connection):
    """Dies before or after a statement that begins with the word of the place."""

    def execute(self, statement, *values):
        when, _, word = PLACE.partition(" ")
        if word and statement.startswith(word):
            if when == "after":
                super().execute(statement, *values)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().execute(statement, *values)


@transaction("shop.db")
def book(shop: Transaction, order: int) -> int:
    shop.execute("create table if not exists booked (number integer)")
    shop.execute("insert into booked values (?)", (order,))
    return len(shop.execute("select * from booked"))


@workflow
async def place(order: int) -> int:
    return await book(order) + await book(order + 1)


async def main() -> None:
    async with dirigent.open(sys.argv[2]) as engine:
        handle = await engine.start(place(7), id="order-7")
        print(await handle.result())


if __name__ == "__main__":
    connect = sqlite3.connect
    if PLACE:
        ledger.sqlite3 = type("Deadly", (), {"connect": lambda *a, **k: connect(*a, factory=Deadly, **k)})
    asyncio.run(main())
