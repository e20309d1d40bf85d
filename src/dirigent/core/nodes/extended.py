"""A work with extensions round it (DSL 1.0, "Extensions"; register Q26).

Every `when` is asked once, before anything else, on the input of the task. Then come the blocks `before` in
the order of the document, the work, and the blocks `after` in the reverse order.
"""

from __future__ import annotations

from dirigent.core.control.retrying import number_anew
from dirigent.core.evaluate import truth
from dirigent.core.frame import ExtendedState, Frame
from dirigent.core.machine import Run
from dirigent.core.nodes.behaviour import Behaviour, passes_on
from dirigent.core.scope import described
from dirigent.model.program import EXIT, Extended, Sequence
from dirigent.model.values import Value


def begin(run: Run, frame: Frame) -> None:
    """Find out which extensions hold, then begin with the first."""
    node = frame.node
    if not isinstance(node, Extended):
        raise TypeError(frame.position)
    if not isinstance(frame.state, ExtendedState):
        holding = [number for number in range(len(node.extensions)) if _holds(run, frame, node, number)]
        frame.answers.clear()
        frame.state = ExtendedState(holding, frame.input)
    _before(run, frame, node, frame.state)


def _holds(run: Run, frame: Frame, node: Extended, number: int) -> bool:
    when = node.extensions[number].when
    if when is None:
        return True
    return truth(run, frame, f"when:{number}", when, frame.input, task=described(frame))


def _before(run: Run, frame: Frame, node: Extended, state: ExtendedState) -> None:
    """Enter the next block `before`, or the work when there is none left."""
    while state.entered < len(state.holding):
        number = state.holding[state.entered]
        state.entered += 1
        block = node.extensions[number].before
        if block is not None:
            run.enter_block(frame, block, f"before:{number}", state.current)
            return
    number_anew(run.enter_block(frame, node.work, "work", state.current))


def _after(run: Run, frame: Frame, node: Extended, state: ExtendedState) -> None:
    """Enter the next block `after`, from the last extension to the first."""
    while state.entered:
        state.entered -= 1
        number = state.holding[state.entered]
        block = node.extensions[number].after
        if block is not None:
            run.enter_block(frame, block, f"after:{number}", state.current)
            return
    run.complete(frame, state.current, state.directive)


def left(run: Run, frame: Frame, child: Frame, output: Value, directive: str) -> None:
    """A part ended well; `exit` in a block ends the whole with what the block gave."""
    node, state = frame.node, frame.state
    if not isinstance(node, Extended) or not isinstance(state, ExtendedState):
        raise TypeError(frame.position)
    if child.slot == "work":
        state.current = output
        # A `do` that was left early has a directive of its own; what a case or a `catch` says is the task's.
        own = child.directive is None or isinstance(child.node, Sequence)
        state.directive = None if own else directive
        _after(run, frame, node, state)
    elif directive == EXIT:
        run.complete(frame, output, state.directive)
    elif str(child.slot).startswith("before:"):
        state.current = output
        _before(run, frame, node, state)
    else:
        _after(run, frame, node, state)


EXTENDED = Behaviour(begin, begin, left, passes_on)
