"""The steps of a plan and their order: makes after what they need, deletes before what they needed.

A replacement is two steps; which is the first, `safety.succession` says. An update that lets go of
something comes before that is deleted, unless the update itself waits for the deletion.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from itertools import pairwise
from typing import Final

from dirigent.model.ids import DEPOSED, bare_address
from dirigent.model.plan import Action, Change, Checked
from dirigent.model.record import dataclass
from dirigent.planning.decide import is_record
from dirigent.planning.graph import cycle_in, ordered

MOVE: Final = "move rows"
BEFORE: Final = "check-before"
AFTER: Final = "check-after"
_CHANGING: Final = frozenset((Action.CREATE, Action.UPDATE, Action.REPLACE, Action.READ))


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on the row at `address`: `action` is as `providers.apply` knows it, or asks its checks.

    `name` is unique: the address for a create or an update, else the action and the address.
    `deposes` is the address to which a create moves the row that it replaces, "" if none.
    """

    name: str
    action: str
    address: str
    change: Change
    needs: tuple[str, ...] = ()
    deposes: str = ""


@dataclass(slots=True)
class _Board:
    """The steps of the changes by address, and the edges while they are collected."""

    makes: dict[str, Step] = field(default_factory=dict)
    deletes: dict[str, Step] = field(default_factory=dict)
    imports: dict[str, Step] = field(default_factory=dict)
    before: dict[str, Step] = field(default_factory=dict)
    after: dict[str, Step] = field(default_factory=dict)
    hard: dict[str, list[str]] = field(default_factory=dict)
    soft: dict[str, list[str]] = field(default_factory=dict)
    loose: dict[str, list[str]] = field(default_factory=dict)

    @property
    def edges(self) -> tuple[dict[str, list[str]], ...]:
        """Return all edges, the most binding first."""
        return self.hard, self.soft, self.loose

    @property
    def chains(self) -> tuple[dict[str, Step], ...]:
        """Return the steps by which an instance becomes what it shall be, in their order, by address."""
        return self.before, self.imports, self.makes, self.after

    @property
    def lasts(self) -> dict[str, Step]:
        """Return the last of these steps: what waits for the instance waits for that."""
        return {address: step for chain in self.chains for address, step in chain.items()}


def in_run(change: Change) -> tuple[Checked, ...]:
    """Return the checks of an instance that are asked in the run: of a change, all that come after it."""
    changing = change.action in _CHANGING
    return tuple(each for each in change.checks if each.holds is None or (changing and not each.check.before))


def steps_of(changes: Sequence[Change]) -> tuple[Step, ...]:
    """Return the steps of all changes that do something, in an order in which they may be done."""
    board = _Board()
    _place(changes, board)
    for change in changes:
        if change.imported:
            address = str(change.address)
            board.imports[address] = Step(f"import {address}", "import", address, change)
        _place_checks(change, board)
    _order_makes(changes, board)
    _order_deletes(changes, board)
    placed = [step for chain in (*board.chains, board.deletes) for step in chain.values()]
    steps = {step.name: step for step in placed}
    edges = _without_circles(steps, board)
    done = tuple(replace(steps[name], needs=tuple(edges[name])) for name in ordered(edges))
    return _after_moves(changes, done)


