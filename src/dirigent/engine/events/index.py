"""Who listens, found by the type of an event: an event costs nothing to those who wait for another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field
from typing import TypeAlias

from dirigent.core.events.matching import types
from dirigent.model.events.listening import Event, Listener
from dirigent.model.ids import Position, RunId
from dirigent.model.record import dataclass

Key: TypeAlias = tuple[RunId, Position]


def key_of(listener: Listener) -> Key:
    """Return what tells one listener from every other: a task listens once at a time."""
    return listener.run, listener.position


@dataclass(slots=True, eq=False)
class Index:
    """Listeners by the types that they wait for, and those who take any, in the order in which they came."""

    _all: dict[Key, Listener] = field(default_factory=dict)
    _by_type: dict[str, dict[Key, Listener]] = field(default_factory=dict)
    _any: dict[Key, Listener] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return how many listen."""
        return len(self._all)

    def __iter__(self) -> Iterator[Listener]:
        """Iterate over all that listen."""
        return iter(list(self._all.values()))

    @property
    def types(self) -> frozenset[str] | None:
        """Return the types that anybody waits for, None when somebody takes any."""
        return None if self._any else frozenset(self._by_type)

    def put(self, listener: Listener) -> None:
        """Add a listener, in place of what the same task listened for before."""
        key = key_of(listener)
        self.drop(key)
        self._all[key] = listener
        wanted = types(listener.want)
        if wanted is None:
            self._any[key] = listener
            return
        for each in wanted:
            self._by_type.setdefault(each, {})[key] = listener

    def drop(self, key: Key) -> Listener | None:
        """Take a listener away, and return it if there was one."""
        listener = self._all.pop(key, None)
        if listener is None or self._any.pop(key, None) is not None:
            return listener
        for each in types(listener.want) or ():
            box = self._by_type[each]
            del box[key]
            if not box:
                del self._by_type[each]
        return listener

    def holds(self, listener: Listener) -> bool:
        """Return whether it is still this that the task listens for."""
        return self._all.get(key_of(listener)) is listener

    def waiting(self, event: Event) -> list[Listener]:
        """Return who may want an event."""
        return [*self._by_type.get(str(event.get("type")), {}).values(), *self._any.values()]
