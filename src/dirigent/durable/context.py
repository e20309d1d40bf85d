"""What a step may know of itself while it runs."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from dirigent.durable.failures import NotInWorkflow
from dirigent.model.record import dataclass


@dataclass(frozen=True, slots=True)
class Performance:
    """One attempt of a step. `id` is the same for every attempt and after every crash."""

    id: str
    attempt: int
    run: str


PERFORMANCE: Final[ContextVar[Performance | None]] = ContextVar("dirigent-step", default=None)


def _performance(what: str) -> Performance:
    found = PERFORMANCE.get()
    if found is None:
        raise NotInWorkflow(f"`{what}` belongs into a step, and none is running here")
    return found


def step_id() -> str:
    """Return the identity of this step in its run: the same on every attempt, restart and machine.

    It is made for `Idempotency-Key` and for unique columns.
    """
    return _performance("step_id()").id


def attempt() -> int:
    """Return which attempt of the step this is, from 1 on."""
    return _performance("attempt()").attempt
