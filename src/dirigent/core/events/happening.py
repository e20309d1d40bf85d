"""What happened to a run and to its tasks, in order: noted while a run is folded, if somebody wants to know.

Law: nothing of it is part of the state, so a replay comes to the same run whether or not it is noted.
"""

from __future__ import annotations

from dataclasses import field
from typing import Final

from dirigent.core.frame import Frame
from dirigent.model.fault import Fault
from dirigent.model.ids import Position
from dirigent.model.record import dataclass
from dirigent.model.values import Value

# A task is over with these; one that was `stopped` is not if it ended in another way just then.
OVER: Final = frozenset({"left", "skipped", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened, to a task or (with an empty `pointer`) to the run itself.

    It follows from the last of the first `facts` facts of the run.
    """

    what: str
    at: float
    facts: int
    pointer: str = ""
    position: Position = Position("")
    attempt: int = 0
    output: Value = None
    fault: Fault | None = None
    keys: dict[str, Value] = field(default_factory=dict)


def of_task(what: str, at: float, facts: int, frame: Frame) -> Happening | None:
    """Return what happened to the task of a frame; None for a block, and for the whole document."""
    if frame.task is None or frame.parent is None:
        return None
    output = frame.value if what == "left" else frame.raw if what == "skipped" else None
    fault = frame.fault if what == "failed" else None
    return Happening(what, at, facts, frame.pointer, frame.position, frame.attempt, output, fault)


def settled(told: list[Happening]) -> list[Happening]:
    """Return what happened without what only seemed so: a task that ended was not stopped as well."""
    over = {(each.position, each.attempt) for each in told if each.what in OVER}
    return [each for each in told if each.what != "stopped" or (each.position, each.attempt) not in over]
