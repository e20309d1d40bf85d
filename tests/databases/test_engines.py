"""Engines on one database: they share, take over, and a past owner writes nothing."""

import math
import os

import pytest

from databases.rig import check, working
from stores.samples import in_loop

# The promise of a clean stop holds for a machine that has time (`DIRIGENT_QUIET=1`); on any other it is
# enough that shards are given back.
CLEAN_SECONDS = 0.2 if os.environ.get("DIRIGENT_QUIET") else math.inf
KILLED_SECONDS = 6.0

pytestmark = pytest.mark.slow


@in_loop
async def test_engines_that_come_and_go_share_the_shards_and_lose_nothing(engines):
    first = engines().start()
    async with working(engines.url, engines.folder) as (watch, load, ledger):
        await watch.share(first)
        load.begin()
        await load.go(10)
        second = engines().start()
        names = await watch.share(first, second)
        await load.go(10)
        first.process.terminate()
        await watch.without(names[0])
        # Given back, not run out: whoever is killed stays the owner until somebody else leases the shard.
        kept = "select count(*) from dirigent.shards where owner = $1"
        assert await watch.session.fetchval(kept, names[0]) == 0
        taken = await watch.until_owned_by(names[1:])
        print(f"taken over {taken:.3f} s after a clean stop")
        assert taken < CLEAN_SECONDS
        assert "ended" in first.last_words()
        await load.go(10)
        await load.finish()
        await check(load, watch, ledger)
        assert "ended" in second.end()
        assert await watch.owners() == {}


@in_loop
async def test_an_engine_that_is_killed_is_replaced_within_six_seconds(engines):
    first, second = engines().start(), engines().start()
    async with working(engines.url, engines.folder) as (watch, load, ledger):
        names = await watch.share(first, second)
        load.begin()
        await load.go(10)
        first.kill()
        assert await watch.until_owned_by(names[1:]) < KILLED_SECONDS
        await load.go(10)
        await load.finish()
        await check(load, watch, ledger)


@in_loop
async def test_an_engine_that_was_paused_writes_nothing_when_it_wakes_and_works_again(engines):
    first, second = engines().start(), engines().start()
    async with working(engines.url, engines.folder) as (watch, load, ledger):
        names = await watch.share(first, second)
        load.begin()
        await load.go(10)
        first.pause()
        await watch.until_owned_by(names[1:])
        await load.go(10)
        first.wake()
        await watch.share(first, second)
        await load.go(10)
        await load.finish()
        await check(load, watch, ledger)
