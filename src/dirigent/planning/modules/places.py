"""The instances of modules, and which addresses of resources lie behind a node that somebody names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from dirigent.model.record import dataclass
from dirigent.model.values import Value
from dirigent.planning.modules.layout import Home, Kind, Layout
from dirigent.planning.values.evaluate import Scope

Addresses = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One instance of a module, or the stack itself. `address` has the keys; `each` is its `$each`."""

    home: Home
    address: str
    scope: Scope
    parent: Place | None = None
    each: Mapping[str, Value] = field(default_factory=dict)
    key: int | str | None = None

    def at(self, name: str) -> str:
        """Return the address of something in it."""
        return f"{self.address}/{name}" if self.address else name


class Places:
    """The places that there are, and what is behind each name in them."""

    def __init__(self, layout: Layout, root: Place) -> None:
        """Begin with the stack itself."""
        self._layout = layout
        self._root = root
        self._places: dict[str, list[Place]] = {"": [root]}
        self._children: dict[tuple[str, str], list[Place]] = {}
        self._behind: dict[str, Addresses] = {}

    def of(self, home: str) -> Sequence[Place]:
        """Return all instances of a module, by its path as declared."""
        return self._places.get(home, ())

    def among(self, place: Place) -> Sequence[Place]:
        """Return the instances of a module that one parent has, given one of them."""
        above = place.parent.address if place.parent is not None else ""
        return self._children.get((above, place.home.name), ())

    def open(self, home: Home, parent: Place, places: Sequence[Place]) -> None:
        """Take in the instances of a module in one place of its parent."""
        self._children[parent.address, home.name] = list(places)
        self._places.setdefault(home.path, []).extend(places)

    def put(self, name: str, addresses: Addresses) -> None:
        """Note what is behind a name."""
        self._behind[name] = addresses

    def behind(self, place: Place, nodes: Sequence[str]) -> Addresses:
        """Return the addresses behind nodes that somebody in a place names."""
        names = (name for node in nodes for name in self.names(place, node))
        return tuple(dict.fromkeys(address for name in names for address in self._behind.get(name, ())))

    def names(self, place: Place, node: str) -> Iterator[str]:
        """Yield the names of a node, as somebody in a place sees it: one for each instance of its module."""
        found = self._layout.nodes[node]
        home = self._layout.homes[found.home]
        if found.kind is Kind.RESOURCE:
            # The configuration of a provider is evaluated in the stack itself, wherever it is named.
            yield place.at(found.name) if found.home == place.home.path else node
            return
        if home.path == place.home.path:
            places: Sequence[Place] = [place]
        elif found.kind is Kind.OPENING:
            # From outside it is waited for, but what is behind it is not behind whoever looks at an output.
            return
        else:
            at = place if home.parent == place.home.path else self._root
            places = self._children.get((at.address, home.name), ())
        for each in places:
            yield f"{each.address}{node[len(home.path) :]}"
