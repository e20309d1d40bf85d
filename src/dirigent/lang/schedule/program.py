"""A schedule as a program: a turn, a wait, and again. It runs like any other, on the engine that there is."""

from __future__ import annotations

from typing import cast

from dirigent.model.ids import Digest
from dirigent.model.program import Call, OnDoubt, Program, Sequence, Task, Wait
from dirigent.model.run.schedule import KIND, Schedule, as_value, worded
from dirigent.model.values import Expression, Template, Value


def program_of(
    name: str, schedule: Schedule, definition: Digest, given: Value, metadata: dict[str, Value]
) -> Program:
    """Return the program of a schedule that starts runs of a definition with an input."""
    request: dict[str, Value] = {
        "schedule": as_value(schedule),
        "name": name,
        "definition": definition,
        "input": given,
        "metadata": metadata,
    }
    asked = cast("dict[str, Template]", request)
    turn = Call("schedule", {**asked, "state": Expression(".")}, OnDoubt.REPEAT)
    again = Task(
        "wait", "/do/1/wait", Wait(Expression(".seconds")), condition=Expression(".over | not"), then="turn"
    )
    return Program(
        name=name,
        namespace="dirigent",
        version="1.0.0",
        root=Task(name, "", Sequence((Task("turn", "/do/0/turn", turn), again))),
        kind=KIND,
        definition={**request, "when": worded(schedule)},
    )
