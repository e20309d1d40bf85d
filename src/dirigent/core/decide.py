"""What is due: the commands that follow from a run as it stands, at a time.

`decide` is the whole brain and reads only; `due` is the same for what is new since the last call,
so that a run with a thousand open effects costs no more per fact than one with a single effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from dirigent.core.machine import Ask, Key, Run
from dirigent.core.status import Phase, Status
from dirigent.model.ids import EffectId
from dirigent.model.run.command import Abandon, Command, Compute, Finish, FireAt, Note, Perform, SetTimer
from dirigent.model.run.journal import Ended
from dirigent.model.values import Value

_LIVE: Final = frozenset({Phase.RUNNING, Phase.CANCELLING, Phase.SUSPENDED})


def decide(run: Run, now: float) -> tuple[Command, ...]:
    """Return every command that stands, in the order in which the run came to want it."""
    return tuple(_commands(run, run.asks, now))


def due(run: Run, now: float) -> tuple[Command, ...]:
    """Return the commands that came up since the last call of `due`."""
    news = list(dict.fromkeys(run.news))
    run.news.clear()
    return tuple(_commands(run, news, now))


def _commands(run: Run, keys: Iterable[Key], now: float) -> Iterator[Command]:
    if run.phase not in _LIVE:
        return
    for key in keys:
        ask = run.asks.get(key)
        command = _command(ask) if ask is not None else None
        if ask is None or command is None or (run.phase is Phase.SUSPENDED and ask.status is Status.ASKED):
            continue  # For a suspended run what is under way ends, and nothing new starts.
        if ask.frame is None or run.stopping.get(key[0]) != key:
            yield command
    if run.result is not None and not run.asks and run.phase is not Phase.SUSPENDED:
        phase, output, fault = run.result
        yield Finish(Ended(now, phase, output, fault))


def _command(ask: Ask) -> Command | None:
    position, attempt, purpose = ask.key
    if ask.call is not None:
        return _effect_command(ask, ask.effect or EffectId(""), ask.request)
    if ask.questions:
        return Compute(position, attempt, purpose.partition(":")[2], ask.questions)
    if ask.note is not None:
        return Note(position, attempt, ask.note) if ask.status is Status.ASKED else None
    if ask.status is Status.ASKED:
        return SetTimer(position, attempt, purpose, ask.seconds)
    return FireAt(position, attempt, purpose, ask.until)


def _effect_command(ask: Ask, effect: EffectId, request: Value) -> Command | None:
    position, attempt, _ = ask.key
    call = ask.call
    if call is None or (ask.status is Status.HELD and ask.frame is not None):
        return None
    if ask.frame is None:
        return Abandon(position, attempt, effect, call.function, request)
    return Perform(
        position=position,
        attempt=attempt,
        effect=effect,
        function=call.function,
        request=request,
        on_doubt=call.on_doubt,
        intended=ask.status is Status.UNDER_WAY,
        repeat=ask.repeat,
        span=ask.frame.task.span if ask.frame.task else None,
    )
