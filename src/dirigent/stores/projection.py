"""What a fact changes in the tables beside the journal: one pure function that every store shares.

Rule 1: `Created` is the first fact of a run and `Ended` the last; anything else is refused.
Rule 2: the rows are a function of the facts alone, so they can be made again from the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Final, TypeAlias, assert_never

from dirigent.model import limits
from dirigent.model.events.listening import Event, Tell
from dirigent.model.fault import Fault
from dirigent.model.ids import Digest, Position, RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.run.journal import (
    Abandoned,
    Awaited,
    CancelRequested,
    Computed,
    Created,
    Emitted,
    Ended,
    Fact,
    Failed,
    Heard,
    Held,
    Intended,
    Listening,
    Overruled,
    Patched,
    Repeated,
    ResourceChanged,
    Resumed,
    Retried,
    Signalled,
    Skipped,
    Succeeded,
    Suspended,
    TimerFired,
    TimerSet,
    Unheard,
    Vouched,
)
from dirigent.model.run.summary import RunSummary
from dirigent.ports import AWAKE
from dirigent.ports.applies import AFTER, APPLY

# Facts that change the log of events, or who listens to it; how a run stands is the same after them.
EVENTFUL: Final = frozenset((Listening, Heard, Unheard, Emitted))

# Facts that change no row unless the run is held: nearly all there are.
QUIET: Final = frozenset(
    (Intended, Succeeded, Failed, Computed, Abandoned, TimerSet, TimerFired, Awaited, Patched, Signalled)
)


@dataclass(frozen=True, slots=True)
class Title:
    """What a list shows of a definition."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a run stands. `held` are the positions that wait for a person, in order of time.

    `phase` is what the run ended with; None while it is open. `wake_at` is when it next has something to
    do, as the engine said with its last append; None once it has ended.
    """

    id: RunId
    title: Title
    definition: Digest
    created_at: float
    parent: RunId | None = None
    held: tuple[Position, ...] = ()
    suspended: bool = False
    cancelling: bool = False
    phase: str | None = None
    ended_at: float | None = None
    fault: Fault | None = None
    wake_at: float | None = AWAKE
    queue: str = ""
    admitted_at: float | None = None

    @property
    def resting(self) -> bool:
        """Return whether no more facts are to be expected soon: the run has ended, or it sleeps."""
        return self.wake_at != AWAKE

    def shown_phase(self) -> str:
        """Return the phase for people: what the run waits for, the strongest reason first."""
        if self.phase is not None:
            return self.phase
        reasons = (
            ("cancelling", self.cancelling),
            ("suspended", self.suspended),
            ("queued", bool(self.queue) and self.admitted_at is None),
            ("held", bool(self.held)),
        )
        return next((word for word, holds in reasons if holds), "running")

    def summary(self, facts: int) -> RunSummary:
        """Return the row of a list; `facts` is the length of the journal."""
        return RunSummary(
            id=self.id,
            name=self.title.name,
            kind=self.title.kind,
            phase=self.shown_phase(),
            created_at=self.created_at,
            facts=facts,
            definition=self.definition,
            ended_at=self.ended_at,
            parent=self.parent,
            fault=self.fault,
            queue=self.queue,
            admitted_at=self.admitted_at,
        )


@dataclass(frozen=True, slots=True)
class RowChanged:
    """A resource has a new row, or none."""

    run: RunId
    fact: ResourceChanged


@dataclass(frozen=True, slots=True)
class EarChanged:
    """A task listens from now on, as the fact says, or no more."""

    run: RunId
    fact: Listening | Heard | Unheard


@dataclass(frozen=True, slots=True)
class EventMade:
    """A run emitted an event: it goes into the log, unless one of its source and id is there already."""

    run: RunId
    at: float
    event: Event


Change: TypeAlias = RowChanged | EarChanged | EventMade


@dataclass(slots=True)
class Projection:
    """The standing after an append, and the rows that change beside it, in order."""

    standing: Standing
    changes: Sequence[Change]


def expect(run: RunId, expected: int, length: int, count: int) -> None:
    """Refuse an append at the wrong position (E5001), or past the limit of a journal (E5016)."""
    if expected != length:
        raise refuse(
            "E5001",
            f"run `{run}` has `{length}` facts, but `{expected}` were expected",
            "another writer was faster: read the run again and decide anew",
        )
    if length + count > limits.JOURNAL_FACTS:
        raise refuse(
            "E5016",
            f"the journal of run `{run}` is full: it may hold `{limits.JOURNAL_FACTS}` facts",
            "cancel the run, and split the work into child runs",
        )


def large(run: RunId, content: bytes) -> None:
    """Refuse a fact with more bytes than a payload may have (E5018)."""
    if len(content) > limits.PAYLOAD_BYTES + limits.PAYLOAD_INLINE_BYTES:
        raise refuse(
            "E5018",
            f"a fact of run `{run}` has `{len(content)}` bytes; `{limits.PAYLOAD_BYTES}` are allowed",
            "pass large content by reference: a file, an object store, a URL",
        )


def another_plan(plan: str) -> Refusal:
    """Return the refusal for a second plan under an id that is taken (E5015)."""
    return refuse(
        "E5015",
        f"the store holds another plan with the id `{plan}`",
        "make the plan again: what was approved under an id never changes",
    )


def project(
    run: RunId, before: Standing | None, facts: Sequence[Fact], title: Title | None, wake_at: float = AWAKE
) -> Projection:
    """Return what the facts change, or raise `Refusal` (E5004 no such definition, E5007 wrong order).

    `before` is None for a run that does not exist; `title` is that of the definition which a
    `Created` names, None if it is not stored.
    """
    if before is not None and _goes_on(before, facts, wake_at):
        return Projection(before, ())
    return _projected(run, before, facts, title, wake_at)


def _projected(
    run: RunId, before: Standing | None, facts: Sequence[Fact], title: Title | None, wake_at: float
) -> Projection:
    standing = before
    changes: list[Change] = []
    for fact in facts:
        if standing is None:
            standing = _created(run, fact, title, wake_at)
        elif isinstance(fact, Created):
            raise _disorder(run, fact, "the run exists already")
        elif standing.phase is not None and not _reopens(standing, fact):
            raise _disorder(run, fact, f"the run has ended as `{standing.phase}`")
        elif type(fact) in EVENTFUL:
            changes.append(_about_events(run, fact))
        elif standing.held or type(fact) not in QUIET:
            standing = _advanced(standing, fact)
            if isinstance(fact, ResourceChanged):
                changes.append(RowChanged(run, fact))
    if standing is None:
        raise refuse(
            "E5007", f"nothing was appended to run `{run}`, which does not exist", "append `Created` first"
        )
    if standing.phase is None and standing.wake_at != wake_at:
        standing = replace(standing, wake_at=wake_at)
    return Projection(standing, changes)


def apply_begins(run: RunId, title: Title | None, facts: Sequence[Fact], newest: str) -> bool:
    """Return whether a run that is new is an apply; refuse one that another has overtaken (E2048).

    `newest` is the apply that was begun last, as the transaction sees it that stores this one.
    """
    if title is None or title.kind != APPLY:
        return False
    after = after_of(facts)
    if after is not None and after != newest:
        raise overtaken(run)
    return True


def after_of(facts: Sequence[Fact]) -> str | None:
    """Return which apply a new one takes for the newest before it, None where it does not say."""
    first = facts[0] if facts else None
    after = first.metadata.get(AFTER) if isinstance(first, Created) else None
    return after if isinstance(after, str) else None


def overtaken(run: RunId) -> Refusal:
    """Return the refusal (E2048) of an apply that was checked before another one began."""
    return refuse(
        "E2048",
        f"another apply began while `{run}` was being checked against those that are under way",
        "give the command again; nothing was touched",
    )


def _goes_on(before: Standing, facts: Sequence[Fact], wake_at: float) -> bool:
    """Return whether no row of a run changes: that is so of nearly every append there is."""
    open_still = before.phase is None and before.wake_at == wake_at and not before.held
    return open_still and QUIET.issuperset(map(type, facts))


def told(
    run: RunId, facts: Sequence[Fact], tells: Sequence[Tell], changes: Sequence[Change]
) -> Sequence[Change]:
    """Return the changes with those of what a run tells of its life, each behind the fact it follows from."""
    if not tells:
        return changes
    emitted = [number for number, fact in enumerate(facts, 1) if isinstance(fact, Emitted)]
    made = [change for change in changes if isinstance(change, EventMade)]
    events = [(number, 0, change) for number, change in zip(emitted, made, strict=True)]
    for count, event in tells:
        at = facts[max(0, count - 1)].at
        events.append((count, 1, EventMade(run, at, event)))
    others = [change for change in changes if not isinstance(change, EventMade)]
    return [*others, *(change for *_, change in sorted(events, key=itemgetter(0, 1)))]


def _about_events(run: RunId, fact: Fact) -> Change:
    """Return what a fact changes in the log of events, or in who listens to it."""
    match fact:
        case Listening() | Heard() | Unheard():
            return EarChanged(run, fact)
        case Emitted():
            return EventMade(run, fact.at, fact.event)
        case _:
            raise TypeError(type(fact).__name__)


def _reopens(standing: Standing, fact: Fact) -> bool:
    """Return whether a person has a run that faulted go on."""
    return isinstance(fact, Retried) and standing.phase == "faulted"


def _disorder(run: RunId, fact: Fact, why: str) -> Refusal:
    return refuse(
        "E5007",
        f"`{type(fact).__name__}` cannot follow in run `{run}`: {why}",
        "this is a defect of Dirigent: please report it with the output of `dirigent show`",
    )


def _created(run: RunId, fact: Fact, title: Title | None, wake_at: float) -> Standing:
    """Return how a run begins."""
    if not isinstance(fact, Created):
        raise _disorder(run, fact, "the run does not exist")
    if title is None:
        raise missing_definition(fact.definition)
    queue = fact.ticket.queue if fact.ticket else ""
    return Standing(run, title, fact.definition, fact.at, fact.parent, wake_at=wake_at, queue=queue)


def missing_definition(digest: str) -> Refusal:
    """Return the refusal for a definition that the store does not hold."""
    return refuse(
        "E5004",
        f"the store holds no definition `{digest}`",
        "store the definition before the run that uses it",
    )


def _advanced(standing: Standing, fact: Fact) -> Standing:
    """Return how a run stands after a fact that is not its first."""
    after = standing
    match fact:
        case Held():
            after = replace(standing, held=(*_without(standing.held, fact.position), fact.position))
        case Retried():
            after = replace(standing, phase=None, ended_at=None, fault=None, wake_at=AWAKE)
        case Vouched() | Repeated() | Skipped() | Succeeded() | Failed() | Abandoned() | Overruled():
            # The same object where nothing changes: a store writes the row only when it is another.
            if fact.position in standing.held:
                after = replace(standing, held=_without(standing.held, fact.position))
        case Resumed() if standing.queue and standing.admitted_at is None and not standing.suspended:
            after = replace(standing, admitted_at=fact.at)
        case Suspended() | Resumed():
            after = replace(standing, suspended=isinstance(fact, Suspended))
        case CancelRequested():
            after = replace(standing, cancelling=True)
        case Ended():
            after = replace(
                standing, phase=fact.phase, ended_at=fact.at, fault=fact.fault, held=(), wake_at=None
            )
        case (
            Created()
            | ResourceChanged()
            | Awaited()
            | Patched()
            | Signalled()
            | Computed()
            | Intended()
            | TimerSet()
            | TimerFired()
            | Listening()
            | Heard()
            | Unheard()
            | Emitted()
        ):
            pass
        case _:
            assert_never(fact)
    return after


def _without(held: tuple[Position, ...], position: Position) -> tuple[Position, ...]:
    return tuple(each for each in held if each != position)
