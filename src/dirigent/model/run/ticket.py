"""A place in a queue: what a run or an effect waits with until it is admitted."""

from __future__ import annotations

from dirigent.model.record import dataclass


@dataclass(frozen=True, slots=True)
class Ticket:
    """Where something waits, and how it stands among the others there.

    Within one `key` a higher `priority` goes first, then who came first; the keys take turns. `since`
    and `not_before` are seconds since the epoch: when it joined, and before which it is not admitted.
    While a run is open, a second one with its `dedupe` in the same queue is not made.
    """

    queue: str
    priority: int = 0
    key: str = ""
    since: float = 0.0
    not_before: float = 0.0
    dedupe: str = ""
