"""The work of `dirigent.service.plans`, and asking the providers: what stands, and what would become of it.

Rule: many are asked at once, but never too many.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Generic, TypeVar, assert_never

from dirigent.lang.schema import SCHEMAS
from dirigent.model.plan import Change, Plan, Selection
from dirigent.model.problem import Problem, Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow, keeper_of
from dirigent.model.stack import Errand, Stack
from dirigent.model.values import Template, Value, has_unknown
from dirigent.planning.destroy import plan_destroy as make_plan_destroy
from dirigent.planning.plan import Situation, evaluate_outputs, setups_standing
from dirigent.planning.plan import plan as make_plan
from dirigent.planning.remove import lets_go
from dirigent.planning.request import Adopt, Answers, Ask, Asking, Looks, Propose, Request, Wish
from dirigent.planning.rows.crossing import Crossing, became, crossings
from dirigent.planning.rows.errand import only_import
from dirigent.planning.rows.errand import plan_errand as make_plan_errand
from dirigent.planning.rows.selection import part_to_destroy, rows_of
from dirigent.planning.safety.dangers import weighed
from dirigent.planning.safety.governing import governed, of_end, policy_of
from dirigent.planning.values.setups import Setups, undeclared
from dirigent.ports import Oracle
from dirigent.ports.importing import Holding, Importing, Receiving, Rooted
from dirigent.ports.resources import (
    Configurable,
    Looking,
    Managing,
    Proposal,
    Provider,
    ProviderFailed,
    Reading,
    Succeeding,
)
from dirigent.service.plans import How, Planner

READS_AT_ONCE: Final = 16

T = TypeVar("T")


async def plan(planner: Planner, stack: Stack, inputs: Mapping[str, Value], how: How) -> Plan:
    """Return the plan for a stack.

    Raises:
        Refusal: with every problem of the stack in this world (E2xxx, E3xxx).
    """
    rows = await rows_of_stack(planner, stack.name)
    asking = setups_standing(stack, inputs, rows, planner.language)
    setups = await carry(asking, planner.providers, planner.oracle, apart=planner.apart)
    crossed = await _crossed(planner, crossings(stack, rows, planner.language), setups)
    chosen = rows_of(stack, planner.language, rows, how.selection)
    # Who is let go of need not be looked at, nor can it where its provider is gone.
    chosen = [crossed.get(row.address, row) for row in chosen if not lets_go(row, stack)]
    readings, seconds = await _read(planner, chosen, setups) if how.refresh else ({}, 0.0)
    at = planner.clock.now()
    situation = Situation(
        *(stack, planner.language, inputs, rows, readings, at, seconds, setups),
        selection=how.selection,
        schemas=SCHEMAS,
        crossed=crossed,
    )
    made = await carry(make_plan(situation), planner.providers, planner.oracle, apart=planner.apart)
    refuse_rooted(planner.providers, made)
    return governed(told_of_losses(planner.providers, made), policy_of(stack))


async def plan_errand(
    planner: Planner, name: str, stack: Stack | None, inputs: Mapping[str, Value], errand: Errand
) -> Plan:
    """Return the plan of an errand. Raises `Refusal` (E2013, E2016, E2022, E2023, E2044)."""
    rows = await rows_of_stack(planner, name)
    if stack is None or errand.adoption is None:
        crossed = await _crossed_alone(planner, stack, inputs, errand, rows) if stack is not None else {}
        made = make_plan_errand(name, rows, errand, planner.clock.now(), crossed)
        refuse_rooted(planner.providers, made)
        return made
    how = How(selection=Selection((errand.adoption.to,)))
    wanted = replace(stack, imports=(errand.adoption,))
    return only_import(await plan(planner, wanted, inputs, how), errand, rows)


async def _crossed_alone(
    planner: Planner, stack: Stack, inputs: Mapping[str, Value], errand: Errand, rows: Sequence[ResourceRow]
) -> dict[str, ResourceRow]:
    """Return the rows that an errand moves to another type, as they will be there."""
    found = crossings(stack, rows, planner.language, errand.moves)
    if not found:
        return {}
    asking = setups_standing(stack, inputs, rows, planner.language)
    setups = await carry(asking, planner.providers, planner.oracle, apart=planner.apart)
    return await _crossed(planner, found, setups)


async def _crossed(planner: Planner, found: Sequence[Crossing], setups: Setups) -> dict[str, ResourceRow]:
    """Return rows that move to another type as they will be there, by the address that they have.

    What no provider can take over is not among them: planning refuses it. Raises `Refusal` (E2017, E2032,
    E2033, E3001, E3002).
    """
    gate = asyncio.Semaphore(READS_AT_ONCE)

    async def receive(each: Crossing) -> Reading | Refusal | None:
        setup = setups.get(each.provider, {})
        provider = _provider(planner.providers, each.type, each.provider, setup)
        if provider is None:
            return Refusal([_unmanaged(each.to, each.type)])
        if not isinstance(provider, Receiving):
            return None
        async with gate:
            try:
                return await provider.receive(each.row, each.type)
            except ProviderFailed as failure:
                return refuse("E3002", f"`{each.row.address}` could not be moved: {failure}")
            except Refusal as refusal:
                return refusal

    answers = await asyncio.gather(*map(receive, found))
    problems = [
        p if p.at is not None else replace(p, at=each.span)
        for each, answer in zip(found, answers, strict=True)
        if isinstance(answer, Refusal)
        for p in answer.problems
    ]
    if problems:
        raise Refusal(dict.fromkeys(problems))
    return {
        str(each.row.address): became(each, answer)
        for each, answer in zip(found, answers, strict=True)
        if isinstance(answer, Reading)
    }


def refuse_rooted(providers: Mapping[str, Managing], made: Plan) -> None:
    """Raise `Refusal` (E2022) with every instance that is to move and that is known by its address."""
    problems: list[Problem] = []
    for change in made.changes:
        provider = providers.get(keeper_of(change.type, change.provider)) if change.moved_from else None
        if provider is not None and isinstance(provider, Rooted) and provider.rooted(change.type):
            what = f"a `{change.type}` is known by its address"
            problems.append(
                Problem(
                    "E2022",
                    f"{what}, so `{change.moved_from}` cannot become `{change.address}`",
                    at=change.span,
                    help=("keep the former name, or take the entry out of `moved` to have a new one made",),
                )
            )
    if problems:
        raise Refusal(problems)


async def plan_destroy(
    planner: Planner, name: str, stack: Stack | None, inputs: Mapping[str, Value], how: How
) -> Plan:
    """Return the plan that takes down what is selected. Raises `Refusal` (E2013, E2044, E2047, E3xxx)."""
    rows = await rows_of_stack(planner, name)
    setups: Setups = {}
    if stack is not None:
        asking = setups_standing(stack, inputs, rows, planner.language)
        setups = await carry(asking, planner.providers, planner.oracle, apart=planner.apart)
    part = part_to_destroy(how.selection, rows)
    chosen = [row for row in rows if part.has(row.name, row.address)]
    readings, seconds = await _read(planner, chosen, setups)
    now = planner.clock.now()
    made = make_plan_destroy(name, rows, readings, now, setups, how.selection)
    made = told_of_losses(planner.providers, replace(made, read_seconds=seconds))
    return governed(made, of_end(policy_of(stack)) if stack else made.policy)


def told_of_losses(providers: Mapping[str, Managing], made: Plan) -> Plan:
    """Return a plan that says what is lost by it; who manages an instance knows what it holds."""

    def holds(change: Change) -> str:
        row = change.prior
        if row is None:
            return ""
        provider = providers.get(keeper_of(row.type, row.provider))
        if provider is not None and isinstance(provider, Holding):
            return provider.holds(row, drifted=change.drifted)
        return ""

    return weighed(made, holds)


async def rows_of_stack(planner: Planner, name: str) -> list[ResourceRow]:
    """Return the rows of the store, which must be those of the stack: else a plan would delete them."""
    rows = await planner.shelf.rows()
    for row in rows[:1]:  # One apply makes rows of one stack only.
        history = await planner.shelf.history(row.address)
        run = await planner.shelf.run(history[-1][1]) if history else None
        if run is not None and run.name != name:
            raise refuse(
                "E2044",
                f"the resources in this state belong to the stack `{run.name}`, and this is `{name}`",
                "give each stack a state of its own, with `--state DIR` or in a folder of its own",
                f"a stack is known by its name: to rename it, take `{run.name}` down first",
            )
    return rows


async def evaluate(
    planner: Planner, stack: Stack, inputs: Mapping[str, Value], templates: Mapping[str, Template]
) -> dict[str, Value]:
    """Return the values of templates of a stack, as its resources stand."""
    wanted = replace(stack, outputs=dict(templates))
    asking = evaluate_outputs(wanted, inputs, await planner.shelf.rows(), planner.language)
    return await carry(asking, planner.providers, planner.oracle, apart=planner.apart)


async def _read(
    planner: Planner, rows: Sequence[ResourceRow], setups: Setups
) -> tuple[dict[str, Reading], float]:
    before = planner.clock.now()
    readings, problems = await read_all(planner.providers, rows, setups)
    if problems:
        raise Refusal(dict.fromkeys(problems))
    return readings, planner.clock.now() - before


async def read_all(
    providers: Mapping[str, Managing],
    rows: Sequence[ResourceRow],
    setups: Setups,
    at_once: int = READS_AT_ONCE,
) -> tuple[dict[str, Reading], tuple[Problem, ...]]:
    """Return what the providers see of each row, by address, and a problem for each that they cannot see.

    A row whose type no provider manages gives E3001, one whose provider is not declared E2047, a
    provider's failure E3002. Whom nobody can ask yet is not looked at: its configuration is not known.
    """
    gate = asyncio.Semaphore(at_once)

    async def look(row: ResourceRow) -> Reading | Refusal | None:
        if row.provider and row.provider not in setups:
            return Refusal([undeclared(row.address, row.provider)])
        setup = setups.get(row.provider, {})
        # What is only read is looked up when the plan wants it.
        if row.reads or has_unknown(setup):
            return None
        provider = _provider(providers, row.type, row.provider, setup)
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
    asking: Asking[T],
    providers: Mapping[str, Managing],
    oracle: Oracle,
    at_once: int = READS_AT_ONCE,
    *,
    apart: bool = False,
) -> T:
    """Run a generator of planning to its end, with answers of the providers and of the oracle.

    What it computes `apart` leaves the event loop free meanwhile.

    Raises:
        Refusal: what planning raises, with the problems of the providers in it.
    """
    asked = _Asked(providers, asyncio.Semaphore(at_once))
    answers: Answers | None = None
    while True:
        step = await asyncio.to_thread(_step, asking, answers) if apart else _step(asking, answers)
        match step:
            case _Ended(result=result):
                return result
            case Ask(questions=questions):
                answers = await oracle.answer(questions)
            case Adopt(wishes=wishes):
                answers = tuple(await asyncio.gather(*map(asked.adopt, wishes)))
            case Propose(wishes=wishes):
                answers = tuple(await asyncio.gather(*map(asked.propose, wishes)))
            case _:
                assert_never(step)


@dataclass(frozen=True, slots=True)
class _Ended(Generic[T]):
    """What a generator has come to. No future can carry its own `StopIteration`."""

    result: T


def _step(asking: Asking[T], answers: Answers | None) -> Request | _Ended[T]:
    try:
        return next(asking) if answers is None else asking.send(answers)
    except StopIteration as end:
        return _Ended(end.value)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The providers, a few at a time; what one refuses is an answer."""

    providers: Mapping[str, Managing]
    gate: asyncio.Semaphore

    async def adopt(self, wish: Wish) -> Reading | Refusal:
        """Return what exists under an id."""
        provider = _provider(self.providers, wish.type, wish.provider, wish.setup)
        if provider is None:
            return Refusal([_unmanaged(wish.address, wish.type)])
        if not isinstance(provider, Importing):
            return refuse("E2021", f"a `{wish.type}` cannot be imported, as `{wish.address}` is to be")
        async with self.gate:
            try:
                return await provider.adopt(wish.type, wish.identity, wish.config)
            except Refusal as refusal:
                return refusal
            except ProviderFailed as failure:
                return refuse("E3002", f"`{wish.address}` could not be read: {failure}")

    async def propose(self, wish: Wish) -> Proposal | Refusal:
        """Return what would become of an instance."""
        provider = _provider(self.providers, wish.type, wish.provider, wish.setup)
        if provider is None:
            return Refusal([_unmanaged(wish.address, wish.type)])
        async with self.gate:
            try:
                if wish.looks is not Looks.NOT:
                    return await _looked_up(provider, wish)
                if wish.succeeds is not None and isinstance(provider, Succeeding):
                    return await provider.succeed(wish.succeeds, wish.type, wish.config)
                return await provider.propose(wish.type, wish.prior, wish.config)
            except Refusal as refusal:
                return refusal
            except ProviderFailed as failure:
                return refuse("E3004", f"`{wish.address}` could not be planned: {failure}")


async def _looked_up(provider: Provider, wish: Wish) -> Proposal:
    if not isinstance(provider, Looking):
        raise Refusal([_unmanaged(wish.address, wish.type)])
    return await provider.look_up(wish.type, wish.config, later=wish.looks is Looks.LATER)


def _provider(
    providers: Mapping[str, Managing], type_name: str, name: str, setup: dict[str, Value]
) -> Provider | None:
    provider = providers.get(keeper_of(type_name, name))
    return provider.configured(setup) if isinstance(provider, Configurable) else provider


def _unmanaged(address: str, type_name: str) -> Problem:
    return Problem(
        "E3001",
        f"no provider manages the type `{type_name}` of `{address}`",
        help=("check the spelling of `type`, or declare its provider",),
    )
