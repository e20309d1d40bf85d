"""Work off the agenda: every task's way through its data flow, and every node's turn in it.

The order is that of the DSL: condition, input, node, output, export, directive. A step that needs the
expression worker stops there; the answers wake it, and it does the same again with them at hand.
"""

from __future__ import annotations

from typing import assert_never

from dirigent.core import want
from dirigent.core.evaluate import check, evaluate, truth
from dirigent.core.frame import Frame, Step
from dirigent.core.machine import (
    Broke,
    Enter,
    Event,
    Faulted,
    Left,
    Pending,
    Proceed,
    Rang,
    Run,
    overrun,
    within_limits,
)
from dirigent.core.nodes import NODES
from dirigent.core.nodes.simple import duration
from dirigent.core.storable import bounded, unstorable
from dirigent.model import fault as faults
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.program import CONTINUE, END, Task
from dirigent.model.values import Value

TIMEOUT = "timeout"


def settle(run: Run) -> None:
    """Let everything happen that needs nothing from outside. Bounded by `limits.PURE_STEPS`."""
    steps = 0
    while run.agenda:
        event = run.agenda.popleft()
        steps += 1
        excess = within_limits(run)
        if steps > limits.PURE_STEPS:
            excess = overrun("too many steps in a row without an effect or a wait", limits.PURE_STEPS)
        if excess is not None:
            _collapse(run, excess)
            return
        frame = event.frame
        if not frame.alive and isinstance(event, Enter | Proceed | Rang):
            continue
        _guarded(run, event)


def _guarded(run: Run, event: Event) -> None:
    subject = event.frame if isinstance(event, Enter | Proceed | Rang) else event.frame.parent
    try:
        _step(run, event)
    except Pending:
        return  # The answers of the expression worker will put the frame on the agenda again.
    except Faulted as failure:
        if subject is not None:
            run.fail(subject, failure.fault)


def _step(run: Run, event: Event) -> None:
    match event:
        case Enter(frame):
            run.mark("entered", frame)
            _flow(run, frame)
        case Proceed(frame):
            _flow(run, frame)
        case Rang(frame, purpose):
            _rang(run, frame, purpose)
        case Left(frame, output, directive):
            _left(run, frame, output, directive)
        case Broke(frame, fault):
            _broke(run, frame, fault)
        case _:
            assert_never(event)


def _left(run: Run, frame: Frame, output: Value, directive: str) -> None:
    parent = frame.parent
    if parent is None:
        reason = unstorable(output)
        if reason is None:
            run.result = ("completed", output, None)
        else:
            run.result = ("faulted", None, overrun(f"the output cannot be stored: {reason}"))
    elif parent.alive and parent.children.get(frame.slot) is frame:
        parent.children.pop(frame.slot, None)
        if directive == END:
            run.end(output)
        else:
            NODES[type(parent.node)].left(run, parent, frame, output, directive)


def _broke(run: Run, frame: Frame, fault: Fault) -> None:
    parent = frame.parent
    if parent is None:
        run.result = ("faulted", None, bounded(fault))
    elif parent.alive and parent.children.get(frame.slot) is frame:
        parent.children.pop(frame.slot, None)
        NODES[type(parent.node)].broke(run, parent, frame, fault)


def _flow(run: Run, frame: Frame) -> None:
    """Take a frame through its next steps, as far as its node or the expression worker lets it."""
    task = frame.task
    if task is None:
        _bare(run, frame)
        return
    if frame.step is Step.CONDITION and not _condition(run, frame, task):
        return
    if frame.step is Step.INPUT:
        _input(run, frame, task)
    elif frame.step is Step.BODY:
        NODES[type(frame.node)].resume(run, frame)
    else:
        if frame.step is Step.OUTPUT:
            _output(run, frame, task)
        _export(run, frame, task)


def _bare(run: Run, frame: Frame) -> None:
    """A block has no data flow: it begins, and it leaves with what its last task gave."""
    if frame.step is Step.OUTPUT:
        run.leave(frame, frame.value, frame.directive or CONTINUE)
    else:
        NODES[type(frame.node)].begin(run, frame)


def _advance(frame: Frame, step: Step) -> None:
    frame.step = step
    frame.answers.clear()


def _condition(run: Run, frame: Frame, task: Task) -> bool:
    if task.condition is not None and not truth(run, frame, "if", task.condition, frame.raw):
        run.mark("skipped", frame)
        frame.step = Step.OVER
        # A skipped task passes its raw input on, and the next one follows: its directive is not its own
        # any more (register Q13, decision 7).
        run.leave(frame, frame.raw, CONTINUE)
        return False
    _advance(frame, Step.INPUT)
    return True


def _input(run: Run, frame: Frame, task: Task) -> None:
    value = frame.raw
    if task.input.present:
        if task.input.schema is not None:
            check(run, task.input.schema, value, "the input does not fit its schema")
        if task.input.shape is not None:
            value = evaluate(run, frame, "input", task.input.shape, value)
    if task.timeout_seconds is not None:
        amount = evaluate(run, frame, "timeout", task.timeout_seconds, value)
        want.timer(run, frame, TIMEOUT, duration(amount))
    frame.input = value
    _advance(frame, Step.BODY)
    NODES[type(frame.node)].begin(run, frame)


def _output(run: Run, frame: Frame, task: Task) -> None:
    if task.output.present:
        value = frame.value
        if task.output.shape is not None:
            value = evaluate(run, frame, "output", task.output.shape, value, output=value)
        if task.output.schema is not None:
            check(run, task.output.schema, value, "the output does not fit its schema")
        frame.value = value
    _advance(frame, Step.EXPORT)


def _export(run: Run, frame: Frame, task: Task) -> None:
    if task.export.present:
        value = frame.value
        if task.export.shape is not None:
            value = evaluate(run, frame, "export", task.export.shape, value, output=value)
        if task.export.schema is not None:
            check(run, task.export.schema, value, "what is exported does not fit its schema")
        frame.thread.context = value
    _advance(frame, Step.OVER)
    run.mark("left", frame)
    directive = frame.directive if frame.directive is not None else task.then
    run.leave(frame, frame.value, directive)


def _rang(run: Run, frame: Frame, purpose: str) -> None:
    """A timer of a frame fired: its own time-out, or one that its node asked for."""
    if purpose == TIMEOUT:
        text = "the task did not end within its time-out"
        run.fail(frame, Fault(faults.TIMEOUT, 408, "Timeout", text))
    else:
        NODES[type(frame.node)].fired(run, frame, purpose)


def _collapse(run: Run, fault: Fault) -> None:
    """End the whole run with a fault that no `try` may catch."""
    run.agenda.clear()
    root = run.root
    if root is not None:
        run.detach(root)
    run.result = ("faulted", None, fault)
