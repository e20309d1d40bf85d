"""What is lost by what a plan destroys. An object of a foreign provider always counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from dirigent.model.plan import DESTRUCTIVE, Change, Plan, identity

FOREIGN: Final = "what it holds"


def weighed(made: Plan, holds: Callable[[Change], str]) -> Plan:
    """Return a plan whose destructive changes say what is lost; `holds` says it for types of ours."""
    changes = tuple(_weighed(change, holds) for change in made.changes)
    if changes == made.changes:
        return made
    again = replace(made, changes=changes)
    return replace(again, id=identity(again))


def foreign(changes: Iterable[Change]) -> list[Change]:
    """Return changes that say what is lost with objects of foreign providers: nobody need be asked for it."""
    return [
        _weighed(change, _never) if change.prior is not None and change.prior.provider else change
        for change in changes
    ]


def _never(_: Change) -> str:
    return ""


def _weighed(change: Change, holds: Callable[[Change], str]) -> Change:
    # What stays as a leftover is lost only when that goes.
    if change.action not in DESTRUCTIVE or change.prior is None or change.lingers:
        return change
    return replace(change, loses=FOREIGN if change.prior.provider else holds(change))
