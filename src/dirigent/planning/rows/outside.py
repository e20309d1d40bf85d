"""What a plan leaves out, as it comes to light, and what of the plan must bow to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from dirigent.model.ids import DEPOSED, bare_address, declared_path
from dirigent.model.plan import Action, Change, Selection
from dirigent.model.problem import Refusal
from dirigent.model.resource import ResourceRow
from dirigent.model.values import Value
from dirigent.planning.expand import Instance
from dirigent.planning.rows.selection import Part, modules_around, unknown

# How many names a warning shows.
_SHOWN = 3


class Outside:
    """What is left out of a plan: resources as a whole, and instances."""

    def __init__(self, part: Part, rows: Sequence[ResourceRow]) -> None:
        """Begin with what stands and is not in the part."""
        self._part = part
        self._rows = rows
        self.rows = out = [row for row in rows if not part.has(row.name, row.address)]
        self._left: dict[str, None] = {}
        self._users: dict[str, list[str]] = {}
        for row in out:
            for need in row.needs:
                self._users.setdefault(need, []).append(row.address)
        self._standing: dict[str, dict[str, Value]] = {}
        for row in out:
            if DEPOSED not in row.address:
                self._standing.setdefault(row.name, {})[row.address] = row.attributes

    def standing(self, name: str) -> dict[str, Value]:
        """Return the attributes of what stands of a resource and is left out, by address."""
        return self._standing.get(name, {})

    def note(self, name: str) -> None:
        """Take down that a resource, or an instance, is left out."""
        self._left[name] = None

    def inside(self, instances: Iterable[Instance]) -> Iterator[Instance]:
        """Yield the instances that the plan is for; note the others."""
        for instance in instances:
            if self._part.has(instance.resource.name, instance.address):
                yield instance
            else:
                self.note(instance.address)

    def removable(self, declared: Mapping[str, Change]) -> list[ResourceRow]:
        """Return the rows that may go when nothing declares them: those on which nothing outside stands."""
        found: list[ResourceRow] = []
        for row in self._rows:
            if not self._part.has(row.name, row.address):
                if row.name not in self._left:
                    self.note(row.address)
            elif row.address in self._users and row.address not in declared:
                self.note(row.address)
            else:
                found.append(row)
        return found

    def beside(self, change: Change) -> Change:
        """Return a replacement as it can be done while what stands on the former one does not move."""
        users = self._users.get(change.address, [])
        if change.action is not Action.REPLACE or not users:
            return change
        shown = ", ".join(f"`{user}`" for user in users[:_SHOWN]) + (" and more" * (len(users) > _SHOWN))
        if change.create_first:
            warning = f"the former one stays, for {shown} stands on it and is left out of this plan"
        else:
            warning = f"{shown} stands on it and is left out of this plan: it does not learn of the new one"
        return replace(change, lingers=change.create_first, warnings=(*change.warnings, warning))

    def names(self) -> tuple[str, ...]:
        """Return what is left out, sorted."""
        return tuple(sorted(self._left))

    def refuse_unmatched(self, selection: Selection, known: Iterable[str]) -> None:
        """Raise `Refusal` (E2013) with every instance that the user named and that is not there."""
        there = dict.fromkeys((*known, *self._left))
        for row in self._rows:
            there |= {row.address: None, row.name: None, declared_path(row.name): None}
        there |= {each: None for name in list(there) for each in modules_around(name)}
        words = dict.fromkeys((*selection.targets, *selection.exclude, *selection.replace))
        lost = [word for word in words if word not in there]
        if lost:
            raise Refusal([unknown(word, list(there)) for word in lost])


def names_it(words: Sequence[str], instance: Instance) -> bool:
    """Return whether one of the words is an instance, its resource, or a module that it lies in."""
    if not words:
        return False
    name = instance.resource.name
    own = (name, declared_path(name), bare_address(instance.address))
    return any(each in words for each in (*own, *modules_around(instance.address)))
