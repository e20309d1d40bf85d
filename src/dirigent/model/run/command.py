"""What the core asks of the engine. The engine obeys; it never decides.

Commands live for one turn and are made for every step: they are not frozen, which would cost thrice as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from dirigent.model.events.listening import Event, Want
from dirigent.model.ids import EffectId, Position
from dirigent.model.program import OnDoubt
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Ended
from dirigent.model.run.ticket import Ticket
from dirigent.model.source import Span
from dirigent.model.values import Expression, Value


@dataclass(slots=True)
class Perform:
    """Do an effect: record `Intended` with `request` first, unless `intended` says that it stands.

    `intended` in a command after a restart means doubt: the effect may have begun, or happened.
    `repeat` says that a person ordered it done again, so there is no doubt to resolve. With a `ticket`
    it is recorded only when its queue admits it. `known` is as in `Repeated`.
    """

    position: Position
    attempt: int
    effect: EffectId
    function: str
    request: Value
    on_doubt: OnDoubt
    intended: bool = False
    repeat: bool = False
    span: Span | None = None
    ticket: Ticket | None = None
    known: str = ""


@dataclass(slots=True)
class SetTimer:
    """Record `TimerSet` with `until` = now + `seconds`, then fire it when that time has come."""

    position: Position
    attempt: int
    purpose: str
    seconds: float


@dataclass(slots=True)
class FireAt:
    """A timer that is set: record `TimerFired` when `until` has come."""

    position: Position
    attempt: int
    purpose: str
    until: float


@dataclass(frozen=True, slots=True)
class Question:
    """One expression that the core cannot evaluate itself, with all that it sees."""

    expression: Expression
    dot: Value
    variables: Mapping[str, Value]


@dataclass(slots=True)
class Compute:
    """Ask the expression worker; record the answers as `Computed`."""

    position: Position
    attempt: int
    slot: str
    questions: tuple[Question, ...]


@dataclass(slots=True)
class Abandon:
    """Stop an effect that is under way, then record `Abandoned` (or its result, if that was first)."""

    position: Position
    attempt: int
    effect: EffectId
    function: str
    request: Value


@dataclass(frozen=True, slots=True)
class Awaits:
    """A workflow of code waits for this event."""

    event: str


@dataclass(frozen=True, slots=True)
class Patch:
    """A workflow of code came to this change of its text, for the first time and after the change."""

    name: str


@dataclass(frozen=True, slots=True)
class Hears:
    """A task waits for one of these events that arrived at `since` or later."""

    want: Want
    since: float


@dataclass(frozen=True, slots=True)
class Ceases:
    """A task waits for events no more."""


@dataclass(frozen=True, slots=True)
class Emits:
    """A task tells everybody of this event."""

    event: Event


Noted: TypeAlias = Awaits | Patch | Hears | Ceases | Emits


@dataclass(slots=True)
class Note:
    """Record what a task waits for, or says: nothing else is to be done."""

    position: Position
    attempt: int
    what: Noted


@dataclass(slots=True)
class Finish:
    """The run is over: record this."""

    fact: Ended


Command: TypeAlias = Perform | SetTimer | FireAt | Compute | Abandon | Note | Finish
