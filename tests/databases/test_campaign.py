"""Engines are killed, paused and ended at any moment, and nothing is lost. `DIRIGENT_CAMPAIGN=50`: 50 times.

That the audit would notice is tried as well, with an engine that does not check its token.
"""

import asyncio
import os
import time
from itertools import cycle
from pathlib import Path
from zlib import crc32

import pytest

from databases.rig import SECONDS, check, working
from stores.samples import in_loop

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("DIRIGENT_CAMPAIGN", "10"))
PLANTED = str(Path(__file__).parent / "planted.py")
WAYS = ("kill", "pause", "kill", "end", "pause")
# After a kill nobody else may wait longer.
TAKEOVER_SECONDS = 6.0
# What is still on its way to the database when its engine is paused is written by its owner.
UNDER_WAY_SECONDS = 0.3


async def struck(way, victim, other, watch, load):
    """Do something to an engine, and return how long the other one needed to take its shards."""
    names = await watch.share(victim, other)
    if way == "kill":
        victim.kill()
    elif way == "pause":
        victim.pause()
    else:
        victim.process.terminate()
        await watch.without(names[0])
    took = await watch.until_owned_by(names[1:])
    if way == "end":
        victim.last_words()
    await load.go(5)
    victim.wake() if way == "pause" else victim.start()
    return took


@in_loop
async def test_nothing_is_lost_whatever_happens_to_engines(engines):
    both = [engines().start(), engines().start()]
    took = {"kill": [], "pause": [], "end": []}
    async with working(engines.url, engines.folder) as (watch, load, ledger):
        load.begin()
        for number, way in zip(range(ROUNDS), cycle(WAYS), strict=False):
            # A moment that is another in each round, and the same in each campaign.
            await asyncio.sleep(crc32(b"%d" % number) % 500 / 1000)
            victim = both[crc32(b"who %d" % number) % 2]
            other = both[1 - both.index(victim)]
            took[way].append(await struck(way, victim, other, watch, load))
        await watch.share(*both)
        await load.finish()
        await check(load, watch, ledger)
        twice = sum(count - 1 for count in ledger.puts.values())
        print(f"{len(load.ended)} runs, {ROUNDS} faults, {twice} idempotent calls repeated")
        print({way: f"at most {max(times, default=0):.2f} s" for way, times in took.items()})
    assert max(took["kill"]) < TAKEOVER_SECONDS


async def stale_after_a_pause(engines, fault, *changes, rounds=1):
    """Pause an engine with a planted fault until it was replaced, wake it, and count what it writes then.

    Whether it has something to write just then is chance: up to so many rounds, until it did.
    """
    faulty, sound = engines(PLANTED, fault).start(), engines().start()
    async with working(engines.url, engines.folder) as (watch, load, _):
        await watch.share(faulty, sound)
        for change in changes:
            await watch.session.execute(change)
        load.begin()
        for _ in range(rounds):
            await woken(faulty, sound, watch, load)
            if await watch.stale():
                break
            if faulty.process.poll() is not None:
                faulty.start()
        return await watch.stale()


async def woken(faulty, sound, watch, load):
    """Pause an engine until it was replaced, and wake it; return when it has done what it will do."""
    names = await watch.share(faulty, sound)
    await load.go(10)
    faulty.pause()
    await asyncio.sleep(UNDER_WAY_SECONDS)
    await watch.until_owned_by(names[1:])
    await load.go(10)
    faulty.wake()
    end = time.monotonic() + SECONDS
    while not (await watch.stale() or faulty.process.poll() is not None or await watch.owns_some(names[0])):
        assert time.monotonic() < end
        await asyncio.sleep(0.02)


@in_loop
async def test_the_token_alone_stops_an_engine_that_trusts_no_clock(engines):
    assert await stale_after_a_pause(engines, "blind") == 0


@in_loop
async def test_an_engine_that_neither_token_nor_key_stops_is_caught(engines):
    no_key = (
        "alter table dirigent.journal drop constraint journal_pkey",
        "create index on dirigent.journal (run, position)",
    )
    assert await stale_after_a_pause(engines, "unfenced", *no_key, rounds=8) > 0
