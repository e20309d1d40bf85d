"""A person answers for a task that runs: it ends at once, passed over or with the output that he gives.

What it has under way is abandoned; an effect that is held is settled by the word itself.
"""

from __future__ import annotations

from dirigent.core.frame import Frame, Step
from dirigent.core.machine import Run
from dirigent.core.status import Status, mismatch
from dirigent.model.ids import Position
from dirigent.model.program import CONTINUE, Code
from dirigent.model.run.journal import Overruled


def running(run: Run, position: Position, attempt: int) -> Frame | None:
    """Return the task or step that runs at a position, None if there is none that could be answered for."""
    todo = [run.root] if run.root is not None and run.root.alive else []
    for frame in todo:
        mine = frame.position == position and frame.attempt == attempt and frame.step <= Step.BODY
        if mine and (frame.task is not None or run.script is not None) and not isinstance(frame.node, Code):
            return frame
        todo.extend(frame.children.values())
    return None


def overrule(run: Run, fact: Overruled) -> None:
    """End a task with what a person says. Raises `Refusal` (E4001) when it does not run."""
    frame = running(run, fact.position, fact.attempt)
    if frame is None:
        raise mismatch(f"`{fact.position}`, attempt {fact.attempt}, does not run")
    for child in list(frame.children.values()):
        run.detach(child)
    frame.children.clear()
    for key in frame.asks:
        if run.asks[key].status is Status.HELD:
            del run.asks[key]
        else:
            run.disown(run.asks[key])
    frame.asks.clear()
    frame.answers.clear()
    frame.rang = None
    if fact.answer == "skip":
        run.mark("skipped", frame)
        run.leave(frame, frame.raw, CONTINUE)
    else:
        run.complete(frame, fact.output)
