"""What goes: rows that nothing declares any more, all rows for `down`, and what is protected from both."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final, cast

from dirigent.model.ids import DEPOSED
from dirigent.model.plan import Action, Change
from dirigent.model.problem import Problem, Refusal
from dirigent.model.resource import ResourceRow
from dirigent.model.stack import Release, Stack
from dirigent.model.values import Template
from dirigent.planning.decide import standing as stands_now
from dirigent.planning.modules.gone import modules_of, why_gone
from dirigent.planning.values.setups import Setups, undeclared
from dirigent.ports.resources import Reading

RELEASED: Final = "let go of: it stays, and is no longer managed"


def removals(
    rows: Sequence[ResourceRow],
    readings: Mapping[str, Reading],
    stack: Stack | None,
    declared: Mapping[str, Change],
) -> list[Change]:
    """Return a deletion for every row that is not declared, in the order of the rows.

    Who is gone already is only forgotten. `stack` None means that everything goes.
    """
    standing = modules_of(declared)
    return [
        removal(row, readings.get(row.address), RELEASED, released=True)
        if lets_go(row, stack)
        else removal(row, readings.get(row.address), _why(row, stack, standing))
        for row in sorted(rows, key=lambda row: row.address)
        if row.address not in declared
    ]


def removal(row: ResourceRow, reading: Reading | None, because: str, *, released: bool = False) -> Change:
    """Return the change that makes an end of a row; what is `released` stays in the world."""
    gone = reading is not None and reading.attributes is None
    return Change(
        address=row.address,
        name=row.name,
        type=row.type,
        action=(Action.FORGET if gone or row.reads else Action.RELEASE if released else Action.DELETE),
        key=row.key,
        prior=row if gone else standing_shown(row, reading),
        because=f"{because}, and already gone" if gone else because,
        drifted=gone or bool(reading and reading.config),
        protect=row.protect,
        create_first=row.create_first,
        provider=row.provider,
    )


def with_setups(changes: Sequence[Change], setups: Setups) -> list[Change]:
    """Return removals with the configuration of their providers, as it stands now.

    Raises:
        Refusal: with every row whose provider is not declared any more (E2047).
    """
    managed = [change for change in changes if change.provider and change.action is not Action.RELEASE]
    lost = [change for change in managed if change.provider not in setups]
    if lost:
        raise Refusal([undeclared(change.address, change.provider) for change in lost])
    return [
        replace(change, setup=cast("dict[str, Template]", setups[change.provider]))
        if change.provider in setups
        else change
        for change in changes
    ]


def standing_shown(row: ResourceRow, reading: Reading | None) -> ResourceRow:
    """Return the row as it stands, for people to see what would be lost."""
    return stands_now(row, reading) or row


def refuse_protected(changes: Sequence[Change]) -> None:
    """Raise `Refusal` (E2008) with every protected instance that would be deleted or replaced."""
    problems = [
        Problem(
            "E2008",
            f"`{change.address}` is protected, but this plan would {change.action.value} it: "
            f"{change.because}",
            at=change.span,
            help=_remedy(change),
        )
        for change in changes
        if change.protect and change.action in {Action.DELETE, Action.REPLACE}
    ]
    if problems:
        raise Refusal(problems)


def refuse_released(declared: Mapping[str, Change], released: Sequence[Release]) -> None:
    """Raise `Refusal` (E2018) with everything that is to be let go of and is declared all the same."""
    names = {change.name for change in declared.values()}
    problems = [
        Problem(
            "E2018",
            f"`{each.address}` is declared, so it cannot be let go of",
            at=each.span,
            help=("take it out of the stack, or the entry out of `forget`",),
        )
        for each in released
        if each.address in declared or each.address in names
    ]
    if problems:
        raise Refusal(problems)


def _remedy(change: Change) -> tuple[str, ...]:
    if change.action is Action.REPLACE:
        return ("undo the change, or set `lifecycle.protect: false`",)
    return ("declare it with `lifecycle.protect: false` and run `dirigent up` before you remove it",)


def lets_go(row: ResourceRow, stack: Stack | None) -> bool:
    """Return whether the section `forget` names a row: by its address, or all of its name."""
    names = {release.address for release in stack.released} if stack is not None else frozenset()
    return row.address in names or row.name in names


def _why(row: ResourceRow, stack: Stack | None, standing: Collection[str]) -> str:
    if stack is None:
        return "the stack goes down"
    if DEPOSED in row.address:
        return "left over from a replacement"
    return why_gone(row.address, stack, standing)
