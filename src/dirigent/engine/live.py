"""A run in memory: its fold, what is under way for it, and what has arrived and waits to be folded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from dirigent.core.machine import Run
from dirigent.model.ids import Position
from dirigent.model.run.journal import Fact


@dataclass(slots=True, eq=False)
class Live:
    """One run that the engine holds. Only `Engine` touches it, and only on its own event loop."""

    run: Run
    arrived: list[Sequence[Fact]] = field(default_factory=list)
    tasks: dict[tuple[Position, int], asyncio.Task[None]] = field(default_factory=dict)
    turning: bool = False
    recovered: bool = False

    @property
    def idle(self) -> bool:
        """Return whether the run may leave memory: nothing is under way and nothing has arrived."""
        return not self.arrived and not self.tasks and not self.turning and self.run.quiet
