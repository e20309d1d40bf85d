"""Temporal: the Python SDK as worker and client of a development server; `local` makes local activities."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from course import course, in_places, mark, take_part
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

ORDERS = course()
ACTIVITY = (
    workflow.execute_local_activity if ORDERS.extra.get("variant") == "local" else workflow.execute_activity
)
LIMIT = timedelta(seconds=60)
STARTED_AT_ONCE = 100


@activity.defn
async def step(run: str, number: int) -> dict:
    """Do one step."""
    return mark(run, number)


@workflow.defn(sandboxed=False)
class Chain:
    """Steps one after the other."""

    @workflow.run
    async def run(self, run: str, steps: int) -> int:
        """Run them."""
        for number in range(steps):
            await ACTIVITY(step, args=[run, number], start_to_close_timeout=LIMIT)
        return steps


@workflow.defn(sandboxed=False)
class Fan:
    """Steps side by side."""

    @workflow.run
    async def run(self, width: int) -> int:
        """Run them."""
        each = (ACTIVITY(step, args=["c", n], start_to_close_timeout=LIMIT) for n in range(width))
        return len(await asyncio.gather(*each))


@workflow.defn(sandboxed=False)
class Nap:
    """An hour of sleep."""

    @workflow.run
    async def run(self) -> None:
        """Sleep."""
        await asyncio.sleep(3600)


class Temporal:
    """Starts workflows on the server and waits for their results."""

    def __init__(self, client: Client) -> None:
        """Keep the connection."""
        self.client = client

    async def chain(self, run: str, steps: int) -> None:
        """Run one chain; the id finds the one that there is, also when it has ended."""
        try:
            handle = await self.client.start_workflow(
                Chain.run,
                args=[run, steps],
                id=run,
                task_queue="q",
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
        except WorkflowAlreadyStartedError:
            handle = self.client.get_workflow_handle(run)
        await handle.result()

    async def many(self, runs: int, steps: int, at_once: int) -> None:
        """Run chains, so many at a time."""
        await in_places(self.chain, runs, steps, at_once)

    async def fan(self, width: int) -> None:
        """Run the steps side by side in one workflow."""
        await self.client.execute_workflow(Fan.run, width, id="fan", task_queue="q")

    async def sleepers(self, count: int) -> None:
        """Start them."""
        places = asyncio.Semaphore(STARTED_AT_ONCE)

        async def start(number: int) -> None:
            async with places:
                await self.client.start_workflow(Nap.run, id=f"n{number}", task_queue="q")

        await asyncio.gather(*(start(number) for number in range(count)))


async def connected() -> Client:
    """Return a connection, once the server answers."""
    for _ in range(100):
        try:
            return await Client.connect(ORDERS.url)
        except (RPCError, RuntimeError):
            await asyncio.sleep(0.2)
    raise SystemExit(f"no server answers at {ORDERS.url}")


async def main() -> None:
    """Take part."""
    client = await connected()
    async with Worker(
        client,
        task_queue="q",
        workflows=[Chain, Fan, Nap],
        activities=[step],
        workflow_runner=UnsandboxedWorkflowRunner(),
        max_concurrent_activities=1000,
        max_concurrent_workflow_tasks=100,
        max_concurrent_local_activities=1000,
    ):
        await take_part(Temporal(client), ORDERS)


asyncio.run(main())
