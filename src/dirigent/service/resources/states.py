"""Look at what is managed, with its history, and take what others have made.

Rule: an adoption is a plan as any other: shown, approved, and carried out as a run.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dirigent.model.ids import RunId
from dirigent.model.plan import Difference, Plan
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.stack import Stack
from dirigent.model.values import Value
from dirigent.planning.rows.adopt import declared_needs, plan_adoption
from dirigent.planning.values.difference import differences
from dirigent.ports import Shelf
from dirigent.service.asking import carry, rows_of_stack
from dirigent.service.plans import Planner

CREATED, CHANGED, DELETED = "created", "changed", "deleted"


@dataclass(frozen=True, slots=True)
class Revision:
    """What one run made of an instance: `created`, `changed` or `deleted`; `row` is None when it is gone.

    `number` counts from 1. `differences` are those of the attributes to the revision before.
    """

    number: int
    at: float
    run: RunId
    what: str
    row: ResourceRow | None
    differences: tuple[Difference, ...] = ()


async def row_named(shelf: Shelf, address: str) -> ResourceRow:
    """Return an instance by its address. Raises `Refusal` (E3061)."""
    row = await shelf.row(address)
    if row is None:
        raise _unknown(address, [str(each.address) for each in await shelf.rows()])
    return row


async def revisions(shelf: Shelf, address: str) -> list[Revision]:
    """Return what an instance was and is, oldest first, also when it is gone. Raises `Refusal` (E3061)."""
    found: list[Revision] = []
    before: ResourceRow | None = None
    for number, (at, run, row) in enumerate(await shelf.history(address), 1):
        what = DELETED if row is None else CREATED if before is None else CHANGED
        changed = _changed(before, row) if what == CHANGED else ()
        found.append(Revision(number, at, run, what, row, changed))
        before = row
    if not found:
        raise _unknown(address, [str(each.address) for each in await shelf.rows()])
    return found


async def adoption(
    planner: Planner,
    stack: Stack,
    inputs: Mapping[str, Value],
    rows: Sequence[ResourceRow],
    *,
    replacing: bool = False,
) -> Plan:
    """Return the plan that adopts rows: those of declared resources need what the stack says that they need.

    Raises:
        Refusal: E2044 when the state is of another stack, E3058 for an instance that is known already, and
            what is wrong with the references of the stack.
    """
    standing = await rows_of_stack(planner, stack.name)
    coming = {row.address for row in rows}
    together = [*rows, *(row for row in standing if row.address not in coming)]
    asking = declared_needs(stack, inputs, together, planner.language)
    needs = await carry(asking, planner.providers, planner.oracle)
    placed = [replace(row, needs=needs[row.name]) if _declared(row, needs) else row for row in rows]
    return plan_adoption(stack.name, placed, standing, planner.clock.now(), replacing=replacing)


def _declared(row: ResourceRow, needs: Mapping[str, Sequence[str]]) -> bool:
    # What a replacement has left keeps what it stood on: the stack says nothing of it any more.
    return row.name in needs and "#" not in row.address


def _changed(before: ResourceRow | None, row: ResourceRow | None) -> tuple[Difference, ...]:
    if before is None or row is None:
        return ()
    found = differences(before.attributes, row.attributes)
    own = differences(_own(before), _own(row))
    return (*found, *own)


def _own(row: ResourceRow) -> dict[str, Value]:
    first = {"createFirst": True} if row.create_first else {}
    return {"needs": [*row.needs], "protect": row.protect, "tainted": row.tainted, **first}


def _unknown(address: str, known: Sequence[str]) -> Refusal:
    near = difflib.get_close_matches(address, known, n=1)
    return refuse(
        "E3061",
        f"no instance `{address}` is managed here",
        f"did you mean `{near[0]}`?" if near else "list them with `dirigent state list`",
    )
