"""Restate: handlers of the Python SDK under hypercorn, called over HTTP by the server beside them."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import httpx
import hypercorn.asyncio
import restate
from course import Course, course, in_places, mark, take_part

CONNECTIONS = 200
STARTED_AT_ONCE = 100
service = restate.Service("bench")


def step(context: restate.Context, run: str, number: int):
    """Begin one step, and return what awaits its result."""

    async def body():
        return mark(run, number)

    return context.run_typed(f"s{number}", body)


@service.handler()
async def chain(context: restate.Context, given: dict) -> int:
    """Run steps one after the other."""
    for number in range(given["steps"]):
        await step(context, given["run"], number)
    return given["steps"]


@service.handler()
async def fan(context: restate.Context, width: int) -> int:
    """Run steps side by side."""
    return len(await restate.gather(*[step(context, "c", number) for number in range(width)]))


@service.handler()
async def nap(context: restate.Context, _given: int) -> int:
    """Sleep durably."""
    await context.sleep(timedelta(hours=1))
    return 0


class Restate:
    """Calls the handlers through the ingress of the server."""

    def __init__(self, client: httpx.AsyncClient, orders: Course) -> None:
        """Keep where the server is."""
        self.client = client
        self.ingress = orders.url
        self.admin = orders.extra["admin"]
        self.address = f"http://127.0.0.1:{orders.extra['handlers_port']}"

    async def register(self) -> None:
        """Tell the server where the handlers are."""
        for _ in range(200):
            try:
                asked = {"uri": self.address, "force": True}
                if (await self.client.post(f"{self.admin}/deployments", json=asked)).is_success:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)
        raise SystemExit("the server does not take the deployment")

    async def call(self, handler: str, given: object, key: str) -> None:
        """Call a handler and wait for its result; the key finds the call that there is."""
        for _ in range(300):
            answer = await self.client.post(
                f"{self.ingress}/bench/{handler}", json=given, headers={"idempotency-key": key}
            )
            if answer.is_success:
                return
            await asyncio.sleep(0.1)
        raise SystemExit(answer.text)

    async def chain(self, run: str, steps: int) -> None:
        """Run one chain."""
        key = f"{run}-{time.time()}" if run == "warm" else run
        await self.call("chain", {"run": run, "steps": steps}, key)

    async def many(self, runs: int, steps: int, at_once: int) -> None:
        """Run chains, so many at a time."""
        await in_places(self.chain, runs, steps, at_once)

    async def fan(self, width: int) -> None:
        """Run the steps side by side in one handler."""
        await self.call("fan", width, "fan")

    async def sleepers(self, count: int) -> None:
        """Send them: the server has taken each durably when it answers."""
        places = asyncio.Semaphore(STARTED_AT_ONCE)

        async def start(number: int) -> None:
            async with places:
                await self.call("nap/send", 1, f"n{number}")

        await asyncio.gather(*(start(number) for number in range(count)))


async def main() -> None:
    """Take part."""
    orders = course()
    settings = hypercorn.Config()
    settings.bind = [f"127.0.0.1:{orders.extra['handlers_port']}"]
    settings.h2_max_concurrent_streams = 10_000
    settings.loglevel = "ERROR"
    never = asyncio.Event()
    app = restate.app(services=[service])
    serving = asyncio.create_task(hypercorn.asyncio.serve(app, settings, shutdown_trigger=never.wait))
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(timeout=None, limits=limits) as client:
        engine = Restate(client, orders)
        await engine.register()
        await take_part(engine, orders)
    await serving


asyncio.run(main())
