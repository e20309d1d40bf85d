"""A schedule as a program: a turn, a wait, and again. It runs like any other, on the engine that there is.

That of events listens, and has its turn when one has come; what it heard is durable before that.
"""

from __future__ import annotations

from typing import cast

from dirigent.lang.schedule.events import heard_for
from dirigent.model.events.listening import Read, Strategy
from dirigent.model.ids import Digest
from dirigent.model.program import Call, Filter, Listen, OnDoubt, Program, Sequence, Set, Task, Wait
from dirigent.model.run.schedule import KIND, Schedule, as_value, worded
from dirigent.model.values import Expression, Template, Value


def program_of(
    name: str,
    schedule: Schedule,
    definition: Digest,
    given: Value,
    metadata: dict[str, Value],
    strategy: Strategy | None = None,
) -> Program:
    """Return the program of a schedule that starts runs of a definition with an input.

    Those that events start, after a strategy, have the events for their input.
    """
    request: dict[str, Value] = {
        "schedule": as_value(schedule),
        "name": name,
        "definition": definition,
        "input": given,
        "metadata": metadata,
    }
    asked = cast("dict[str, Template]", request)
    steps = _timed(asked) if strategy is None else _heard(asked, strategy)
    return Program(
        name=name,
        namespace="dirigent",
        version="1.0.0",
        root=Task(name, "", Sequence(steps)),
        kind=KIND,
        definition={**request, "when": worded(schedule)},
    )


def _timed(asked: dict[str, Template]) -> tuple[Task, ...]:
    turn = Call("schedule", {**asked, "state": Expression(".")}, OnDoubt.REPEAT)
    again = Task(
        "wait", "/do/1/wait", Wait(Expression(".seconds")), condition=Expression(".over | not"), then="turn"
    )
    return Task("turn", "/do/0/turn", turn), again


def _heard(asked: dict[str, Template], strategy: Strategy) -> tuple[Task, ...]:
    heard: dict[str, Template] = {"state": Expression("$input"), "arrival": Expression(".[0]")}
    listen = Listen(heard_for(strategy), Read.ENVELOPE, standing=True)
    request: dict[str, Template] = {
        **asked,
        "state": Expression(".state"),
        "arrival": Expression(".arrival"),
    }
    # Not ahead of the journal: a turn reads there what was gathered before.
    turn = Call("schedule", request, OnDoubt.HOLD)
    again = Task(
        "again", "/do/2/again", Set(Expression(".")), condition=Expression(".over | not"), then="listen"
    )
    return (
        Task("listen", "/do/0/listen", listen, output=Filter(shape=heard, present=True)),
        Task("turn", "/do/1/turn", turn),
        again,
    )
