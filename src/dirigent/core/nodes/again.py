"""A call of code that is made again when it fails. Its attempts stand at one position, that of the call.

Only what may pass is tried again: a time-out, or a fault whose status speaks of the server's side.
"""

from __future__ import annotations

from typing import Final

from dirigent.core import want
from dirigent.core.frame import AgainState, Frame
from dirigent.core.machine import Run
from dirigent.core.nodes.attempt import RETRY, drawn
from dirigent.core.nodes.behaviour import Behaviour
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.run.code import Again, Repeatedly
from dirigent.model.values import Value

SERVER: Final = 500
LATE: Final = 408


def begin(run: Run, frame: Frame) -> None:
    """Make the first attempt."""
    node = _node(frame)
    frame.state = state = AgainState(run.now)
    _try(run, frame, node, state)


def _try(run: Run, frame: Frame, node: Repeatedly, state: AgainState) -> None:
    call = run.enter_block(frame, node.call, 0, frame.raw)
    call.attempt, call.pointer = state.attempt, frame.pointer
    if node.seconds is not None:
        want.timer(run, call, "timeout", node.seconds)


def left(run: Run, frame: Frame, child: Frame, output: Value, directive: str) -> None:
    """An attempt succeeded."""
    run.complete(frame, output)


def broke(run: Run, frame: Frame, child: Frame, fault: Fault) -> None:
    """An attempt failed: wait and try again, or give up."""
    state, node = _state(frame), _node(frame)
    delay = _delay(run, frame, node.again, state) if fault.status >= SERVER or fault.status == LATE else None
    if delay is None:
        run.fail(frame, fault)
    else:
        want.timer(run, frame, RETRY, delay, state.attempt)


def fired(run: Run, frame: Frame, purpose: str) -> None:
    """The delay is over."""
    state = _state(frame)
    state.attempt += 1
    _try(run, frame, _node(frame), state)


def _delay(run: Run, frame: Frame, again: Again, state: AgainState) -> float | None:
    """Return the seconds until the next attempt, or None when the policy has ended."""
    if state.attempt > min(again.retries, limits.RETRIES):
        return None
    # The exponent is bounded, so that a thousand retries give a long wait and no overflow.
    delay = min(again.delay * again.factor ** min(state.attempt - 1, 63), again.delay_max)
    delay += again.jitter * drawn(f"{run.id}\n{frame.position}\n{state.attempt}")
    late = again.total_seconds is not None and run.now + delay > state.since + again.total_seconds
    return None if late else min(delay, limits.WAIT_SECONDS)


def _node(frame: Frame) -> Repeatedly:
    if not isinstance(frame.node, Repeatedly):
        raise TypeError(frame.position)
    return frame.node


def _state(frame: Frame) -> AgainState:
    if not isinstance(frame.state, AgainState):
        raise TypeError(frame.position)
    return frame.state


AGAIN = Behaviour(begin, begin, left, broke, fired)
