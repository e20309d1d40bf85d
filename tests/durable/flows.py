"""Workflows that the tests run."""

import asyncio
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from dirigent.durable import (
    Cancelled,
    Retry,
    StepFailed,
    TimedOut,
    gather,
    now,
    patched,
    random,
    sleep,
    step,
    step_id,
    uuid,
    wait_event,
    within,
    workflow,
)

DONE = []
HELD, GO = threading.Event(), threading.Event()


@dataclass
class Order:
    id: int
    total: Decimal
    at: datetime


@step
async def double(x: int) -> int:
    DONE.append(("double", x))
    return 2 * x


@step
def triple(x: int) -> int:
    DONE.append(("triple", x))
    return 3 * x


@step(idempotent=True)
async def note(word: str) -> None:
    DONE.append(word)


@step
async def fail(word: str) -> None:
    DONE.append(("fail", word))
    raise ValueError(word)


@step(retry=Retry(5, delay=10.0))
async def flaky(until: int) -> int:
    DONE.append(("flaky", until))
    tried = sum(each == ("flaky", until) for each in DONE)
    if tried < until:
        raise ConnectionError(f"attempt {tried}")
    return tried


@step
async def total(order: Order) -> Order:
    return Order(order.id + 1, order.total * 2, order.at)


@workflow
async def chain(x: int, times: int = 3) -> int:
    for _ in range(times):
        x = await double(x)
    await sleep(60)
    return await triple(x)


@workflow
async def typed(order: Order) -> Order:
    assert isinstance(order.total, Decimal)
    found = await total(order)
    assert found.at == order.at.astimezone(UTC)
    return found


async def twice(x: int) -> int:
    first = await double(x)
    await sleep(10)
    return await double(first)


@workflow
async def fan(numbers: list[int]) -> list[int]:
    pairs = await gather(*[twice(n) for n in numbers])
    threes = await gather(*[triple(n) for n in numbers])
    return [*pairs, *threes]


@workflow
async def careful(word: str) -> str:
    try:
        await fail(word)
    except StepFailed as failure:
        await note(f"{failure.kind}: {failure}")
        return failure.kind
    finally:
        await note("finally")
    return "?"


@workflow
async def careless(word: str) -> None:
    await fail(word)


@workflow
async def persistent(until: int) -> int:
    return await flaky(until)


@workflow
async def parent(x: int) -> int:
    return await chain(x) + await chain(x + 1)


@workflow
async def listening() -> list[int]:
    first = await wait_event("number", int)
    second = await wait_event("number", int, timeout=100)
    return [first, second]


async def cleaned(word: str) -> None:
    try:
        await note(f"begin {word}")
        await sleep(1000)
    finally:
        await note(f"clean {word}")


@workflow
async def cancelled() -> None:
    try:
        await gather(cleaned("a"), cleaned("b"))
    except Cancelled:
        await note("all")
        raise


@workflow
async def late() -> str:
    try:
        await within(5, cleaned("x"))
    except TimedOut:
        return "late"
    return "in time"


@workflow
async def drawn() -> list[object]:
    first = [random(), str(uuid()), now().timestamp()]
    await sleep(5)
    return [*first, random(), str(uuid()), now().timestamp()]


@workflow
async def changed() -> list[str]:
    await note("before")
    found = ["new" if patched("x") else "old"]
    await sleep(10)
    found.append("new" if patched("y") else "old")
    return found


@workflow
async def first_text() -> str:
    await note("a")
    await sleep(100)
    await note("b")
    return "first"


@workflow
async def with_a_step_more() -> str:
    await note("a")
    await note("fraud")
    await sleep(100)
    await note("b")
    return "second"


@workflow
async def with_a_step_less() -> str:
    await sleep(100)
    await note("b")
    return "second"


@workflow
async def with_another_argument() -> str:
    await note("A")
    await sleep(100)
    return "second"


@workflow
async def that_ends_early() -> str:
    return "second"


