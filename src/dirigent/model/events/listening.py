"""Which events somebody waits for: as a document says it, and as it is once its expressions are known.

An event is what the structured mode of CloudEvents 1.0 has in JSON: attributes, extensions, `data`.
"""

from __future__ import annotations

from dataclasses import field
from enum import Enum
from typing import TypeAlias

from dirigent.model.ids import Position, RunId
from dirigent.model.record import dataclass
from dirigent.model.values import Expression, Template, Value

Event: TypeAlias = dict[str, Value]

Place: TypeAlias = tuple[int, int]
"""Where an event lies in the log of a store: events are read in this order. Nothing lies before (0, 0)."""


class Quorum(Enum):
    """How many of several filters must have had their event."""

    ONE = "one"
    ANY = "any"
    ALL = "all"


class Read(Enum):
    """What a listener is given of an event: its data, all of it, or the bytes of its data in base 64."""

    DATA = "data"
    ENVELOPE = "envelope"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class Correlation:
    """What events of one listener have in common. `source` gives it of an event.

    It must equal what `expect` gives, or without it what the first event gave.
    """

    source: Expression
    expect: Template = None
    expected: bool = False


@dataclass(frozen=True, slots=True)
class EventFilter:
    """What an event must be like. A text with marks of a regular expression is one; others are compared.

    An expression sees the value of its attribute, and gives whether it fits, or what it must equal.
    """

    attributes: dict[str, Template] = field(default_factory=dict)
    correlate: dict[str, Correlation] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Strategy:
    """Which events are to be consumed. With `any`, no filter lets everything pass, and `until` says how long.

    `until` is a condition over what was consumed, or a strategy whose events end it and do not count.
    """

    quorum: Quorum
    filters: tuple[EventFilter, ...] = ()
    until: Expression | Strategy | None = None

    @property
    def alone(self) -> bool:
        """Whether each event that fits suffices by itself."""
        return self.until is None and (self.quorum is not Quorum.ALL or len(self.filters) == 1)


@dataclass(frozen=True, slots=True)
class Test:
    """What one attribute must be. An `exact` value is no regular expression, whatever is in it.

    `variables` are what the expressions in `wanted` see, as it was when listening began.
    """

    attribute: str
    wanted: Template
    exact: bool = False
    variables: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """One correlation: `source` gives the value under this name."""

    name: str
    source: Expression
    variables: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sought:
    """One filter with all that it needs to judge an event."""

    tests: tuple[Test, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Want:
    """What a listener waits for next: a value that needs nothing of its run.

    `open` and `closing` are the numbers of those filters of `sought` whose events count, and of those that
    end the listening; `keys` are the correlations that are known. An `endless` one ends by a condition.
    """

    quorum: Quorum
    sought: tuple[Sought, ...]
    open: tuple[int, ...]
    until: Quorum | None = None
    closing: tuple[int, ...] = ()
    keys: dict[str, Value] = field(default_factory=dict)
    endless: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """That an event fits the filter of this number, and what it says of each correlation of it."""

    number: int
    keys: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listener:
    """A task that listens. Events count that arrived at `since` or later."""

    run: RunId
    position: Position
    attempt: int
    want: Want
    since: float


@dataclass(frozen=True, slots=True)
class Arrived:
    """An event in the log of a store. `run` is the one that emitted it, empty for one from outside."""

    place: Place
    at: float
    event: Event
    run: str = ""


Tell: TypeAlias = tuple[int, Event]
"""An event that goes into the log with the facts of an append, and how many of those come before it."""


def key_of(event: Event) -> str:
    """Return what distinguishes an event from every other: its source and its id."""
    return f"{event.get('source')}\n{event.get('id')}"
