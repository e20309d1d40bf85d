"""Work off the agenda: every task's way through its data flow, and every node's turn in it.

The order is that of the DSL: condition, input, node, output, export, directive. A step that needs the
expression worker stops there; the answers wake it, and it does the same again with them at hand.
"""

from __future__ import annotations

from dirigent.core import want
from dirigent.core.control.retrying import park
from dirigent.core.evaluate import check, evaluate, truth
from dirigent.core.events.noting import note
from dirigent.core.frame import Frame, Step
from dirigent.core.machine import Faulted, Pending, Run, overrun, within_limits
from dirigent.core.nodes import NODES
from dirigent.core.nodes.simple import duration
from dirigent.core.storable import bounded, unstorable
from dirigent.model import fault as faults
from dirigent.model.fault import Fault
from dirigent.model.program import CONTINUE, END, Task
from dirigent.model.values import Value

TIMEOUT = "timeout"
# By names of this module: to ask the class for a member costs five times as much, some twenty times a step.
ENTERED, CONDITION, INPUT, BODY, OUTPUT, EXPORT, OVER = Step


def settle(run: Run) -> None:
    """Let everything happen that needs nothing from outside. Bounded by `limits.PURE_STEPS`."""
    agenda, steps = run.agenda, 0
    while agenda:
        steps += 1
        excess = within_limits(run, steps)
        if excess is not None:
            _collapse(run, excess)
            return
        frame = agenda.popleft()
        # What goes wrong while the parent of a frame that is over takes it in is the parent's fault.
        subject = frame.parent if frame.step is OVER else frame
        try:
            if frame.step is OVER:
                _over(run, frame)
            elif frame.alive:
                _flow(run, frame)
        except Pending:
            continue  # The answers of the expression worker will put the frame on the agenda again.
        except Faulted as failure:
            if subject is not None:
                run.fail(subject, failure.fault)


def _over(run: Run, frame: Frame) -> None:
    """A frame ended: its parent goes on, unless it has given the frame up meanwhile."""
    parent = frame.parent
    if parent is None:
        run.result = _result(frame)
    elif parent.alive and parent.children.get(frame.slot) is frame:
        del parent.children[frame.slot]
        if frame.fault is not None:
            NODES[type(parent.node)].broke(run, parent, frame, frame.fault)
        elif frame.directive == END and frame.task is not None:
            # A block that is the work of a task (in extensions) hands it on: the task gives its output first.
            run.end(frame.value)
        else:
            NODES[type(parent.node)].left(run, parent, frame, frame.value, frame.directive or CONTINUE)


def _result(root: Frame) -> tuple[str, Value, Fault | None]:
    if root.fault is not None:
        return "faulted", None, bounded(root.fault)
    reason = unstorable(root.value)
    if reason is not None:
        return "faulted", None, overrun(f"the output cannot be stored: {reason}")
    return "completed", root.value, None


def _flow(run: Run, frame: Frame) -> None:
    """Take a frame through its next steps, as far as its node or the expression worker lets it."""
    task, step = frame.task, frame.step
    if frame.rang is not None:
        _rang(run, frame, frame.rang)
    elif task is None:
        _bare(run, frame)
    elif step is BODY:
        NODES[type(frame.node)].resume(run, frame)
    elif step < BODY:
        if step is ENTERED:
            if run.gate is not None and park(run, frame):
                return
            run.mark("entered", frame)
            frame.step = CONDITION
        if frame.step is INPUT or _condition(run, frame, task):
            _input(run, frame, task)
    else:
        if step is OUTPUT:
            _output(run, frame, task)
        _export(run, frame, task)


def _bare(run: Run, frame: Frame) -> None:
    """A block has no data flow: it begins, and it leaves with what its last task gave."""
    if frame.step is OUTPUT:
        run.leave(frame, frame.value, frame.directive)
    elif run.gate is None or not park(run, frame):
        NODES[type(frame.node)].begin(run, frame)


def _advance(frame: Frame, step: Step) -> None:
    frame.step = step
    if frame.answers:
        frame.answers.clear()


def _condition(run: Run, frame: Frame, task: Task) -> bool:
    if task.condition is not None and not truth(run, frame, "if", task.condition, frame.raw):
        run.mark("skipped", frame)
        # A skipped task passes its raw input on, and the next one follows: its directive is not its own
        # any more (register Q13, decision 7).
        run.leave(frame, frame.raw, CONTINUE)
        return False
    _advance(frame, INPUT)
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
    _advance(frame, BODY)
    if run.told is not None:
        note(run, "started", frame)
    NODES[type(frame.node)].begin(run, frame)


def _output(run: Run, frame: Frame, task: Task) -> None:
    if task.output.present:
        value = frame.value
        if task.output.shape is not None:
            value = evaluate(run, frame, "output", task.output.shape, value, output=value)
        if task.output.schema is not None:
            check(run, task.output.schema, value, "the output does not fit its schema")
        frame.value = value
    _advance(frame, EXPORT)


def _export(run: Run, frame: Frame, task: Task) -> None:
    if task.export.present:
        value = frame.value
        if task.export.shape is not None:
            value = evaluate(run, frame, "export", task.export.shape, value, output=value)
        if task.export.schema is not None:
            check(run, task.export.schema, value, "what is exported does not fit its schema")
        frame.thread.context = value
    run.mark("left", frame)
    directive = frame.directive if frame.directive is not None else task.then
    run.leave(frame, frame.value, directive)


def _rang(run: Run, frame: Frame, purpose: str) -> None:
    """A timer of a frame fired: its own time-out, or one that its node asked for."""
    frame.rang = None
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
