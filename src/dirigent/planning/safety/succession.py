"""Which comes first when something is made anew, the successor or the end of the former one.

Who creates first forces it on everything that it stands on, whether it is replaced itself or not: else it
would stand on something gone until its own turn comes. What is left out of a plan, and what goes, has a say
too, by what its row remembers. What was only looked up is never replaced, but passes the demand on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Final

from dirigent.model.plan import Action, Change, Difference
from dirigent.model.record import dataclass
from dirigent.model.resource import Replace, ResourceRow
from dirigent.model.source import Span
from dirigent.planning.decide import is_record

PATH: Final = "lifecycle.replace"
_ORDERS: Final = {True: Replace.CREATE_FIRST.value, False: Replace.DELETE_FIRST.value}


@dataclass(frozen=True, slots=True)
class Succession:
    """What the lifecycles say. `wanted` has every managed instance, by address, and whether it creates first.

    `beside` are the rows that a plan leaves out; `claims` what an instance alone may own, by address. Where
    nothing of that changes, the successor would stand at the place of the former one: then nobody but itself,
    or who is replaced with it, can want it there first. `places` are those of `lifecycle.replace`.
    """

    wanted: Mapping[str, bool]
    beside: Sequence[ResourceRow] = ()
    claims: Mapping[str, Sequence[str]] = field(default_factory=dict)
    places: Mapping[str, Span | None] = field(default_factory=dict)

    def spread(self, declared: Sequence[Change], going: Sequence[Change] = ()) -> list[Change]:
        """Return what is declared, each told how it is replaced and what its row shall remember of it.

        Where only that is to be remembered, a change that keeps becomes an update of our own row.
        """
        needs: dict[str, Sequence[str]] = {str(row.address): row.needs for row in self.beside}
        needs |= {str(change.address): change.needs for change in declared}
        wishing = [address for address, first in self.wanted.items() if first]
        staying = [*wishing, *(row.address for row in self.beside if row.create_first)]
        kept = _below(staying, needs)
        leaving = {str(change.address): change.prior.needs for change in going if change.prior is not None}
        now = _below([*staying, *(c.address for c in going if c.create_first)], needs | leaving)
        replaced = [c.address for c in declared if c.action is Action.REPLACE and self.wanted.get(c.address)]
        together = _below(replaced, needs)
        alone = {c.address: None for c in declared if self._fixed(c) and c.address not in together}
        return [
            self._told(
                change,
                first=change.address in now and change.address not in alone,
                kept=change.address in kept,
            )
            if change.address in self.wanted
            else change
            for change in declared
        ]

    def _fixed(self, change: Change) -> bool:
        forced = any(found.forces_replacement for found in change.differences)
        return change.action is Action.REPLACE and not forced and bool(self.claims.get(change.address))

    def _told(self, change: Change, *, first: bool, kept: bool) -> Change:
        create_first = first and change.action is Action.REPLACE
        told = replace(change, create_first=create_first, create_first_kept=kept)
        row = change.prior
        if row is None or row.create_first is kept or change.imported:
            return told
        # What others alone demand of it is worth no step: its row learns of it with its next change.
        if kept and not self.wanted[change.address]:
            return told
        if change.action is not Action.KEEP and not is_record(change):
            return told
        at = self.places.get(change.address)
        found = Difference(PATH, _ORDERS[row.create_first], _ORDERS[kept], span=at)
        because = change.because or f"only what Dirigent keeps about it changes: `{PATH}`"
        found_all = (*change.differences, found)
        return replace(told, action=Action.UPDATE, differences=found_all, because=because)


def _below(seeds: Iterable[str], needs: Mapping[str, Sequence[str]]) -> dict[str, None]:
    """Return the seeds and all that they stand on, however far down."""
    marked: dict[str, None] = {}
    pending = list(seeds)
    while pending:
        address = pending.pop()
        if address not in marked:
            marked[address] = None
            pending.extend(needs.get(address, ()))
    return marked
