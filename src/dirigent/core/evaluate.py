"""Expressions and schemas in the light of a frame: the one way in which nodes come to values."""

from __future__ import annotations

from dirigent.core import render
from dirigent.core.frame import Frame
from dirigent.core.machine import COMPUTE, Ask, Faulted, Pending, Run
from dirigent.core.scope import Scope
from dirigent.model import fault as faults
from dirigent.model.fault import Fault
from dirigent.model.values import Template, Value


def evaluate(run: Run, frame: Frame, slot: str, template: Template, dot: Value, **more: Value) -> Value:
    """Return the value of a template in a frame. Raises `Pending` or `Faulted`.

    `slot` names this evaluation among those of the same step; asked again, it gives the same.
    """
    if render.fixed(template):
        return template
    try:
        value = render.render(
            template, dot, Scope(run, frame, more), run.tools.language, frame.answers.get(slot)
        )
    except render.RenderFailed as failure:
        text = f"{failure} in `{failure.leaf.text}`"
        raise Faulted(
            Fault(faults.EXPRESSION, 400, "Expression Error", text, span=failure.leaf.span)
        ) from None
    if isinstance(value, render.Asking):
        key = (frame.position, frame.attempt, COMPUTE + slot)
        if key not in run.asks:
            run.want(Ask(key, frame, questions=value.questions))
        raise Pending
    return value


def truth(run: Run, frame: Frame, slot: str, template: Template, dot: Value, **more: Value) -> bool:
    """Return a condition; anything but a boolean is an expression error (register Q15)."""
    value = evaluate(run, frame, slot, template, dot, **more)
    if isinstance(value, bool):
        return value
    words = f"a condition gave {render.shown(value)}, not true or false"
    raise Faulted(Fault(faults.EXPRESSION, 400, "Expression Error", words))


def check(run: Run, schema: Value, value: Value, what: str) -> None:
    """Raise `Faulted` with a validation error when a value does not fit its JSON Schema."""
    words = run.tools.schemas.violation(schema, value)
    if words is not None:
        raise Faulted(Fault(faults.VALIDATION, 400, "Validation Error", f"{what}: {words}"))
