"""The plan of `down`: everything goes, each before what it stood on. And the view of what drifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from dirigent.model.ids import PlanId
from dirigent.model.plan import Change, Plan, identity
from dirigent.model.resource import ResourceRow
from dirigent.planning.plan import in_order
from dirigent.planning.remove import refuse_protected, removals, with_setups
from dirigent.planning.safety.touching import world_of
from dirigent.planning.values.setups import Setups
from dirigent.ports import Reading

NO_SETUPS: Final[Setups] = {}


def plan_destroy(
    stack: str,
    rows: Sequence[ResourceRow],
    readings: Mapping[str, Reading],
    at: float,
    read_seconds: float = 0.0,
    setups: Setups = NO_SETUPS,
) -> Plan:
    """Return the plan that deletes every row, in reverse order of needs.

    Raises:
        Refusal: with every protected row (E2008), and every one whose provider is not known (E2047).
    """
    changes = with_setups(removals(rows, readings, None, {}), setups)
    refuse_protected(changes)
    made = Plan(
        id=PlanId(""),
        stack=stack,
        at=at,
        changes=in_order(changes),
        fingerprint=world_of(changes, rows),
        destroy=True,
        read_seconds=read_seconds,
    )
    return replace(made, id=identity(made))


def drift(plan: Plan) -> tuple[Change, ...]:
    """Return the changes whose instance differs from what was applied, or is gone."""
    return tuple(change for change in plan.changes if change.drifted)
