"""Several at once, and a limit of time for a stretch. What is given up is stopped in order first."""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Generator
from datetime import timedelta
from typing import TypeAlias, TypeVar, cast, overload

from dirigent.durable.asking import HERE, Asked, Ending, Moving
from dirigent.durable.waiting import seconds_of
from dirigent.model.fault import Fault
from dirigent.model.run.code import Branch, Gather, Request
from dirigent.model.values import Value

T = TypeVar("T")
T1 = TypeVar("T1")
T2 = TypeVar("T2")
T3 = TypeVar("T3")
T4 = TypeVar("T4")
T5 = TypeVar("T5")
Member: TypeAlias = Awaitable[object]


class Together(Asked[tuple[object, ...]]):
    """Several that are awaited at once: what dirigent offers, and coroutines of the author."""

    __slots__ = ("_limit", "_members", "_name", "_taken")

    def __init__(self, name: str, members: tuple[Member, ...], limit: float | None = None) -> None:
        """Keep them."""
        super().__init__(Request(name, Gather(())), f"`{name}`")
        self._name = name
        self._members = members
        self._limit = limit
        self._taken: list[Asked[object] | Ending] = []

    def __await__(self) -> Generator[Asked[tuple[object, ...]], Value, tuple[object, ...]]:
        """Ask for all; where the coroutine is only taken down, none begins, and none complains of it."""
        found = HERE.moving
        if found is not None and found.gone:
            for member in self._members:
                if isinstance(member, Coroutine):
                    member.close()
        return super().__await__()

    def request(self, play: Moving) -> Request:
        """Ask for each of them; a coroutine becomes a branch."""
        asked: list[Request | Branch] = []
        for member in self._members:
            if isinstance(member, Asked):
                asked.append(member.request(play))
                self._taken.append(member)
            else:
                body = member if isinstance(member, Coroutine) else _awaiting(member)
                number, ending = play.beside(body)
                asked.append(Branch(number))
                self._taken.append(ending)
        return Request(self._name, Gather(tuple(asked)), seconds=self._limit)

    def result(self, value: Value) -> tuple[object, ...]:
        """Return what each of them means, in order."""
        outputs = value if isinstance(value, list) else []
        return tuple(
            each.result(output) if isinstance(each, Asked) else each.returned
            for each, output in zip(self._taken, outputs, strict=True)
        )

    def failure(self, fault: Fault) -> BaseException:
        """Return what the member raised that failed first."""
        for each in self._taken:
            if isinstance(each, Ending) and each.raised is not None and _alike(each.fault, fault):
                return each.raised
        return super().failure(fault)


async def _awaiting(member: Awaitable[T]) -> T:
    return await member


def _alike(known: Fault | None, fault: Fault) -> bool:
    if known is None:
        return False
    return (known.type, known.title, known.detail) == (fault.type, fault.title, fault.detail)


@overload
def gather(a: Awaitable[T1], /) -> Awaitable[tuple[T1]]: ...
@overload
def gather(a: Awaitable[T1], b: Awaitable[T2], /) -> Awaitable[tuple[T1, T2]]: ...
@overload
def gather(a: Awaitable[T1], b: Awaitable[T2], c: Awaitable[T3], /) -> Awaitable[tuple[T1, T2, T3]]: ...
@overload
def gather(
    a: Awaitable[T1], b: Awaitable[T2], c: Awaitable[T3], d: Awaitable[T4], /
) -> Awaitable[tuple[T1, T2, T3, T4]]: ...
@overload
def gather(
    a: Awaitable[T1], b: Awaitable[T2], c: Awaitable[T3], d: Awaitable[T4], e: Awaitable[T5], /
) -> Awaitable[tuple[T1, T2, T3, T4, T5]]: ...
@overload
def gather(*members: Awaitable[T]) -> Awaitable[tuple[T, ...]]: ...
def gather(*members: Awaitable[object]) -> Awaitable[tuple[object, ...]]:
    """Await several at once, and return their results in order.

    The first failure is raised here, after all others were stopped: steps are abandoned, coroutines get
    `Cancelled` and may clean up.
    """
    return Together("gather", members)


async def within(limit: float | timedelta, member: Awaitable[T]) -> T:
    """Await something for so many seconds at most, else stop it in order and raise `TimedOut`."""
    found = await Together("within", (member,), seconds_of(limit))
    return cast("T", found[0])
