"""`for`: one pass of the body for each item; each pass gets what the last one gave."""

from __future__ import annotations

from dirigent.core.evaluate import evaluate, truth
from dirigent.core.frame import Frame, LoopState
from dirigent.core.machine import Faulted, Run, bound_variables, overrun
from dirigent.core.nodes.behaviour import Behaviour, passes_on
from dirigent.core.render import shown
from dirigent.model import fault as faults
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.program import CONTINUE, Loop
from dirigent.model.values import Value


def begin(run: Run, frame: Frame) -> None:
    """Find the items, then start the first pass."""
    node = frame.node
    if not isinstance(node, Loop):
        raise TypeError(frame.position)
    if not isinstance(frame.state, LoopState):
        items = evaluate(run, frame, "in", node.items, frame.input)
        if not isinstance(items, list):
            words = f"`for.in` must give an array, not {shown(items)}; `[...]` makes one of several results"
            raise Faulted(Fault(faults.EXPRESSION, 400, "Expression Error", words))
        if len(items) > limits.LOOP_ITERATIONS:
            raise Faulted(overrun(f"a loop over {len(items)} items", limits.LOOP_ITERATIONS))
        frame.answers.clear()
        frame.state = LoopState(items, frame.input)
    _pass(run, frame, node, frame.state)


def _pass(run: Run, frame: Frame, node: Loop, state: LoopState) -> None:
    """Start the pass that is due, unless the items or the condition say that it is over."""
    if state.index >= len(state.items):
        run.complete(frame, state.current)
        return
    bound: dict[str, Value] = {node.each: state.items[state.index], node.at: state.index}
    if node.condition is not None and not truth(run, frame, "while", node.condition, state.current, **bound):
        run.complete(frame, state.current)
        return
    frame.answers.clear()
    body = run.enter_block(frame, node.body, state.index, state.current, f"[{state.index}]")
    body.variables = bound_variables(frame, bound)


def left(run: Run, frame: Frame, child: Frame, output: Value, directive: str) -> None:
    """A pass ended: `exit` in the body ends the loop (register Q28)."""
    node, state = frame.node, frame.state
    if not isinstance(node, Loop) or not isinstance(state, LoopState):
        raise TypeError(frame.position)
    state.current, state.index = output, state.index + 1
    if directive != CONTINUE:
        run.complete(frame, output)
    else:
        _pass(run, frame, node, state)


LOOP = Behaviour(begin, begin, left, passes_on)
