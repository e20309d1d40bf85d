"""Asking the providers, many at once but never too many: what stands, and what would become of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.resource import ResourceRow
from dirigent.planning.request import Answers, Ask, Asking, Wish
from dirigent.ports import Oracle, Proposal, Provider, ProviderFailed, Reading

READS_AT_ONCE: Final = 16

T = TypeVar("T")


async def read_all(
    providers: Mapping[str, Provider], rows: Sequence[ResourceRow], at_once: int = READS_AT_ONCE
) -> tuple[dict[str, Reading], tuple[Problem, ...]]:
    """Return what the providers see of each row, by address, and a problem for each that they cannot see.

    A row whose type no provider manages gives E3001, a provider's failure E3002.
    """
    gate = asyncio.Semaphore(at_once)

    async def look(row: ResourceRow) -> Reading | Refusal:
        provider = providers.get(row.type)
        if provider is None:
            return Refusal([_unmanaged(row.address, row.type)])
        async with gate:
            try:
                return await provider.read(row)
            except ProviderFailed as failure:
                return refuse("E3002", f"`{row.address}` could not be read: {failure}")
            except Refusal as refusal:
                return refusal

    seen = await asyncio.gather(*(look(row) for row in rows))
    found = list(zip(rows, seen, strict=True))
    readings = {str(row.address): seen for row, seen in found if isinstance(seen, Reading)}
    refusals = (seen for _, seen in found if isinstance(seen, Refusal))
    return readings, tuple(problem for refusal in refusals for problem in refusal.problems)


async def carry(
    asking: Asking[T], providers: Mapping[str, Provider], oracle: Oracle, at_once: int = READS_AT_ONCE
) -> T:
    """Run a generator of planning to its end, with answers of the providers and of the oracle.

    Raises:
        Refusal: what planning raises, with the problems of the providers in it.
    """
    gate = asyncio.Semaphore(at_once)

    async def propose(wish: Wish) -> Proposal | Refusal:
        provider = providers.get(wish.type)
        if provider is None:
            return Refusal([_unmanaged(wish.address, wish.type)])
        async with gate:
            try:
                return await provider.propose(wish.type, wish.prior, wish.config)
            except Refusal as refusal:
                return refusal
            except ProviderFailed as failure:
                return refuse("E3004", f"`{wish.address}` could not be planned: {failure}")

    try:
        request = next(asking)
        while True:
            if isinstance(request, Ask):
                answers: Answers = await oracle.answer(request.questions)
            else:
                answers = tuple(await asyncio.gather(*(propose(wish) for wish in request.wishes)))
            request = asking.send(answers)
    except StopIteration as end:
        result: T = end.value
        return result


def _unmanaged(address: str, type_name: str) -> Problem:
    return Problem(
        "E3001",
        f"no provider manages the type `{type_name}` of `{address}`",
        help=("check the spelling of `type`, or declare its provider",),
    )