def _after_moves(changes: Sequence[Change], steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Return the steps behind the one that gives rows their new addresses: all of them at once, or none."""
    first = next((change for change in changes if change.moved_from or change.follows), None)
    if first is None:
        return steps
    move = Step(MOVE, "move", first.address, first)
    return (move, *(step if step.needs else replace(step, needs=(MOVE,)) for step in steps))


def _place(changes: Sequence[Change], board: _Board) -> None:
    taken: dict[str, None] = {str(change.address): None for change in changes}
    for change in changes:
        address = str(change.address)
        match change.action:
            case Action.CREATE | Action.READ:
                board.makes[address] = Step(address, change.action.value, address, change)
            case Action.UPDATE:
                action = "record" if is_record(change) else "update"
                name = address if action == "update" else f"record {address}"
                board.makes[address] = Step(name, action, address, change)
            case Action.REPLACE:
                old = _free(address, taken) if change.create_first else address
                deposes = old if change.create_first else ""
                board.makes[address] = Step(address, "create", address, change, deposes=deposes)
                if not change.lingers:
                    board.deletes[address] = Step(f"delete {old}", "delete", old, change)
            case Action.DELETE:
                board.deletes[address] = Step(f"delete {address}", "delete", address, change)
            case Action.FORGET | Action.RELEASE:
                action = change.action.value
                board.deletes[address] = Step(f"{action} {address}", action, address, change)
            case Action.ADOPT:
                board.makes[address] = Step(f"adopt {address}", "adopt", address, change)
            case Action.KEEP:
                pass


def _place_checks(change: Change, board: _Board) -> None:
    address = str(change.address)
    asked = in_run(change)
    if any(each.check.before for each in asked):
        board.before[address] = Step(f"check before {address}", BEFORE, address, change)
    if not all(each.check.before for each in asked):
        board.after[address] = Step(f"check {address}", AFTER, address, change)


def _free(address: str, taken: dict[str, None]) -> str:
    """Return an address for the deposed row that no row of an earlier, broken replacement has."""
    candidate, number = f"{address}{DEPOSED}", 1
    while candidate in taken:
        number += 1
        candidate = f"{address}{DEPOSED}{number}"
    taken[candidate] = None
    return candidate


def _order_makes(changes: Sequence[Change], board: _Board) -> None:
    reached = makes_behind(changes, board.lasts)
    for change in changes:
        chain = [step for each in board.chains if (step := each.get(change.address)) is not None]
        if not chain:
            continue
        for need in change.needs:
            board.hard.setdefault(chain[0].name, []).extend(reached.get(need, ()))
        for earlier, later in pairwise(chain):
            board.hard.setdefault(later.name, []).append(earlier.name)
        _order_exchange(change, chain[-1], board)


def _order_exchange(change: Change, last: Step, board: _Board) -> None:
    """Of a replacement that creates first, the former one goes when the new one has passed its checks."""
    make, delete = board.makes.get(change.address), board.deletes.get(change.address)
    if make is None or delete is None:
        return
    if change.create_first:
        board.hard.setdefault(delete.name, []).append(last.name)
        return
    board.hard.setdefault(make.name, []).append(delete.name)
    adopt, asked = board.imports.get(change.address), board.before.get(change.address)
    if adopt is not None:
        board.hard.setdefault(delete.name, []).append(adopt.name)
    elif asked is not None:
        # What must hold may be known only when what it stands on is made anew: then it is asked in between.
        board.loose.setdefault(delete.name, []).append(asked.name)


def makes_behind(changes: Sequence[Change], makes: Mapping[str, Step]) -> dict[str, tuple[str, ...]]:
    """Return for each address the makes to wait for: its own, or through what is kept, those beyond it.

    `makes` are the last of the steps that create, update, record or check, by address.
    """
    needs = {str(change.address): change.needs for change in changes}
    reached: dict[str, tuple[str, ...]] = {}
    for address in ordered(needs):
        make = makes.get(address)
        if make is not None:
            reached[address] = (make.name,)
        else:
            beyond = (name for need in needs[address] for name in reached.get(need, ()))
            reached[address] = tuple(dict.fromkeys(beyond))
    return reached


def _order_deletes(changes: Sequence[Change], board: _Board) -> None:
    """What stood on a resource goes before it: deleted, or updated to stand on something else."""
    leftovers: dict[str, list[Step]] = {}
    for address, step in board.deletes.items():
        if DEPOSED in address:
            leftovers.setdefault(bare_address(address), []).append(step)
    for change in changes:
        if change.prior is None:
            continue
        leaving = board.deletes.get(change.address)
        moving = board.makes.get(change.address) if change.action is Action.UPDATE else None
        for need in change.prior.needs:
            # Nobody knows whether it stands on the successor already or still on what that has left.
            own = [board.deletes[need]] if need in board.deletes else []
            for below in (*own, *leftovers.get(need, ())):
                if below is leaving:
                    continue
                if leaving is not None:
                    board.soft.setdefault(below.name, []).append(leaving.name)
                elif moving is not None and not _waits(change, below.change):
                    board.loose.setdefault(below.name, []).append(moving.name)


def _waits(change: Change, below: Change) -> bool:
    """Return whether a change waits for the successor of what is deleted first."""
    return below.action is Action.REPLACE and not below.create_first and below.address in change.needs


def _without_circles(steps: Mapping[str, Step], board: _Board) -> dict[str, list[str]]:
    """Return the edges. Where a change of direction since the last apply makes a circle, a reverse edge goes.

    The edges of makes alone have no circle: so on each there is an edge that may go, first one that
    only lets an update come before a deletion, else the ones between deletions.
    """
    edges = {
        name: list(dict.fromkeys(need for kind in board.edges for need in kind.get(name, ())))
        for name in steps
    }
    while circle := cycle_in(edges):
        pairs = list(zip(circle, (*circle[1:], circle[0]), strict=True))
        pairs = [pair for pair in pairs if pair[1] not in board.hard.get(pair[0], ())]
        for name, need in [p for p in pairs if p[1] in board.loose.get(p[0], ())] or pairs:
            edges[name].remove(need)
    return edges
