"""A run in memory: its fold, what is under way for it, and what has arrived and waits to be folded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import field
from typing import TypeAlias

from dirigent.core.machine import Run
from dirigent.model.ids import Position
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Fact

Doing: TypeAlias = tuple[Position, int, str]
"""What a task does: position, attempt, and `effect`, `abandon` or a slot of questions."""


@dataclass(slots=True, eq=False)
class Arrival:
    """Facts that belong together. `taken` learns whether the run took them, once that is durable.

    `ended` is the task that they come from: it is over when they are folded.
    """

    facts: Sequence[Fact]
    taken: asyncio.Future[bool] | None = None
    ended: Doing | None = None

    def settle(self, *, took: bool) -> None:
        """Tell whoever waits whether the run took the facts."""
        if self.taken is not None and not self.taken.done():
            self.taken.set_result(took)

    def fail(self, failure: BaseException) -> None:
        """Tell whoever waits that the facts may be lost."""
        if self.taken is None or self.taken.done():
            return
        if isinstance(failure, asyncio.CancelledError):
            self.taken.cancel()
        else:
            self.taken.set_exception(failure)


@dataclass(slots=True, eq=False)
class Live:
    """One run that the engine holds. Only the engine touches it, and only on its own event loop.

    A run that was replayed is not `recovered` until what stood to be done in it has been taken up; it is
    `stale` if the store says that it is awake because nobody has said yet whether it may sleep.
    Of its first `kept` facts there is a snapshot, of `weight` objects.
    `folding` is what has been folded and not recorded yet. While it `gathers`, more is waited for.
    """

    run: Run
    arrived: list[Arrival] = field(default_factory=list)
    folding: list[Arrival] = field(default_factory=list)
    tasks: dict[Doing, asyncio.Task[None]] = field(default_factory=dict)
    turning: bool = False
    recovered: bool = False
    stale: bool = False
    kept: int = 0
    weight: int = 0
    gathers: bool = False

    @property
    def idle(self) -> bool:
        """Return whether the run may leave memory: nothing is under way and nothing has arrived."""
        return not self.arrived and not self.tasks and not self.turning and self.run.quiet
