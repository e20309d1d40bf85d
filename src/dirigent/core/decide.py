"""What is due: the commands that follow from a run as it stands, at a time.

`decide` is the whole brain and reads only; `due` is the same for what is new since the last call,
so that a run with a thousand open effects costs no more per fact than one with a single effect.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from dirigent.core.machine import Ask, Key, Run
from dirigent.core.status import Phase, Status
from dirigent.model.ids import EffectId
from dirigent.model.program import Call
from dirigent.model.run.command import (
    Abandon,
    Ceases,
    Command,
    Compute,
    Finish,
    FireAt,
    Note,
    Perform,
    SetTimer,
)
from dirigent.model.run.journal import Ended
from dirigent.ports import AWAKE, NEVER

# By names of this module, as in `core.flow`.
_ASKED: Final = Status.ASKED
_UNDER_WAY: Final = Status.UNDER_WAY
_HELD: Final = Status.HELD
_LIVE: Final = frozenset({Phase.RUNNING, Phase.CANCELLING, Phase.SUSPENDED})


def decide(run: Run, now: float) -> tuple[Command, ...]:
    """Return every command that stands, in the order in which the run came to want it."""
    return _commands(run, run.asks, now)


def due(run: Run, now: float) -> tuple[Command, ...]:
    """Return the commands that came up since the last call of `due`."""
    news, run.news = run.news, []
    return _commands(run, dict.fromkeys(news) if len(news) > 1 else news, now)


def wake_at(run: Run, now: float) -> float:
    """Return when a run next has something to do: `AWAKE`, the time of its first timer, or `NEVER`.

    Exactly the runs of which `decide` orders nothing but to wait for timers may sleep. One that waits in a
    queue, or has a place there, does not: the next engine must know of it to let the right ones go.
    """
    ticketed = run.created is not None and run.created.ticket is not None
    if ticketed and run.phase is not Phase.ENDED:
        return AWAKE
    for ask in run.asks.values():
        if ask.call is not None and ask.status is _UNDER_WAY:
            return AWAKE
    soonest = NEVER
    for command in _commands(run, run.asks, now):
        if not isinstance(command, FireAt):
            return AWAKE
        soonest = min(soonest, command.until)
    return soonest


def timers(run: Run) -> list[tuple[float, Key]]:
    """Return the timers that a run waits for, in the order in which they end."""
    waiting = (ask for ask in run.asks.values() if ask.status is _UNDER_WAY and ask.call is None)
    return sorted((ask.until, ask.key) for ask in waiting if not ask.questions and ask.note is None)


def _commands(run: Run, keys: Iterable[Key], now: float) -> tuple[Command, ...]:
    phase, asks, stopping = run.phase, run.asks, run.stopping
    found: list[Command] = []
    if phase not in _LIVE:
        return ()
    for key in keys:
        ask = asks.get(key)
        if ask is None or (phase is Phase.SUSPENDED and ask.status is _ASKED):
            continue  # For a suspended run what is under way ends, and nothing new starts.
        if ask.frame is not None and stopping and stopping.get(key[0]) == key:
            continue
        command = _command(ask)
        if command is not None:
            found.append(command)
    if run.result is not None and not asks and phase is not Phase.SUSPENDED:
        outcome, output, fault = run.result
        found.append(Finish(Ended(now, outcome, output, fault)))
    return tuple(found)


def _command(ask: Ask) -> Command | None:
    position, attempt, purpose = ask.key
    if ask.call is not None:
        return _effect_command(ask, ask.call)
    if ask.questions:
        return Compute(position, attempt, purpose.partition(":")[2], ask.questions)
    if ask.note is not None:
        if ask.status is _ASKED:
            return Note(position, attempt, ask.note)
        return Note(position, attempt, Ceases()) if ask.frame is None else None
    if ask.status is _ASKED:
        return SetTimer(position, attempt, purpose, ask.seconds)
    return FireAt(position, attempt, purpose, ask.until)


def _effect_command(ask: Ask, call: Call) -> Command | None:
    position, attempt, _ = ask.key
    effect, frame, status = ask.effect or EffectId(""), ask.frame, ask.status
    if frame is None:
        return Abandon(position, attempt, effect, call.function, ask.request)
    if status is _HELD:
        return None
    return Perform(
        position,
        attempt,
        effect,
        call.function,
        ask.request,
        call.on_doubt,
        status is _UNDER_WAY,
        ask.repeat,
        frame.task.span if frame.task else None,
        ask.ticket,
        ask.known,
    )
