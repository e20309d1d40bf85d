"""Workflows that the tests run."""

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
    uuid,
    wait_event,
    within,
    workflow,
)

DONE = []


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
