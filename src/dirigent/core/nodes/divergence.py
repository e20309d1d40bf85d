"""Where a workflow of code and its journal part: both are named, and nothing of the run is touched."""

from __future__ import annotations

from collections.abc import Iterator

from dirigent.core.frame import CodeState, Frame
from dirigent.core.machine import Ask, Run
from dirigent.core.render import shown
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Call
from dirigent.model.run.command import Awaits
from dirigent.model.run.journal import Awaited, Fact, Intended, TimerSet
from dirigent.model.values import Value

ASKS_SHOWN = 5


def same(recorded: Value, asked: Value) -> bool:
    """Return whether two requests are the same to a journal; what is not a number equals itself there."""
    return recorded is asked or recorded == asked or repr(recorded) == repr(asked)


def divergence(run: Run, fact: Fact) -> Refusal:
    """Return the refusal (E4030) of a fact that the code, as it is now, does not lead to."""
    asks = list(_asks(run))
    more = len(asks) - ASKS_SHOWN
    words = "; ".join(asks[:ASKS_SHOWN]) + (f"; and {more} more" if more > 0 else "")
    return refuse(
        "E4030",
        f"run `{run.id}` holds {_held(run, fact)}, but its code now {words or 'asks for nothing more'}",
        "the run is left as it is: nothing was recorded and nothing done",
        'put the change behind `if patched("NAME"):` and keep the former lines in its `else`, or start the'
        " former code again",
        "what differs from run to run of the code (time, chance, files, the environment) belongs into"
        " a step, or comes from `now`, `random` and `uuid` of dirigent",
    )


def _held(run: Run, fact: Fact) -> str:
    """Say what the journal holds."""
    position = getattr(fact, "position", "")
    number = f"as fact {run.facts}"
    match fact:
        case Intended(request=request):
            return f"{_call(request)} at `{position}` ({number})"
        case TimerSet(purpose="wait"):
            return f"a sleep at `{position}` ({number})"
        case Awaited(event=event):
            return f"a wait for the event `{event}` at `{position}` ({number})"
        case _:
            return f"`{type(fact).__name__}` at `{position}` ({number})"


def _call(request: Value) -> str:
    match request:
        case {"step": step, "args": args, "kwargs": kwargs}:
            given = [*(args if isinstance(args, list) else ())]
            named = kwargs if isinstance(kwargs, dict) else {}
            parts = [*map(shown, given), *(f"{name}={shown(each)}" for name, each in named.items())]
            return f"the step `{step}({', '.join(parts)})`"
        case {"namespace": _, "name": name, "input": given}:
            return f"the workflow `{name}` with {shown(given)}"
        case _:
            return shown(request)


def _asks(run: Run) -> Iterator[str]:
    """Say what the code asks for now, each with the line of its await."""
    for ask in run.asks.values():
        frame = ask.frame
        if frame is None or ask.key[2] == "deadline":
            continue
        line = place(frame)
        yield f"asks for {_asked(ask)} at `{ask.key[0]}`" + (f" ({line})" if line else "")


def _asked(ask: Ask) -> str:
    if isinstance(ask.call, Call):
        return _call(ask.request)
    if isinstance(ask.note, Awaits):
        return f"the event `{ask.note.event}`"
    return "a sleep" if ask.key[2] == "wait" else f"`{ask.key[2]}`"


def place(frame: Frame) -> str:
    """Return file and line of the await that a frame belongs to."""
    owner: Frame | None = frame
    while owner is not None:
        if isinstance(owner.state, CodeState):
            return owner.state.play.place
        owner = owner.parent
    return ""
