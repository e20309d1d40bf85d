"""Revisions: what stood after each apply, and the plan that turns what stands into that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dirigent.model.ids import PlanId, RunId
from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.run.summary import RunSummary
from dirigent.model.stack import Stack
from dirigent.model.values import Value
from dirigent.planning.plan import setups_standing
from dirigent.planning.safety.governing import governed, policy_of
from dirigent.planning.safety.rollback import Return, plan_rollback
from dirigent.ports import Journal, Shelf
from dirigent.ports.applies import APPLY
from dirigent.service.asking import carry, read_all, rows_of_stack, told_of_losses
from dirigent.service.plans import Planner
from dirigent.service.safety.leases import applies_of

LISTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Revision:
    """An apply that has ended, and how many instances its plan was to change, by the word for it."""

    run: RunSummary
    counts: dict[str, int]
    plan: str = ""
    rollback: str = ""


async def revisions(shelf: Shelf, journal: Journal, limit: int = LISTED) -> list[Revision]:
    """Return what there is to go back to, newest first: every apply that has ended and is still known."""
    found: list[Revision] = []
    for run in await _ended(shelf):
        if len(found) == limit:
            break
        program = await journal.definition(run.definition)
        made = await shelf.plan(PlanId(program.version))
        counts: dict[str, int] = {}
        for change in made.pending if made is not None else ():
            counts[change.action.value] = counts.get(change.action.value, 0) + 1
        found.append(Revision(run, counts, program.version, made.rollback if made is not None else ""))
    return found


async def revision(shelf: Shelf, wanted: str) -> RunSummary:
    """Return the apply that a person names: by its id, or by how many applies ago it was (`1` if empty).

    Raises:
        Refusal: E2050 when there is none, or when it has not ended.
    """
    ended = await _ended(shelf)
    if not wanted or wanted.isdecimal():
        ago = int(wanted or "1")
        if ago < len(ended):
            return ended[ago]
        raise refuse(
            "E2050",
            f"there is no apply `{ago}` before the last: `{len(ended)}` have ended here",
            "list them with `dirigent revisions`; to take everything down there is `dirigent down`",
        )
    for run in ended:
        if run.id == wanted:
            return run
    raise refuse(
        "E2050",
        f"`{wanted}` is no apply that has ended here",
        "list what there is to go back to with `dirigent revisions`",
    )


async def rows_after(shelf: Shelf, run: RunSummary) -> list[ResourceRow]:
    """Return the rows that stood when an apply ended, by address."""
    ended = run.ended_at or 0.0
    found: list[ResourceRow] = []
    for address in await applies_of(shelf).addresses():
        past = [row for at, _, row in await shelf.history(address) if at <= ended]
        if past and past[-1] is not None:
            found.append(past[-1])
    return found


async def plan_back(planner: Planner, stack: Stack, inputs: Mapping[str, Value], to: RunSummary) -> Plan:
    """Return the plan that brings back what stood after an apply.

    Raises:
        Refusal: E2044 for rows of another stack, and what `plan_rollback` raises.
    """
    rows = await rows_of_stack(planner, stack.name)
    asking = setups_standing(stack, inputs, rows, planner.language)
    setups = await carry(asking, planner.providers, planner.oracle)
    before = planner.clock.now()
    readings, problems = await read_all(planner.providers, rows, setups)
    if problems:
        raise Refusal(dict.fromkeys(problems))
    now = planner.clock.now()
    then = await rows_after(planner.shelf, to)
    back = Return(stack, RunId(to.id), then, rows, readings, now, now - before, setups)
    made = await carry(plan_rollback(back), planner.providers, planner.oracle)
    return governed(told_of_losses(planner.providers, made), policy_of(stack))


async def _ended(shelf: Shelf) -> list[RunSummary]:
    """Return the applies that have ended, the last one to end first."""
    ended = [run for run in await shelf.runs(limit=LISTED) if run.kind == APPLY and not run.open]
    return sorted(ended, key=lambda run: run.ended_at or 0.0, reverse=True)
