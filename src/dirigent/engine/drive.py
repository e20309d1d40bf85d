"""Drive one run: fold what arrived, ask the core, and say what is to be recorded, then obeyed.

The facts of one turn (a result, and the intents that follow from it) are one append.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container, Sequence
from dataclasses import field
from typing import TypeAlias, assert_never

from dirigent.core.decide import decide, due, wake_at
from dirigent.core.machine import Run
from dirigent.core.replay import advance, expects
from dirigent.engine.live import Arrival
from dirigent.model.ids import Position, RunId
from dirigent.model.record import dataclass
from dirigent.model.run.command import (
    Abandon,
    Awaits,
    Ceases,
    Command,
    Compute,
    Emits,
    Finish,
    FireAt,
    Hears,
    Note,
    Noted,
    Patch,
    Perform,
    SetTimer,
)
from dirigent.model.run.journal import (
    Awaited,
    Emitted,
    Fact,
    Intended,
    Listening,
    Patched,
    TimerSet,
    Unheard,
)
from dirigent.ports import AWAKE


@dataclass(slots=True, eq=False)
class Turn:
    """What one turn of a run came to: facts to be recorded at `expected`, then commands to be obeyed.

    `arrived` is what was folded, `took` says of each part whether the run still waited for it. `doubtful` are
    those effects that an engine before this one may have begun. `wake_at` is for the journal, which must be
    told of it even without facts when what it knows is `stale`.
    """

    expected: int
    arrived: list[Arrival] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    took: list[bool] = field(default_factory=list)
    doubtful: Collection[tuple[Position, int]] = ()
    wake_at: float = AWAKE
    stale: bool = False

    def absorb(self, later: Turn) -> None:
        """Add the turn that followed: both are recorded with one append, and obeyed after it."""
        unwanted = {(each.position, each.attempt) for each in later.commands if isinstance(each, Abandon)}
        if unwanted:
            # What has not begun yet and is not wanted any more never begins.
            self.commands = [each for each in self.commands if not _begins(each, unwanted)]
        self.commands += later.commands
        self.arrived += later.arrived
        self.took += later.took
        if later.facts:
            self.facts += later.facts
            self.wake_at = later.wake_at


def _begins(command: Command, effects: Container[tuple[Position, int]]) -> bool:
    return isinstance(command, Perform) and (command.position, command.attempt) in effects


Admits: TypeAlias = Callable[[RunId, Perform], bool]
"""Whether the queue of an effect lets it begin now."""


def nobody(_: RunId, __: Perform) -> bool:
    """Let no effect begin that waits in a queue."""
    return False


def turn(
    run: Run,
    arrived: list[Arrival],
    now: float,
    *,
    onward: bool = True,
    admits: Admits = nobody,
) -> Turn:
    """Fold what arrived, follow it to its end, and return what is to be recorded and done.

    Without `onward` only what arrived is to be recorded, and nothing done: another engine goes on.

    The facts of an arrival belong together (a result and the resources it changed). Those that the run no
    longer waits for are dropped: the effect was abandoned and has ended already.
    Effects that wait in a queue are recorded when it `admits` them; till then their command stands.
    """
    done = Turn(run.facts, arrived)
    for each in arrived:
        taken = True
        for fact in each.facts:
            taken = taken and expects(run, fact)
        done.took.append(taken)
        if taken:
            for fact in each.facts:
                advance(run, fact)
                done.facts.append(fact)
    if onward:
        _follow(run, due(run, now), done, now, admits)
    return done


def recover(run: Run, now: float, admits: Admits = nobody, *, stale: bool = False) -> Turn:
    """Return what stands to be done in a run that was just replayed; with `stale`, say if it may sleep."""
    standing = decide(run, now)
    begun = [command for command in standing if isinstance(command, Perform) and command.intended]
    done = Turn(run.facts, doubtful={(command.position, command.attempt) for command in begun})
    _follow(run, standing, done, now, admits)
    if stale:
        done.wake_at = wake_at(run, now)
        done.stale = done.wake_at != AWAKE
    return done


def _follow(run: Run, commands: Sequence[Command], done: Turn, now: float, admits: Admits) -> None:
    """Turn commands that are records into facts, until only those that act are left."""
    while commands:
        recorded = moved = False
        for command in commands:
            if moved and not _stands(run, command, now):
                continue
            fact = None if _waits(run, command, admits) else record_of(command, now)
            if fact is None:
                done.commands.append(command)
            else:
                advance(run, fact)
                done.facts.append(fact)
                recorded = True
                # The one record that moves its run on: what it has just won stops the others.
                moved = moved or isinstance(fact, Emitted)
        commands = due(run, now) if recorded else ()
    if done.facts:
        done.wake_at = wake_at(run, now)


def _stands(run: Run, command: Command, now: float) -> bool:
    """Return whether what is to be recorded is still wanted."""
    fact = record_of(command, now)
    return fact is None or expects(run, fact)


def _waits(run: Run, command: Command, admits: Admits) -> bool:
    """Return whether an effect waits for its queue."""
    if not isinstance(command, Perform) or command.ticket is None or command.intended:
        return False
    return not admits(run.id, command)


def record_of(command: Command, now: float) -> Fact | None:
    """Return the fact that obeying this command consists of, or None when it asks for an action."""
    match command:
        case Perform():
            return None if command.intended else _intent(command, now)
        case SetTimer(position, attempt, purpose, seconds):
            return TimerSet(now, position, attempt, purpose, now + seconds)
        case Note(position, attempt, what):
            return _noted(now, position, attempt, what)
        case Finish(fact):
            return fact
        case FireAt() | Compute() | Abandon():
            return None
        case _:
            assert_never(command)


def _intent(command: Perform, now: float) -> Intended:
    queue = command.ticket.queue if command.ticket else ""
    return Intended(now, command.position, command.attempt, command.request, queue)


def _noted(now: float, position: Position, attempt: int, what: Noted) -> Fact:
    match what:
        case Awaits(event):
            return Awaited(now, position, attempt, event)
        case Patch(name):
            return Patched(now, position, attempt, name)
        case Hears(want, since):
            return Listening(now, position, attempt, want, since)
        case Ceases():
            return Unheard(now, position, attempt)
        case Emits(event):
            return Emitted(now, position, attempt, event)
        case _:
            assert_never(what)
