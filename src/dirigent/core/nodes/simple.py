"""Nodes without children: set, raise, wait, call."""

from __future__ import annotations

from typing import Final

from dirigent.core import want
from dirigent.core.evaluate import evaluate
from dirigent.core.events.noting import note
from dirigent.core.frame import Frame
from dirigent.core.machine import Faulted, Run
from dirigent.core.nodes.behaviour import Behaviour
from dirigent.core.render import shown
from dirigent.model import fault as faults
from dirigent.model import limits
from dirigent.model.duration import seconds_of
from dirigent.model.fault import Fault
from dirigent.model.program import Call, Raise, Set, Wait
from dirigent.model.values import SecretText, Value

STATUSES: Final = range(100, 600)


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
    members = error if isinstance(error, dict) else {}
    kind = _text(members, "type")
    if not kind:
        raise _unfit(f"`raise` needs an error with a type, not {shown(error)}")
    raise Faulted(
        Fault(
            type=kind,
            status=_status(members.get("status")),
            title=_text(members, "title"),
            detail=_text(members, "detail"),
            instance=frame.pointer,
            span=frame.task.span if frame.task else None,
        )
    )


def _status(value: Value) -> int:
    """Return a computed status under the rule of a literal one: a whole number of three digits."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value in STATUSES:
        return int(value)
    raise _unfit(f"the status of an error must be a whole number from 100 to 599, not {shown(value)}")


def _text(members: dict[str, Value], name: str) -> str:
    match members.get(name):
        case None:
            return ""
        case str() | SecretText() as text:
            return str(text)
        case other:
            raise _unfit(f"the {name} of an error must be text, not {shown(other)}")


def _unfit(words: str) -> Faulted:
    return Faulted(Fault(faults.CONFIGURATION, 400, "Configuration Error", words))


def wait_begin(run: Run, frame: Frame) -> None:
    """Ask for a timer; the output is the input."""
    node = frame.node
    if not isinstance(node, Wait):
        raise TypeError(frame.position)
    amount = evaluate(run, frame, "wait", node.seconds, frame.input)
    want.timer(run, frame, "wait", duration(amount))
    note(run, "waiting", frame)


def wait_fired(run: Run, frame: Frame, purpose: str) -> None:
    """The time has passed."""
    run.complete(frame, frame.input)


def call_begin(run: Run, frame: Frame) -> None:
    """Render the request once and want the effect."""
    node = frame.node
    if not isinstance(node, Call):
        raise TypeError(frame.position)
    given = frame.input
    request = given if node.literal else evaluate(run, frame, "request", node.request, given)
    key = evaluate(run, frame, "key", node.waits.key, given) if node.waits else ""
    if isinstance(key, bool) or not isinstance(key, str | int | float):
        raise _unfit(f"the key of a queue must be text or a number, not {shown(key)}")
    want.effect(run, frame, node, request, str(key)[: limits.QUEUE_KEY_CHARACTERS])


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
