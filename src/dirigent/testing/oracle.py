"""An expression worker that answers by a function, or dies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from dirigent.model.fault import EXPRESSION, Fault
from dirigent.model.run.command import Question
from dirigent.model.values import Value


class ScriptedOracle:
    """Fits `ports.Oracle`. Without a function every question gives an expression fault."""

    def __init__(self, answer: Callable[[Question], Value | Fault] | None = None) -> None:
        """Take what answers a question."""
        self.asked: list[Question] = []
        self._answer = answer

    async def answer(self, questions: Sequence[Question]) -> tuple[Value | Fault, ...]:
        """Return one answer for each question, in order."""
        self.asked.extend(questions)
        await asyncio.sleep(0)
        if self._answer is None:
            return tuple(Fault(EXPRESSION, 400, "no answer", each.expression.text) for each in questions)
        return tuple(self._answer(each) for each in questions)
