"""Plans of one errand: give something another name, let go of it, or take over what exists. Nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dirigent.model.ids import PlanId
from dirigent.model.plan import EVERYTHING, Action, Change, Plan, identity
from dirigent.model.problem import Refusal, refuse
from dirigent.model.resource import ResourceRow
from dirigent.model.stack import Errand
from dirigent.planning.plan import in_order
from dirigent.planning.remove import RELEASED, removal
from dirigent.planning.rows.moving import relocated
from dirigent.planning.rows.selection import unknown
from dirigent.planning.safety.touching import world_of


def plan_errand(
    stack: str,
    rows: Sequence[ResourceRow],
    errand: Errand,
    at: float,
    crossed: Mapping[str, ResourceRow] | None = None,
) -> Plan:
    """Return the plan that renames rows, or lets go of them; `crossed` as in `relocated`.

    Raises:
        Refusal: for what is not there (E2013), and two that would have one address (E2016).
    """
    names = dict.fromkeys(name for row in rows for name in (row.name, str(row.address)))
    words = (*(move.source for move in errand.moves), *(release.address for release in errand.releases))
    lost = [unknown(word, list(names)) for word in words if word not in names]
    if lost:
        raise Refusal(lost)
    moved = relocated(rows, errand.moves, crossed)
    gone = {release.address for release in errand.releases}
    changes: list[Change] = []
    for row in moved.rows:
        if row.address in gone or row.name in gone:
            changes.append(removal(row, None, RELEASED, released=True))
        elif row.address in moved.origin or row.address in moved.follows:
            changes.append(moved.told(_kept(row)))
    return _plan(Plan(PlanId(""), stack, at, tuple(changes), ""), rows)


def only_import(made: Plan, errand: Errand, rows: Sequence[ResourceRow]) -> Plan:
    """Return of a plan nothing but the taking over; what differs is for the next plan.

    Raises:
        Refusal: E2023 when it is managed already.
    """
    adopted = [
        replace(
            change, action=Action.KEEP, differences=(), because=f"imported as `{change.imported}`", checks=()
        )
        for change in made.changes
        if change.imported
    ]
    if not adopted and errand.adoption is not None:
        raise refuse(
            "E2023",
            f"`{errand.adoption.to}` is managed already",
            "let go of it first with `dirigent forget`, or give the other one another name",
        )
    kept = [replace(change, checks=()) for change in made.changes if not change.acts]
    whole = replace(made, changes=(*adopted, *kept), outputs={}, selection=EVERYTHING, left_out=(), checks=())
    return _plan(whole, rows)


def _kept(row: ResourceRow) -> Change:
    return Change(
        address=row.address,
        name=row.name,
        type=row.type,
        action=Action.KEEP,
        key=row.key,
        prior=row,
        needs=row.needs,
        protect=row.protect,
        provider=row.provider,
    )


def _plan(made: Plan, rows: Sequence[ResourceRow]) -> Plan:
    changes = in_order(made.changes)
    whole = replace(made, id=PlanId(""), changes=changes, fingerprint=world_of(changes, rows))
    return replace(whole, id=identity(whole))
