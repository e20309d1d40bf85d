"""Tasks one after the other, with jumps among them (DSL 1.0, "Flow Directive")."""

from __future__ import annotations

from dirigent.core.frame import Frame, SequenceState
from dirigent.core.machine import Run
from dirigent.core.nodes.behaviour import Behaviour, passes_on
from dirigent.model.program import CONTINUE, EXIT, Sequence
from dirigent.model.values import Value


def begin(run: Run, frame: Frame) -> None:
    """Enter the first task; an empty sequence passes its input on."""
    frame.state = SequenceState()
    _enter(run, frame, 0, frame.input)


def left(run: Run, frame: Frame, child: Frame, output: Value, directive: str) -> None:
    """Follow the directive of the task that ended; `end` never comes here, it ends the run."""
    node = frame.node
    if not isinstance(node, Sequence) or not isinstance(child.slot, int):
        raise TypeError(frame.position)
    match directive:
        case "continue":
            _enter(run, frame, child.slot + 1, output)
        case "exit":
            _finish(run, frame, output, EXIT)
        case name:
            _enter(run, frame, _index(node, name), output)


def _index(node: Sequence, name: str) -> int:
    """Return where a task stands. The front-end has proved that it exists."""
    return next(index for index, task in enumerate(node.tasks) if task.name == name)


def _enter(run: Run, frame: Frame, index: int, value: Value) -> None:
    node, state = frame.node, frame.state
    if not isinstance(node, Sequence) or not isinstance(state, SequenceState):
        raise TypeError(frame.position)
    if index >= len(node.tasks):
        _finish(run, frame, value, CONTINUE)
        return
    visit = state.visits.get(index, 0)
    state.visits[index] = visit + 1
    run.enter(frame, node.tasks[index], index, value, f"~{visit + 1}" if visit else "")


def _finish(run: Run, frame: Frame, output: Value, directive: str) -> None:
    """A block tells its owner how it ended; a `do` task has a directive of its own."""
    run.complete(frame, output, directive if frame.task is None else None)


SEQUENCE = Behaviour(begin, begin, left, passes_on)
