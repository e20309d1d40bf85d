"""What is done with each event or message: the variables of its body, its output, and what it exports."""

from __future__ import annotations

from dirigent.core.evaluate import check, evaluate
from dirigent.core.frame import ConsumeState, Frame, ListenState
from dirigent.core.machine import Run
from dirigent.model.program import EachEvent
from dirigent.model.values import Value


def bound(each: EachEvent, state: ListenState | ConsumeState) -> dict[str, Value]:
    """Return the variables of the event that was taken last."""
    return {each.item: state.item, each.at: state.taken}


def filtered(run: Run, frame: Frame, each: EachEvent, state: ListenState | ConsumeState) -> Value:
    """Return the output of an event, shaped and checked. Raises `Pending` or `Faulted`."""
    value = state.current
    if not each.output.present:
        return value
    if each.output.shape is not None:
        value = evaluate(run, frame, "foreach-output", each.output.shape, value, **bound(each, state))
    if each.output.schema is not None:
        check(run, each.output.schema, value, "the output of an event does not fit its schema")
    return value


def export(run: Run, frame: Frame, each: EachEvent, state: ListenState | ConsumeState) -> None:
    """Replace the context by what an event exports. Raises `Pending` or `Faulted`."""
    value = state.current
    if each.export.shape is not None:
        seen = {**bound(each, state), "output": value}
        value = evaluate(run, frame, "foreach-export", each.export.shape, value, **seen)
    if each.export.schema is not None:
        check(run, each.export.schema, value, "what is exported of an event does not fit its schema")
    frame.thread.context = value
