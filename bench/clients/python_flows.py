"""The workload as durable functions of Python, in a module by which journals and workers find them."""

from __future__ import annotations

from course import mark

from dirigent import gather, sleep, step, workflow
from dirigent.durable.context import PERFORMANCE

HOUR = 3600.0


@step
async def work(run: str, number: int) -> dict[str, object]:
    """Do one step."""
    return mark(run, number)


@step
def outside(number: int) -> dict[str, object]:
    """Do one step in the process of a worker; its run is known there without being told."""
    return mark(PERFORMANCE.get().run, number)


@workflow
async def chain(run: str, steps: int) -> int:
    """Run steps one after the other."""
    for number in range(steps):
        await work(run, number)
    return steps


@workflow
async def fan(width: int) -> int:
    """Run steps side by side."""
    return len(await gather(*(work("c", number) for number in range(width))))


@workflow
async def nap() -> None:
    """Sleep durably."""
    await sleep(HOUR)
