"""`switch`: the first case that holds, in order of declaration (register Q12)."""

from __future__ import annotations

from dirigent.core.evaluate import truth
from dirigent.core.frame import Frame
from dirigent.core.machine import Run
from dirigent.core.nodes.behaviour import Behaviour
from dirigent.model.program import Switch


def begin(run: Run, frame: Frame) -> None:
    """Ask the cases one after the other; without a match the task's own directive holds."""
    node = frame.node
    if not isinstance(node, Switch):
        raise TypeError(frame.position)
    for number, case in enumerate(node.cases):
        if case.when is None or truth(run, frame, f"case:{number}", case.when, frame.input):
            run.complete(frame, frame.input, case.then)
            return
    run.complete(frame, frame.input)


SWITCH = Behaviour(begin, begin)
