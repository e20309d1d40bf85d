"""Two engines that begin an apply at the same instant, each in a shard of its own: the database decides."""

import asyncio
from dataclasses import replace

import pytest

from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Created
from dirigent.ports.applies import AFTER
from dirigent.settings import DatabaseUrl
from dirigent.stores.postgres import Database, PostgresStore
from stores.samples import AT, PROGRAM

pytestmark = pytest.mark.slow

APPLY = replace(PROGRAM, name="shop", kind="apply")
ROUNDS = 20
ENGINES = 3


async def opened(url, number):
    database = await Database.opened(DatabaseUrl(url), f"engine-{number}")
    (fence,) = await database.leases.seize([number])
    return PostgresStore(database, fence)


async def races(url, *, guarded):
    """Have all engines begin an apply at once, again and again; return how many began in each round."""
    stores = [await opened(url, number) for number in range(ENGINES)]
    (digest,) = {await store.keep(APPLY) for store in stores}
    begun = []
    for turn in range(ROUNDS):
        newest = await stores[0].applies.newest_apply()
        words = {AFTER: newest} if guarded else {}
        answers = await asyncio.gather(
            *(
                store.append(f"up-{turn}-{number}", 0, [Created(AT, digest, None, words)])
                for number, store in enumerate(stores)
            ),
            return_exceptions=True,
        )
        lost = [each for each in answers if isinstance(each, Refusal)]
        assert {each.problems[0].code for each in lost} <= {"E2048"}
        begun.append(len(answers) - len(lost))
    known = len(await stores[0].applies.open_applies())
    for store in stores:
        await store.close()
    assert known == sum(begun)
    return begun


def test_of_engines_that_begin_at_the_same_instant_exactly_one_begins(server):
    assert asyncio.run(races(server.fresh(), guarded=True)) == [1] * ROUNDS


def test_without_the_check_all_of_them_begin(server):
    # The negative control.
    assert asyncio.run(races(server.fresh(), guarded=False)) == [ENGINES] * ROUNDS
