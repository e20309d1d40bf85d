"""Events that belong together and do not suffice yet: what a schedule has heard between two of its runs.

Law 1: an event counts for one group, and a group for one run. Law 2: what became of an event is a value of
the journal (`Taken`), so groups are built again from it and nothing is judged twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from typing import TypeAlias

from dirigent.core.events.matching import closes, narrowed, satisfied
from dirigent.core.events.shape import size
from dirigent.core.nodes.events.listen import OVERLAP_SECONDS
from dirigent.model import limits
from dirigent.model.events.listening import Event, Match, Strategy, Want, key_of
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Created, Fact, Heard, Succeeded
from dirigent.model.values import Expression, Value


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event, and when the log took it in."""

    event: Event
    at: float


@dataclass(frozen=True, slots=True)
class Step:
    """That an event fits a filter of what a group waits for; groups are numbered as they begin."""

    group: int
    found: Match


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one event: the groups that took it, and those of them that it completed."""

    steps: tuple[Step, ...] = ()
    fired: tuple[int, ...] = ()

    def as_value(self) -> dict[str, Value]:
        """Return it as a turn of the schedule records it."""
        steps: list[Value] = [[step.group, step.found.number, step.found.keys] for step in self.steps]
        return {"steps": steps, "fired": list(self.fired)}

    @classmethod
    def of_value(cls, value: Value) -> Taken:
        """Return what such a value says; nothing for any other."""
        given = value if isinstance(value, dict) else {}
        steps, fired = given.get("steps"), given.get("fired")
        found: list[Step] = []
        for each in steps if isinstance(steps, list) else ():
            match each:
                case [int(group), int(number), dict(keys)]:
                    found.append(Step(group, Match(number, keys)))
                case _:
                    pass
        numbers = [each for each in fired if isinstance(each, int)] if isinstance(fired, list) else []
        return cls(tuple(found), tuple(numbers))


@dataclass(frozen=True, slots=True)
class Group:
    """What is waited for yet, the events that count, and all that was taken with the filter that it fits."""

    want: Want
    events: tuple[Event, ...] = ()
    taken: tuple[tuple[Match, Arrival], ...] = ()

    def taking(self, found: Match, arrival: Arrival) -> Group:
        """Return the group with one more event."""
        counts = not closes(self.want, found)
        events = (*self.events, arrival.event) if counts else self.events
        return Group(narrowed(self.want, found), events, (*self.taken, (found, arrival)))

    @property
    def complete(self) -> bool:
        """Return whether nothing more is waited for; a condition is asked apart."""
        return bool(self.events) and satisfied(self.want, len(self.events))


Groups: TypeAlias = dict[int, Group]


@dataclass(slots=True, eq=False)
class Gathering:
    """What a schedule has gathered: groups that began, the number of the next, and its place in the log.

    `known` says of the last events that were dealt with when they arrived; those that arrived before `since`
    are behind it. `lost` counts groups that were too old, or too many.
    """

    initial: Want
    groups: Groups = field(default_factory=dict)
    following: int = 0
    known: dict[str, float] = field(default_factory=dict)
    since: float = 0.0
    lost: int = 0

    def take(self, arrival: Arrival, taken: Taken) -> list[Group]:
        """Let an event take its effect; return the groups that it completed."""
        self.known[key_of(arrival.event)] = arrival.at
        self.since = max(self.since, arrival.at - OVERLAP_SECONDS)
        for step in taken.steps:
            group = self.groups.get(step.group, Group(self.initial))
            self.groups[step.group] = group.taking(step.found, arrival)
            self.following = max(self.following, step.group + 1)
        complete = [self.groups.pop(number) for number in taken.fired if number in self.groups]
        self._forget(arrival.at)
        return complete

    def _forget(self, now: float) -> None:
        """Let go of groups that began longer ago than the log remembers, and the oldest beyond the limits."""
        bytes_kept = sum(size(event) for group in self.groups.values() for event in group.events)
        for number in sorted(self.groups):
            group = self.groups[number]
            old = group.taken[0][1].at < now - limits.EVENTS_LOGGED_SECONDS
            if (
                not old
                and len(self.groups) <= limits.EVENT_GROUPS
                and bytes_kept <= limits.EVENT_GROUPS_BYTES
            ):
                break
            bytes_kept -= sum(map(size, group.events))
            del self.groups[number]
            self.lost += 1

    def as_value(self) -> dict[str, Value]:
        """Return from where another run of the schedule goes on."""
        known: dict[str, Value] = {key: at for key, at in self.known.items() if at >= self.since}
        groups: list[Value] = [
            [[found.number, found.keys, arrival.at, arrival.event] for found, arrival in group.taken]
            for _, group in sorted(self.groups.items())
        ]
        return {"since": self.since, "known": known, "groups": groups}


def gathered(initial: Want, facts: Iterable[Fact]) -> tuple[Gathering, Arrival | None]:
    """Return what a schedule has gathered by its journal, and the event that is not dealt with yet."""
    gathering, pending = Gathering(initial), None
    for fact in facts:
        match fact:
            case Created(at=at, input=given):
                _begin(gathering, at, given if isinstance(given, dict) else {})
            case Heard(event=event, arrived=arrived):
                pending = Arrival(event, arrived)
            case Succeeded(output=dict() as output) if pending is not None:
                gathering.take(pending, Taken.of_value(output.get("took")))
                pending = None
            case _:
                pass
    if pending is not None:
        gathering.since = min(gathering.since, pending.at)
    return gathering, pending


def _begin(gathering: Gathering, at: float, given: Mapping[str, Value]) -> None:
    since, known, groups = given.get("since"), given.get("known"), given.get("groups")
    gathering.since = float(since) if isinstance(since, int | float) else at
    for key, arrived in known.items() if isinstance(known, dict) else ():
        gathering.known[key] = float(arrived) if isinstance(arrived, int | float) else 0.0
    for number, each in enumerate(groups if isinstance(groups, list) else ()):
        group = Group(gathering.initial)
        for found, arrival in _taken(each):
            group = group.taking(found, arrival)
        gathering.groups[number] = group
        gathering.following = number + 1


def _taken(written: Value) -> Iterator[tuple[Match, Arrival]]:
    for each in written if isinstance(written, list) else ():
        match each:
            case [int(number), dict(keys), int() | float() as at, dict() as event]:
                yield Match(number, keys), Arrival(event, float(at))
            case _:
                pass


def condition(strategy: Strategy) -> Expression | None:
    """Return what must hold of the events of a group, where a strategy ends by a condition."""
    return strategy.until if isinstance(strategy.until, Expression) else None
