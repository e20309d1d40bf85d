"""Facts: what a journal records. Only what came from outside is a fact; the rest is recomputed.

A fact is never changed or removed, and it carries every figure it needs (its attempt, its time):
nothing about a run is found by counting facts, so a crash cannot burn a retry. Adding a kind of
fact is a change of the journal's schema: raise `JOURNAL_VERSION` and add a golden journal.

Every fact has `at`, seconds since the epoch by the clock of the engine that recorded it.
"""

from __future__ import annotations

from dataclasses import field
from typing import Final, TypeAlias

from dirigent.model.events.listening import Event, Want
from dirigent.model.fault import Fault
from dirigent.model.ids import Digest, Position, RunId
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.run.origin import Origin
from dirigent.model.run.ticket import Ticket
from dirigent.model.values import Value

JOURNAL_VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class Created:
    """The run exists: which definition, which input. Always the first fact.

    `metadata` is what `$runtime.metadata` shows, fixed here so that replay sees the same.
    `parent` is the run that started this one, `depth` how many ancestors it has. A run with a `ticket`
    waits in its queue: it begins with the `Resumed` that admits it. `origin` says why it was made.
    """

    at: float
    definition: Digest
    input: Value
    metadata: dict[str, Value] = field(default_factory=dict)
    parent: RunId | None = None
    depth: int = 0
    ticket: Ticket | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Intended:
    """An effect is about to start. Durable before it does; `request` is what will be sent, whole.

    `queue` is the one that admitted it, empty where none did.
    """

    at: float
    position: Position
    attempt: int
    request: Value
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The effect happened and this is its result."""

    at: float
    position: Position
    attempt: int
    output: Value


@dataclass(frozen=True, slots=True)
class Failed:
    """The attempt ended without success."""

    at: float
    position: Position
    attempt: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Held:
    """Nobody can say whether the effect happened; a person must. `evidence` is what is known."""

    at: float
    position: Position
    attempt: int
    reason: str
    evidence: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vouched:
    """A person says that a held effect happened, with this result."""

    at: float
    position: Position
    attempt: int
    output: Value


@dataclass(frozen=True, slots=True)
class Repeated:
    """A person orders a held effect to be done again.

    Or says under which id there is `known` to be what it was to make: that is looked up, and nothing is made.
    """

    at: float
    position: Position
    attempt: int
    known: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A person passes over a held effect: the task's input becomes its output."""

    at: float
    position: Position
    attempt: int


@dataclass(frozen=True, slots=True)
class Abandoned:
    """An effect that was no longer wanted (cancel, time-out, lost race) has been stopped."""

    at: float
    position: Position
    attempt: int


@dataclass(frozen=True, slots=True)
class TimerSet:
    """A wait, a retry's delay or a time-out began; it ends at `until`.

    `purpose` is `wait`, `retry`, `timeout`, `attempt-timeout` or `deadline`.
    """

    at: float
    position: Position
    attempt: int
    purpose: str
    until: float


@dataclass(frozen=True, slots=True)
class TimerFired:
    """That time came."""

    at: float
    position: Position
    attempt: int
    purpose: str


@dataclass(frozen=True, slots=True)
class Computed:
    """Answers of the expression worker to the questions of one step of the data flow, in order."""

    at: float
    position: Position
    attempt: int
    slot: str
    answers: tuple[Value | Fault, ...]


@dataclass(frozen=True, slots=True)
class Awaited:
    """A workflow of code waits for an event of this name. Since version 2."""

    at: float
    position: Position
    attempt: int
    event: str


@dataclass(frozen=True, slots=True)
class Patched:
    """A workflow of code came to a change of its own text first after the change. Since version 2."""

    at: float
    position: Position
    attempt: int
    name: str


@dataclass(frozen=True, slots=True)
class Signalled:
    """An event for the run, from outside. The same `id` comes once only. Since version 2."""

    at: float
    event: str
    id: str
    data: Value = None


@dataclass(frozen=True, slots=True)
class Listening:
    """A task waits for an event that arrived at `since` or later. Since version 2."""

    at: float
    position: Position
    attempt: int
    want: Want
    since: float


@dataclass(frozen=True, slots=True)
class Heard:
    """This event was the next that a task waited for. Since version 2.

    `arrived` is when the store took it in; `number` is the filter that it fits, `keys` what it says of the
    correlations there.
    """

    at: float
    position: Position
    attempt: int
    event: Event
    arrived: float
    number: int
    keys: dict[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unheard:
    """A task waits for no event any more: its time was over, or nobody needs it. Since version 2."""

    at: float
    position: Position
    attempt: int


@dataclass(frozen=True, slots=True)
class Emitted:
    """A task told everybody of this event: it is in the log of the store. Since version 2."""

    at: float
    position: Position
    attempt: int
    event: Event


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody wants the run to stop for good. `by` is who."""

    at: float
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Suspended:
    """Somebody stopped the run for a while: what is under way ends, nothing new starts.

    `follows` is the number of the fact of its parent that a child follows, 0 where a person said it.
    """

    at: float
    reason: str = ""
    by: str = ""
    follows: int = 0


@dataclass(frozen=True, slots=True)
class Resumed:
    """And let it go on. Said by the `queue` in which the run waits: it is admitted, and begins."""

    at: float
    reason: str = ""
    by: str = ""
    follows: int = 0
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Retried:
    """A person has a run that faulted go on from a task: follows `Ended`, and the run is open again.

    What the task and all after it did is passed over. `attempt` is the activation that is taken back, and
    `answer` what becomes of it: done `again`, passed over (`skip`), or over with the `output` that is given.
    """

    at: float
    position: Position
    attempt: int
    answer: str = "again"
    output: Value = None
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Overruled:
    """A person answers for a task that runs: what it has under way is stopped, and it ends with this.

    `answer` is `skip`, which passes it over, or `output`.
    """

    at: float
    position: Position
    attempt: int
    answer: str = "skip"
    output: Value = None
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class ResourceChanged:
    """An effect changed a resource: the row as it is from now on, or None when it is gone."""

    at: float
    address: str
    row: ResourceRow | None


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over: `completed`, `faulted` or `cancelled`. The last fact, unless it is `Retried`."""

    at: float
    phase: str
    output: Value = None
    fault: Fault | None = None


Effect: TypeAlias = Intended | Succeeded | Failed | Held | Vouched | Repeated | Skipped | Abandoned
Timer: TypeAlias = TimerSet | TimerFired
Coded: TypeAlias = Awaited | Patched
Eventful: TypeAlias = Listening | Heard | Unheard | Emitted
Control: TypeAlias = Created | Signalled | CancelRequested | Suspended | Resumed | Ended
Spoken: TypeAlias = Retried | Overruled
Fact: TypeAlias = Effect | Timer | Computed | Coded | Eventful | Control | Spoken | ResourceChanged
