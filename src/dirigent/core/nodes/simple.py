"""Nodes without children: set, raise, wait, call."""

from __future__ import annotations

from dirigent.core import want
from dirigent.core.evaluate import evaluate
from dirigent.core.frame import Frame
from dirigent.core.machine import Faulted, Run
from dirigent.core.nodes.behaviour import Behaviour
from dirigent.model import fault as faults
from dirigent.model.duration import seconds_of
from dirigent.model.fault import Fault
from dirigent.model.program import Call, Raise, Set, Wait
from dirigent.model.values import Value


def set_begin(run: Run, frame: Frame) -> None:
    """Replace the output."""
    node = frame.node
    if not isinstance(node, Set):
        raise TypeError(frame.position)
    run.complete(frame, evaluate(run, frame, "set", node.value, frame.input))


def raise_begin(run: Run, frame: Frame) -> None:
    """Fail with the error that the template describes; the instance is this task."""
    node = frame.node
    if not isinstance(node, Raise):
        raise TypeError(frame.position)
    error = evaluate(run, frame, "error", node.error, frame.input)
    if not isinstance(error, dict) or not isinstance(error.get("type"), str):
        words = f"`raise` needs an error with a type, not {repr(error)[:80]}"
        raise Faulted(Fault(faults.CONFIGURATION, 400, "Configuration Error", words))
    status = error.get("status")
    raise Faulted(
        Fault(
            type=str(error["type"]),
            status=status if isinstance(status, int) else 500,
            title=_text(error.get("title")),
            detail=_text(error.get("detail")),
            instance=frame.pointer,
            span=frame.task.span if frame.task else None,
        )
    )


def _text(value: Value) -> str:
    return "" if value is None else str(value)


def wait_begin(run: Run, frame: Frame) -> None:
    """Ask for a timer; the output is the input."""
    node = frame.node
    if not isinstance(node, Wait):
        raise TypeError(frame.position)
    amount = evaluate(run, frame, "wait", node.seconds, frame.input)
    want.timer(run, frame, "wait", duration(amount))


def wait_fired(run: Run, frame: Frame, purpose: str) -> None:
    """The time has passed."""
    run.complete(frame, frame.input)


def call_begin(run: Run, frame: Frame) -> None:
    """Render the request once and want the effect."""
    node = frame.node
    if not isinstance(node, Call):
        raise TypeError(frame.position)
    want.effect(run, frame, node, evaluate(run, frame, "request", node.request, frame.input))


def duration(amount: Value) -> float:
    """Return seconds, or raise `Faulted` when the value is no duration."""
    try:
        return seconds_of(amount)
    except ValueError as refusal:
        raise Faulted(Fault(faults.EXPRESSION, 400, "Expression Error", str(refusal))) from None


SET = Behaviour(set_begin, set_begin)
RAISE = Behaviour(raise_begin, raise_begin)
WAIT = Behaviour(wait_begin, wait_begin, fired=wait_fired)
CALL = Behaviour(call_begin, call_begin)
