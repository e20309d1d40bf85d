"""What a frame may want of the world: an effect, or to be told when some time has passed."""

from __future__ import annotations

from dirigent.core.frame import Frame
from dirigent.core.machine import EFFECT, Ask, Faulted, Run, overrun
from dirigent.core.storable import unstorable
from dirigent.model.ids import Position, effect_id
from dirigent.model.program import Call
from dirigent.model.run.ticket import Ticket
from dirigent.model.values import Value


def effect(run: Run, frame: Frame, call: Call, request: Value, key: str = "") -> None:
    """Want an effect. An attempt after a doubtful one repeats its request to the byte.

    `key` is that of its queue, where the call waits in one.
    """
    reason = unstorable(request)
    if reason is not None:
        raise Faulted(overrun(f"the request cannot be sent: {reason}"))
    earlier = frame.ledger.earlier.get(frame.position) if frame.ledger else None
    generation = 0
    if earlier is not None:
        if earlier.intended and earlier.doubtful:
            request = earlier.request
        elif earlier.intended and earlier.request != request:
            earlier.generation += 1
        generation = earlier.generation
    suffix = f"#{generation}" if generation else ""
    run.want(
        Ask(
            (frame.position, frame.attempt, EFFECT),
            frame,
            effect=effect_id(run.id, Position(frame.position + suffix)),
            request=request,
            call=call,
            ticket=Ticket(call.waits.queue, call.waits.priority, key, run.now) if call.waits else None,
        )
    )


def timer(run: Run, frame: Frame, purpose: str, seconds: float, attempt: int | None = None) -> None:
    """Want to be told when so much time has passed."""
    number = frame.attempt if attempt is None else attempt
    run.want(Ask((frame.position, number, purpose), frame, seconds=seconds))


def drop_timer(run: Run, frame: Frame, purpose: str, attempt: int) -> None:
    """A timer is no longer wanted."""
    key = (frame.position, attempt, purpose)
    if run.asks.pop(key, None) is not None:
        frame.asks.remove(key)
