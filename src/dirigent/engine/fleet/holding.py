"""A shard that is held, its engine, and how that ends."""

from __future__ import annotations

import asyncio
from dataclasses import field
from typing import Final

from dirigent.engine.crew import Crew
from dirigent.engine.engine import Engine
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.ports.fleet import Tenure

# For effects whose fate the next owner of a shard could not know, when it is given back in order.
PARTING_SECONDS: Final = 5.0
# The refusals of a shard that is not ours any more; any other failure of an engine is one of the process.
LOST: Final = frozenset({"E5002"})


@dataclass(slots=True, eq=False)
class Holding:
    """A shard of ours. `driven` is set once every run of it that has something to do was taken up."""

    tenure: Tenure
    engine: Engine
    crew: Crew
    driven: asyncio.Event = field(default_factory=asyncio.Event)
    leaving: bool = False
    wishes: set[int] = field(default_factory=set)

    @property
    def ours(self) -> bool:
        """Return whether its runs may be asked for something."""
        return self.driven.is_set() and not self.leaving and self.tenure.lost() is None

    async def end(self) -> None:
        """Begin nothing more, wait for what the next owner could only guess about, and stop."""
        self.leaving = True
        await self.engine.settle(PARTING_SECONDS)
        await self.engine.close()

    def broken(self) -> BaseException | None:
        """Return why the whole process must stop; None while this shard works, or is only lost."""
        failure = self.crew.failure
        return None if failure is None or self.tenure.lost() or is_loss(failure) else failure


def is_loss(failure: BaseException) -> bool:
    """Return whether a failure says that a shard is not ours any more."""
    return isinstance(failure, Refusal) and failure.problems[0].code in LOST
