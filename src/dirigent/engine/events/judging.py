"""Whether an event is what somebody waits for, the expression worker being asked where it must be."""

from __future__ import annotations

from dirigent.core.events.matching import Answers, Needs, match
from dirigent.model.events.listening import Event, Match, Want
from dirigent.model.fault import Fault
from dirigent.model.values import Value
from dirigent.ports import Language, Oracle


async def judged(want: Want, event: Event, language: Language, oracle: Oracle) -> Match | None:
    """Return which filter an event fits, None if it fits none."""
    answers: dict[str, tuple[Value | Fault, ...]] = {}
    known: Answers = answers
    while True:
        found = match(want, event, language, known)
        if not isinstance(found, Needs):
            return found
        answers[found.slot] = await oracle.answer(found.questions)
