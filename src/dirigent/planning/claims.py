"""Who owns what of the world: two instances that both write one file would undo each other for ever.

A provider names what an instance owns alone. Nothing may have two owners in a plan, and nobody may
take over what a predecessor gives up in the same plan: the order of the two steps would decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dirigent.model.ids import DEPOSED
from dirigent.model.plan import Action, Change
from dirigent.model.problem import Label, Problem, Refusal
from dirigent.ports.resources import Reading

Claims = Mapping[str, Sequence[str]]
"""What each instance claims, by address."""

_GIVING_UP = frozenset({Action.DELETE, Action.REPLACE})


def refuse_shared(changes: Sequence[Change], wanted: Claims, readings: Mapping[str, Reading]) -> None:
    """Raise `Refusal` with every claim that is made twice (E2011), or before it is free (E2012, E2015)."""
    by_address = {str(change.address): change for change in changes}
    owners: dict[str, str] = {}
    problems: list[Problem] = []
    for address, claims in wanted.items():
        for claim in claims:
            if claim in owners:
                problems.append(_twice(claim, by_address[owners[claim]], by_address[address]))
            owners.setdefault(claim, address)
    for change in changes:
        reading = readings.get(change.address)
        # A deposed predecessor and its successor may stand at one place: only one of them is there.
        if change.action in _GIVING_UP and reading is not None and DEPOSED not in change.address:
            heirs = [(claim, owners.get(claim, change.address)) for claim in reading.claims]
            problems += [
                _too_soon(claim, change, by_address[heir])
                for claim, heir in heirs
                if heir != str(change.address)
            ]
        if change.create_first and not any(found.forces_replacement for found in change.differences):
            # Nothing tells the two apart: they would stand at one place.
            problems += [_same_place(claim, change) for claim in wanted.get(change.address, ())]
    if problems:
        raise Refusal(problems)


def _twice(claim: str, first: Change, second: Change) -> Problem:
    return Problem(
        "E2011",
        f"{claim} belongs to `{first.address}` and to `{second.address}`",
        at=second.span,
        others=(Label(first.span, "the other one"),) if first.span else (),
        help=("let one of them have it, or give them different ones",),
    )


def _same_place(claim: str, change: Change) -> Problem:
    return Problem(
        "E2015",
        f"{claim} belongs to the former `{change.address}` until it goes, so the new one cannot come first",
        at=change.span,
        help=("set `lifecycle.replace: delete-first`, or change what tells the two apart",),
    )


def _too_soon(claim: str, former: Change, heir: Change) -> Problem:
    return Problem(
        "E2012",
        f"{claim} still belongs to `{former.address}`, which this plan would {former.action.value}",
        at=heir.span,
        help=(
            f"bring the stack up without `{heir.address}` first, then add it",
            "or keep the former name: a resource is known by its name",
        ),
    )
