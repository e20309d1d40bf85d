"""What every client of the contest does: read its orders, mark steps, say where it stands.

Standard library only, because it is imported by the Python of every peer's own environment.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

WARM_RUN = "warm"
PARKED_SECONDS = 2.0


@dataclass(frozen=True)
class Course:
    """One workload as the harness orders it. `again` says that the engine was killed in the middle of it."""

    workload: str
    runs: int
    steps: int
    at_once: int
    folder: str
    url: str
    again: bool
    extra: dict[str, str]


def course() -> Course:
    """Return the orders, which come in the environment as `CONTEST_...`."""
    orders = {name.removeprefix("CONTEST_").lower(): text for name, text in os.environ.items()}
    return Course(
        workload=orders["workload"],
        runs=int(orders["runs"]),
        steps=int(orders["steps"]),
        at_once=int(orders["at_once"]),
        folder=orders["folder"],
        url=orders.get("url", ""),
        again=orders.get("again") == "1",
        extra=orders,
    )


@cache
def _trace() -> int:
    return os.open(os.environ["CONTEST_TRACE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)


def mark(run: str, step: int) -> dict[str, object]:
    """Leave one line for one execution of a step, and return what the step returns.

    One write in append mode: whole lines survive a kill, whichever process wrote them.
    """
    os.write(_trace(), f"{run} {step} {time.monotonic_ns()}\n".encode())
    return {"i": step, "ok": True}


def say(word: str) -> None:
    """Tell the harness where this client stands."""
    print(word, flush=True)


def heard() -> None:
    """Wait until the harness has looked."""
    sys.stdin.readline()


def leave() -> None:
    """End at once: how long a peer takes to close is not measured."""
    sys.stdout.flush()
    os._exit(0)


class Entrant(Protocol):
    """An engine that takes part. Every method returns when all that it started has its result."""

    async def chain(self, run: str, steps: int) -> None:
        """Run so many steps one after the other."""

    async def many(self, runs: int, steps: int, at_once: int) -> None:
        """Run so many chains, named `w0` and on; those of an engine that was killed go on."""

    async def fan(self, width: int) -> None:
        """Run so many steps side by side in one run, or as the engine does that, and join them."""

    async def sleepers(self, count: int) -> None:
        """Start so many runs that sleep an hour; return when all have durably begun to."""


async def in_places(
    chain: Callable[[str, int], Awaitable[None]], runs: int, steps: int, at_once: int
) -> None:
    """Run chains, so many at a time."""
    places = asyncio.Semaphore(at_once)

    async def take(number: int) -> None:
        async with places:
            await chain(f"w{number}", steps)

    await asyncio.gather(*(take(number) for number in range(runs)))


async def take_part(entrant: Entrant, orders: Course) -> None:
    """Run the workload and end this process."""
    match orders.workload:
        case "A":
            await entrant.chain(WARM_RUN, 2)
            say("begin")
            await entrant.chain("a", orders.steps)
        case "B" | "E":
            say("begin")
            await entrant.many(orders.runs, orders.steps, orders.at_once)
        case "C":
            say("begin")
            await entrant.fan(orders.runs)
        case "D":
            say("ready")
            heard()
            say("begin")
            await entrant.sleepers(orders.runs)
            say("end")
            await asyncio.sleep(PARKED_SECONDS)
            say("parked")
            heard()
        case "F":
            await entrant.chain("f", 1)
        case _:
            sys.exit(f"there is no workload {orders.workload}")
    say("end")
    leave()
