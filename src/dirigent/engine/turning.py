"""The stretch in which one run is turned, and what becomes of the engine when it breaks off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from dirigent.engine.crew import Crew
from dirigent.engine.live import Arrival, Live


@dataclass(slots=True, eq=False)
class Turning:
    """One turn of a run. `arrived` is what is being folded just now.

    A turn that breaks off, for whatever reason, has folded more than the journal holds: only a new
    engine may go on from what is durable, so this one fails, and everybody who waits is told.
    """

    live: Live
    crew: Crew
    arrived: Sequence[Arrival] = ()

    def __enter__(self) -> Self:
        """Begin."""
        self.live.turning = True
        self.crew.turning += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; a failure goes on to whoever called."""
        self.crew.turning -= 1
        if failure is None:
            self.live.turning = False
            return
        for each in (*self.arrived, *self.live.arrived):
            each.fail(failure)
        self.crew.fail(failure)
