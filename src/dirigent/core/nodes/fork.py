"""Branches side by side, each with its own snapshot of the context (register Q7 to Q10)."""

from __future__ import annotations

from dirigent.core.frame import ForkState, Frame, Thread
from dirigent.core.machine import Run
from dirigent.core.nodes.behaviour import Behaviour
from dirigent.model.fault import Fault
from dirigent.model.program import Fork
from dirigent.model.values import Value


def begin(run: Run, frame: Frame) -> None:
    """Enter every branch with the same input."""
    node = frame.node
    if not isinstance(node, Fork):
        raise TypeError(frame.position)
    state = frame.state = ForkState()
    for number, branch in enumerate(node.branches):
        child = run.enter(frame, branch, number, frame.input)
        child.thread = state.threads[number] = Thread(frame.thread.context)


def left(run: Run, frame: Frame, child: Frame, output: Value, directive: str) -> None:
    """A branch succeeded; `directive` has no meaning for a branch, which has no successor."""
    node, state = _parts(frame)
    number = int(child.slot)
    state.outputs[number] = output
    if node.compete:
        frame.thread.context = state.threads[number].context
        _stop(run, frame)
        run.complete(frame, output)
    elif len(state.outputs) == len(node.branches):
        before = frame.thread.context
        for index in range(len(node.branches)):
            frame.thread.context = merged(before, frame.thread.context, state.threads[index].context)
        run.complete(frame, [state.outputs[index] for index in range(len(node.branches))])


def broke(run: Run, frame: Frame, child: Frame, fault: Fault) -> None:
    """A branch failed: the race goes on while others run; a common task is over."""
    node, state = _parts(frame)
    state.faults[int(child.slot)] = fault
    if not node.compete:
        run.fail(frame, fault)
    elif len(state.faults) == len(node.branches):
        run.fail(frame, state.faults[0])


def _parts(frame: Frame) -> tuple[Fork, ForkState]:
    node, state = frame.node, frame.state
    if not isinstance(node, Fork) or not isinstance(state, ForkState):
        raise TypeError(frame.position)
    return node, state


def _stop(run: Run, frame: Frame) -> None:
    for loser in list(frame.children.values()):
        run.mark("cancelled", loser)
        run.detach(loser)


def merged(before: Value, current: Value, branch: Value) -> Value:
    """Return the context after a branch's exports: of objects, the members that the branch changed.

    Applied in order of declaration, so the result does not depend on which branch was faster.
    """
    if branch == before:
        return current
    if isinstance(current, dict) and isinstance(branch, dict):
        known = before if isinstance(before, dict) else {}
        changed = {k: v for k, v in branch.items() if k not in known or known[k] != v}
        removed = known.keys() - branch.keys()
        return {k: v for k, v in {**current, **changed}.items() if k not in removed}
    return branch


FORK = Behaviour(begin, begin, left, broke)
