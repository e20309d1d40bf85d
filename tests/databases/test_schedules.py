"""Schedules on one database of several engines: each time and each event starts one run, whoever dies."""

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise

import pytest

from databases.rig import SECONDS, working
from stores.samples import in_loop

pytestmark = pytest.mark.slow

STACK = """
stack: shop
schedules:
  beat: {misfire: all}
workflows:
  beat:
    document: {dsl: 1.0.3, namespace: shop, name: beat, version: 1.0.0}
    schedule: {every: {milliseconds: 500}}
    do: [{look: {set: {alive: true}}}]
  ship:
    document: {dsl: 1.0.3, namespace: shop, name: ship, version: 1.0.0}
    schedule:
      on:
        all:
          - with: {type: paid}
            correlate: {order: {from: .data.order}}
          - with: {type: packed}
            correlate: {order: {from: .data.order}}
    do: [{ship: {set: {shipped: '${ .[0].data.order }'}}}]
"""


def event(kind, order):
    return {
        "specversion": "1.0",
        "id": f"{kind}-{order}",
        "source": "/test",
        "type": kind,
        "data": {"order": order},
    }


class Shop:
    """The stack on a database, its events, and the runs that they started."""

    def __init__(self, engines, watch, store):
        self.engines, self.watch, self.store, self.orders = engines, watch, store, []

    def up(self):
        (self.engines.folder / "stack.yaml").write_text(STACK)
        done = subprocess.run(
            [sys.executable, "-m", "dirigent", "up", "--yes"],
            capture_output=True, text=True, cwd=self.engines.folder, timeout=99, check=False,
            env={**os.environ, "DIRIGENT_STORE": self.engines.url},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr

    async def publish(self, *orders):
        """Pay all orders, then pack them the other way round: many have begun at once."""
        self.orders += orders
        pairs = [event("paid", order) for order in orders]
        pairs += [event("packed", order) for order in reversed(orders)]
        for each in pairs:
            await self.store.log.take_events([(0.0, each)])

    async def runs(self, name):
        found = await self.store.runs(limit=10_000)
        return [run for run in reversed(found) if run.id.startswith(f"shop.{name}@")]

    async def shipped(self):
        """Return when every order has had its run, which has ended."""
        await self.until("ship", len(self.orders))

    async def beats(self, more):
        await self.until("beat", len(await self.runs("beat")) + more)

    async def until(self, name, count):
        end = time.monotonic() + SECONDS
        while len([run for run in await self.runs(name) if not run.open]) < count:
            assert time.monotonic() < end, await self.runs(name)
            await asyncio.sleep(0.05)

    async def owner(self, schedule):
        """Return the engine that drives a schedule."""
        query = "select s.owner from dirigent.shards s join dirigent.runs r on r.shard = s.id where r.id = $1"
        return await self.watch.session.fetchval(query, f"schedule:shop.{schedule}/1")

    async def check(self):
        """Each order was shipped once, and no time was passed over or came twice."""
        inputs = [(await self.store.read(run.id))[0].input for run in await self.runs("ship")]
        shipped = Counter(tuple(sorted(each["id"] for each in given)) for given in inputs)
        assert shipped == Counter((f"packed-{order}", f"paid-{order}") for order in self.orders)
        times = sorted([(await self.store.read(run.id))[0].origin.due for run in await self.runs("beat")])
        steps = {round(later - sooner, 3) for sooner, later in pairwise(times)}
        assert steps == {0.5}, times
        assert await self.watch.stale() == 0


@in_loop
async def test_schedules_go_on_through_the_death_of_engines_and_lose_nothing(engines):
    both = [engines().start(), engines().start()]
    async with working(engines.url, engines.folder) as (watch, load, _):
        names = await watch.share(*both)
        shop = Shop(engines, watch, load.conductor.journal)
        shop.up()
        await shop.publish(1, 2)
        await shop.shipped()
        dying = both[names.index(await shop.owner("ship"))]
        await shop.publish(3, 4)
        dying.kill()
        await shop.publish(5, 6)
        await shop.shipped()
        await shop.beats(2)
        for each in both:
            each.kill()
        # Nobody is there.
        await shop.publish(7, 8)
        engines().start()
        await shop.shipped()
        await shop.beats(2)
        await shop.check()
        # The control: an order that was lost is seen.
        shop.orders.append(9)
        with pytest.raises(AssertionError):
            await shop.check()
