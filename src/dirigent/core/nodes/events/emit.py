"""`emit`: the event is a fact, and in the log of the store with it: recorded once, told at least once.

Its id is that of the task's activation, with the attempt after the first, and its time that of the run: a
replay makes the same.
"""

from __future__ import annotations

from dirigent.core.evaluate import evaluate
from dirigent.core.events.shape import made
from dirigent.core.frame import Frame
from dirigent.core.machine import NOTE, Ask, Faulted, Run
from dirigent.core.nodes.behaviour import Behaviour
from dirigent.model import fault as faults
from dirigent.model.fault import Fault
from dirigent.model.ids import effect_id
from dirigent.model.program import Emit
from dirigent.model.run.command import Emits


def begin(run: Run, frame: Frame) -> None:
    """Make the event, and want it recorded."""
    node = frame.node
    if not isinstance(node, Emit):
        raise TypeError(frame.position)
    given = evaluate(run, frame, "event", node.event, frame.input)
    identity = effect_id(run.id, frame.position)
    name = identity if frame.attempt == 1 else f"{identity}-{frame.attempt}"
    try:
        event = made(given, name, run.now)
    except ValueError as why:
        words = f"the event cannot be emitted: {why}"
        raise Faulted(Fault(faults.VALIDATION, 400, "Validation Error", words)) from None
    run.want(Ask((frame.position, frame.attempt, NOTE), frame, note=Emits(event)))


EMIT = Behaviour(begin, begin)
