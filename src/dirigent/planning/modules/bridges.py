"""What of modules is known only at apply, and what a run must know to evaluate it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dirigent.model.ids import split_path
from dirigent.model.plan import Bridge
from dirigent.model.values import Template, Value, has_unknown, leaves
from dirigent.planning.modules.layout import seen
from dirigent.planning.modules.places import Place, Places
from dirigent.ports import Language


class Bridges:
    """The inputs and outputs that wait, and the places in which something is still to be evaluated."""

    def __init__(self, places: Places, language: Language) -> None:
        """Begin with none."""
        self._places = places
        self._language = language
        self._bridges: dict[str, Bridge] = {}
        self._used: dict[str, Place] = {}

    def add(self, bridge: Bridge) -> None:
        """Take in an input or output that waits."""
        self._bridges[bridge.name] = bridge

    def waits(self, place: Place, templates: Sequence[Template]) -> tuple[str, ...]:
        """Return the bridges that templates of a place see; the place is then one of the plan's."""
        names = dict.fromkeys(seen(templates, place.home, self._language))
        found = (name for node in names for name in self._places.names(place, node) if name in self._bridges)
        if any(is_open(template) for template in templates):
            self._used[place.address] = place
        return tuple(dict.fromkeys(found))

    def behind(self, names: Sequence[str]) -> tuple[Bridge, ...]:
        """Return some bridges with all that they see, each after what it sees."""
        wanted: dict[str, None] = {}
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in wanted:
                wanted[name] = None
                pending.extend(self._bridges[name].waits)
        return tuple(bridge for name, bridge in self._bridges.items() if name in wanted)

    def variables(self) -> dict[str, dict[str, Value]]:
        """Return the variables of the modules in which something is still to be evaluated, by address."""
        return {address: _variables(place) for address, place in self._used.items() if address}

    def shown(self, outputs: Mapping[str, Mapping[str, Value]]) -> dict[str, Value]:
        """Return the known outputs of modules that lie where something is still to be evaluated."""
        return {
            address: {name: value for name, value in members.items() if not has_unknown(value)}
            for address, members in outputs.items()
            if split_path(address)[0] in self._used
        }


def is_open(template: Template) -> bool:
    """Return whether there is an expression in a template."""
    return next(leaves(template), None) is not None


def _variables(place: Place) -> dict[str, Value]:
    inputs, secrets = place.scope.variables["inputs"], place.scope.variables["secrets"]
    given = inputs if isinstance(inputs, dict) else {}
    known: dict[str, Value] = {name: value for name, value in given.items() if not has_unknown(value)}
    return {"inputs": known, "secrets": secrets}
