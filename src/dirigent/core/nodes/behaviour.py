"""What every kind of node can be asked to do: plain functions in a frozen record, no base class."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from dirigent.core.frame import Frame
from dirigent.core.machine import Run
from dirigent.model.fault import Fault
from dirigent.model.record import dataclass
from dirigent.model.values import Value

Move: TypeAlias = Callable[[Run, Frame], None]


def _no_child_left(run: Run, frame: Frame, child: Frame, output: Value, directive: str) -> None:
    raise AssertionError(f"{type(frame.node).__name__} at {frame.position} of {run.id} has no children")


def _no_child_broke(run: Run, frame: Frame, child: Frame, fault: Fault) -> None:
    raise AssertionError(f"{type(frame.node).__name__} at {frame.position} of {run.id} has no children")


def _no_timer(run: Run, frame: Frame, purpose: str) -> None:
    raise AssertionError(f"{type(frame.node).__name__} at {frame.position} of {run.id} set no `{purpose}`")


def passes_on(run: Run, frame: Frame, child: Frame, fault: Fault) -> None:
    """A fault of a child is the fault of the whole."""
    run.fail(frame, fault)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """`begin` starts a node; `resume` goes on after answers of the expression worker.

    `left` and `broke` are told of a child's end, `fired` of a timer that the node asked for.
    """

    begin: Move
    resume: Move
    left: Callable[[Run, Frame, Frame, Value, str], None] = _no_child_left
    broke: Callable[[Run, Frame, Frame, Fault], None] = _no_child_broke
    fired: Callable[[Run, Frame, str], None] = _no_timer