@workflow
async def patched_text() -> str:
    await note("a")
    if patched("fraud"):
        await note("fraud")
    await sleep(100)
    if patched("end"):
        return "patched"
    await note("b")
    return "second"


@workflow
async def patched_for_good() -> str:
    await note("a")
    await note("fraud")
    await sleep(100)
    return "patched"


@workflow
async def foreign() -> None:
    await note("a")
    await asyncio.sleep(1)


@step
async def charge(order: int) -> str:
    DONE.append(("charge", order))
    return step_id()


@workflow
async def charging(order: int) -> str:
    return await charge(order)


@workflow
async def noting() -> None:
    await note("once")


@step(timeout=5)
async def slow() -> None:
    await asyncio.Event().wait()


@workflow(timeout=20)
async def too_slow() -> str:
    try:
        await slow()
    except TimedOut as late:
        await note(f"late: {late}")
    try:
        await sleep(1000)
    finally:
        await note("cleaned")
    return "?"


@workflow
async def unstorable() -> object:
    return await double(object())


@workflow
async def loose() -> list[str]:
    found = []
    for number in range(3):
        try:
            await gather(double(number), fail(f"f{number}"))
        except StepFailed as failure:
            found.append(failure.kind)
    return found


class Refused(Exception):
    """The author's own."""

    def __init__(self, amount: int) -> None:
        super().__init__(f"refused {amount}")
        self.amount = amount


async def refusing(amount: int) -> int:
    await double(amount)
    raise Refused(amount)


@workflow
async def own_failure() -> int:
    try:
        await gather(refusing(7), sleep(1000))
    except Refused as refused:
        return refused.amount
    return 0


# Random workflows: a tree of what to do, played by the same lines on the engine and on plain asyncio.


@step(idempotent=True)
async def act(word: str) -> str:
    DONE.append(word)
    return word


@step(idempotent=True)
async def refuse(word: str) -> str:
    raise ValueError(word)


async def play_tree(tree, act, refuse, sleep, gather):
    """Do what a tree says; returns what its leaves gave, in order."""
    verb, *parts = tree
    ways = (act, refuse, sleep, gather)
    match verb:
        case "act" | "refuse":
            found = [await (act if verb == "act" else refuse)(*parts)]
        case "sleep":
            await sleep(*parts)
            found = ["slept"]
        case "one":
            found = [each for part in parts for each in await play_tree(part, *ways)]
        case "all":
            found = [
                each for some in await gather(*[play_tree(part, *ways) for part in parts]) for each in some
            ]
        case _:
            found = await play_guarded(verb, *parts, ways)
    return found


async def play_guarded(verb, body, after, ways):
    """`try` and `finally`."""
    if verb == "try":
        try:
            return await play_tree(body, *ways)
        except (StepFailed, ValueError):
            return ["caught", *await play_tree(after, *ways)]
    try:
        return await play_tree(body, *ways)
    finally:
        await play_tree(after, *ways)


@workflow
async def any_tree(tree: list[object]) -> list[str]:
    return await play_tree(tree, act, refuse, sleep, gather)


@step(quick=True)
def divided(x: int, by: int) -> int:
    return x // by


@workflow
async def in_a_hurry(x: int) -> list[object]:
    found: list[object] = [await divided(12 * x, 6)]
    try:
        await divided(x, 0)
    except StepFailed as failure:
        found.append(failure.kind)
    return found


@step
def holding() -> None:
    HELD.set()
    GO.wait(20)
    DONE.append("held ended")


@workflow
async def undoing() -> None:
    try:
        await holding()
    finally:
        await note("undo")


async def cleaned_slowly(word: str, length: float) -> None:
    try:
        await sleep(1000)
    finally:
        await sleep(length)
        await note(f"clean {word}")


@workflow
async def cleaning() -> None:
    await gather(cleaned_slowly("a", 1), cleaned_slowly("b", 20))
