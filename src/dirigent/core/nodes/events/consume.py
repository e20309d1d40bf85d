"""`foreach` of a subscription: one message after the other, each the result of an effect of its own.

What is taken is a fact before anything is done with it, and the next is asked for when its tasks are over.
So a crash neither loses a message nor does finished tasks again; and who takes may acknowledge a message
as soon as its fact is durable, and knows where to go on (`after`).
"""

from __future__ import annotations

from dirigent.core.control.retrying import number_anew
from dirigent.core.evaluate import truth
from dirigent.core.frame import ConsumeState, Frame, Stage
from dirigent.core.machine import Run, bound_variables
from dirigent.core.nodes.behaviour import Behaviour, passes_on
from dirigent.core.nodes.events import each_event
from dirigent.model import fault as faults
from dirigent.model.fault import Fault
from dirigent.model.ids import effect_id
from dirigent.model.program import CONTINUE, TAKING, Consume
from dirigent.model.values import Value

CALL = "take"


def begin(run: Run, frame: Frame) -> None:
    """Take the first message, or go on with the one that was taken."""
    node, state = frame.node, frame.state
    if not isinstance(node, Consume):
        raise TypeError(frame.position)
    if isinstance(state, ConsumeState):
        _go_on(run, frame, node, state)
        return
    frame.answers.clear()
    frame.state = ConsumeState()
    _take(run, frame, node, frame.state)


def left(run: Run, frame: Frame, child: Frame, output: Value, directive: str) -> None:
    """A message is there, or none will come, or the body is done with one; `exit` in it ends the stream."""
    state = _state(frame)
    if child.slot != CALL:
        state.current, state.stage, state.leaving = output, Stage.OUTPUT, directive != CONTINUE
        run.agenda.append(frame)
    elif state.stage is Stage.LEAVING or output is None:
        run.complete(frame, list(state.outputs))
    elif not isinstance(output, dict) or "message" not in output:
        # What is too large for a fact has become a reference, and nothing can be said of what is in it.
        words = "a message is too large to be worked on by itself, or what took it gave none"
        run.fail(frame, Fault(faults.RUNTIME, 500, "No Message", words))
    else:
        state.item = state.current = output["message"]
        state.cursor, state.stage = output.get("cursor"), Stage.TAKEN
        run.agenda.append(frame)


def _go_on(run: Run, frame: Frame, node: Consume, state: ConsumeState) -> None:
    """Take the last message through what is done with each, as far as the expression worker lets it."""
    each = node.each
    if state.stage is Stage.TAKEN:
        if _ends(run, frame, node, state, "before"):
            _leave(run, frame, node, state)
            return
        frame.answers.clear()
        if each.body is not None and each.body.tasks:
            state.stage = Stage.BODY
            body = run.enter_block(frame, each.body, state.taken, state.item, f"[{state.taken}]")
            body.variables = bound_variables(frame, each_event.bound(each, state))
        else:
            state.stage = Stage.OUTPUT
    if state.stage is Stage.OUTPUT:
        state.current = each_event.filtered(run, frame, each, state)
        state.stage = Stage.EXPORT
        frame.answers.clear()
    if state.stage is Stage.EXPORT:
        if each.export.present:
            each_event.export(run, frame, each, state)
        state.outputs.append(state.current)
        state.stage = Stage.UNTIL
        frame.answers.clear()
    if state.stage is Stage.UNTIL:
        _judge(run, frame, node, state)


def _judge(run: Run, frame: Frame, node: Consume, state: ConsumeState) -> None:
    """End the stream, or take the next message."""
    seen = each_event.bound(node.each, state)
    over = state.leaving or _ends(run, frame, node, state, "after")
    if not over and node.go_on is not None:
        over = not truth(run, frame, "while", node.go_on, state.item, **seen)
    frame.answers.clear()
    state.taken += 1
    if node.amount is not None and state.taken >= node.amount:
        # Who took the last one knew that it was, and has left.
        run.complete(frame, list(state.outputs))
    elif over:
        _leave(run, frame, node, state)
    else:
        _take(run, frame, node, state)


def _ends(run: Run, frame: Frame, node: Consume, state: ConsumeState, when: str) -> bool:
    seen = each_event.bound(node.each, state)
    return node.until is not None and truth(run, frame, f"until-{when}", node.until, state.item, **seen)


def _take(run: Run, frame: Frame, node: Consume, state: ConsumeState) -> None:
    state.stage = Stage.WAITING
    _call(run, frame, node, state, last=state.taken + 1 == node.amount)


def _leave(run: Run, frame: Frame, node: Consume, state: ConsumeState) -> None:
    """Have the broker told that nobody waits any more."""
    state.stage = Stage.LEAVING
    _call(run, frame, node, state, leave=True)


def _call(
    run: Run, frame: Frame, node: Consume, state: ConsumeState, *, last: bool = False, leave: bool = False
) -> None:
    taking = run.enter_block(frame, node.call, CALL, frame.input, f"[{state.calls}]")
    number_anew(taking)
    state.calls += 1
    stream: Value = {
        "id": effect_id(run.id, frame.position),
        "after": state.cursor,
        "last": last,
        "leave": leave,
    }
    taking.variables = bound_variables(frame, {TAKING: stream})


def _state(frame: Frame) -> ConsumeState:
    if not isinstance(frame.state, ConsumeState):
        raise TypeError(frame.position)
    return frame.state


CONSUME = Behaviour(begin, begin, left, passes_on)
