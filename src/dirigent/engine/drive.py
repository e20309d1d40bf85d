"""Drive one run: fold what arrived, ask the core, record, and only then act.

The order of durability is the whole contract: the facts of one turn (a result, and the intents that
follow from it) are one append; no command is obeyed before the append has returned.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from dirigent.core.decide import decide, due, wake_at
from dirigent.core.machine import EFFECT, Key, Run
from dirigent.core.replay import advance, expects
from dirigent.model.ids import Position
from dirigent.model.run.command import Abandon, Command, Compute, Finish, FireAt, Perform, SetTimer
from dirigent.model.run.journal import Fact, Intended, TimerSet
from dirigent.ports import AWAKE, Clock, Journal


@dataclass(slots=True, eq=False)
class Turn:
    """What one turn of a run came to: facts that are durable now, and commands to be obeyed.

    `doubtful` are those effects among them that an engine before this one may have begun; `took` says of
    each group that arrived whether the run still waited for it.
    """

    facts: list[Fact] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    doubtful: set[tuple[Position, int]] = field(default_factory=set)
    took: list[bool] = field(default_factory=list)


async def turn(
    run: Run,
    arrived: Sequence[Sequence[Fact]],
    journal: Journal,
    clock: Clock,
    *,
    onward: bool = True,
    admitted: Container[Key] = (),
) -> Turn:
    """Fold what arrived, follow it to its end, make all of it durable, and return what to do.

    Without `onward` only what arrived becomes durable, and nothing is to be done: another engine goes on.

    `arrived` are groups of facts that belong together (a result and the resources it changed). A group
    that the run no longer waits for is dropped: the effect was abandoned and has ended already.
    Effects that wait in a queue are recorded when they are `admitted`; till then their command stands.
    """
    expected = run.facts
    done = Turn()
    for group in arrived:
        done.took.append(all(expects(run, fact) for fact in group))
        if done.took[-1]:
            for fact in group:
                advance(run, fact)
                done.facts.append(fact)
    if onward:
        _follow(run, due(run, clock.now()), done, clock, admitted)
    if done.facts:
        # What arrived and is not followed leaves something to do for the next engine.
        await journal.append(run.id, expected, done.facts, wake_at(run, clock.now()) if onward else AWAKE)
    return done


async def recover(run: Run, journal: Journal, clock: Clock, admitted: Container[Key] = ()) -> Turn:
    """Return what stands to be done in a run that was just replayed."""
    expected = run.facts
    standing = decide(run, clock.now())
    begun = [command for command in standing if isinstance(command, Perform) and command.intended]
    done = Turn(doubtful={(command.position, command.attempt) for command in begun})
    _follow(run, standing, done, clock, admitted)
    if done.facts:
        await journal.append(run.id, expected, done.facts, wake_at(run, clock.now()))
    return done


def _follow(
    run: Run, commands: Sequence[Command], done: Turn, clock: Clock, admitted: Container[Key] = ()
) -> None:
    """Turn commands that are records into facts, until only those that act are left."""
    while commands:
        recorded = False
        for command in commands:
            fact = None if _waits(command, admitted) else record_of(command, clock.now())
            if fact is None:
                done.commands.append(command)
            else:
                advance(run, fact)
                done.facts.append(fact)
                recorded = True
        commands = due(run, clock.now()) if recorded else ()


def _waits(command: Command, admitted: Container[Key]) -> bool:
    """Return whether an effect waits for its queue."""
    if not isinstance(command, Perform) or command.ticket is None or command.intended:
        return False
    return (command.position, command.attempt, EFFECT) not in admitted


def record_of(command: Command, now: float) -> Fact | None:
    """Return the fact that obeying this command consists of, or None when it asks for an action."""
    match command:
        case Perform(intended=False, position=position, attempt=attempt, request=request, ticket=ticket):
            return Intended(now, position, attempt, request, ticket.queue if ticket else "")
        case SetTimer(position, attempt, purpose, seconds):
            return TimerSet(now, position, attempt, purpose, now + seconds)
        case Finish(fact):
            return fact
        case Perform() | FireAt() | Compute() | Abandon():
            return None
        case _:
            assert_never(command)
