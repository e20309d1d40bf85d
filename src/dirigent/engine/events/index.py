"""Who listens, found by the type of an event: an event costs nothing to those who wait for another."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Final, TypeAlias

from dirigent.core.events.lifecycle import PREFIX
from dirigent.core.events.matching import types
from dirigent.model.events.listening import Event, Listener
from dirigent.model.ids import Position, RunId
from dirigent.model.record import dataclass

# What the ids of schedules begin with.
SCHEDULE: Final = "schedule:"

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

    @property
    def lifecycle(self) -> list[str]:
        """Return the types of lifecycle events that anybody waits for."""
        return [kind for kind in self._by_type if kind.startswith(PREFIX)]

    def waiting(self, event: Event) -> list[Listener]:
        """Return who may want an event. One of the life of a run is only for those who name its type."""
        found = list(self._by_type.get(str(event.get("type")), {}).values())
        return found if is_lifecycle(event) else [*found, *self._any.values()]


def is_lifecycle(event: Event) -> bool:
    """Return whether an event tells of the life of a run."""
    return str(event.get("type")).startswith(PREFIX)


def is_schedule(run: RunId) -> bool:
    """Return whether a run is that of a schedule."""
    return run.startswith(SCHEDULE)


def is_own(listening: RunId, told: str) -> bool:
    """Return whether a run that tells of itself is the one that listens, or a run of that schedule."""
    if is_schedule(listening):
        return told.startswith(f"{listening.removeprefix(SCHEDULE).rpartition('/')[0]}@")
    return told == listening


def named(*indexes: Index | None) -> frozenset[str]:
    """Return the types of lifecycle events that somebody listens for by name."""
    return frozenset(kind for index in indexes if index is not None for kind in index.lifecycle)


def oldest(fresh: Index, resting: Mapping[RunId, Mapping[Key, Listener]]) -> float:
    """Return since when events count for those who have still to be offered what came before."""
    waiting = [*fresh, *(listener for found in resting.values() for listener in found.values())]
    return min((listener.since for listener in waiting), default=math.inf)
