"""Expressions of a test file: over a request, or over what a run came to."""

from __future__ import annotations

from dirigent.jq import LANGUAGE
from dirigent.model.fault import EXPRESSION, Fault
from dirigent.model.run.command import Question
from dirigent.model.values import Expression, Value
from dirigent.ports import ExpressionFailed, Oracle


async def computed(expression: Expression, dot: Value, oracle: Oracle) -> Value | Fault:
    """Return the value of an expression, or the fault that says why there is none."""
    try:
        compiled = LANGUAGE.compile(expression.text)
        if compiled.local:
            return compiled.evaluate(dot, {})
    except ExpressionFailed as why:
        return Fault(EXPRESSION, 400, "Expression", str(why))
    (answer,) = await oracle.answer((Question(expression, dot, {}),))
    return answer
