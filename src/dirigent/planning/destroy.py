"""The plan of `down`: everything goes, each before what it stood on. And the view of what drifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from dirigent.model.ids import PlanId
from dirigent.model.plan import EVERYTHING, Change, Plan, Selection, identity
from dirigent.model.resource import ResourceRow
from dirigent.planning.plan import in_order
from dirigent.planning.remove import refuse_protected, removals, with_setups
from dirigent.planning.rows.selection import part_to_destroy
from dirigent.planning.safety.touching import world_of
from dirigent.planning.values.setups import Setups
from dirigent.ports.resources import Reading

NO_SETUPS: Final[Setups] = {}


def plan_destroy(
    stack: str,
    rows: Sequence[ResourceRow],
    readings: Mapping[str, Reading],
    at: float,
    setups: Setups = NO_SETUPS,
    selection: Selection = EVERYTHING,
) -> Plan:
    """Return the plan that deletes every row that is selected, in reverse order of needs.

    Raises:
        Refusal: with every protected row (E2008), every one whose provider is not known (E2047), and every
            name that is not there (E2013).
    """
    part = part_to_destroy(selection, rows)
    chosen = [row for row in rows if part.has(row.name, row.address)]
    changes = with_setups(removals(chosen, readings, None, {}), setups)
    refuse_protected(changes)
    made = Plan(
        id=PlanId(""),
        stack=stack,
        at=at,
        changes=in_order(changes),
        fingerprint=world_of(changes, rows),
        destroy=True,
        selection=selection,
        left_out=tuple(sorted({str(row.address) for row in rows} - {str(row.address) for row in chosen})),
    )
    return replace(made, id=identity(made))


def drift(plan: Plan) -> tuple[Change, ...]:
    """Return the changes whose instance differs from what was applied, or is gone."""
    return tuple(change for change in plan.changes if change.drifted)
