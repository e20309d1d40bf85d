"""A queue as it is declared: how much of it may be under way, how fast, and who does its work."""

from __future__ import annotations

from dirigent.model import limits
from dirigent.model.record import dataclass
from dirigent.model.source import Span


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `number` beginnings in any stretch of `seconds`."""

    number: int
    seconds: float

    def __str__(self) -> str:
        """Return it as it is written in a stack file, such as `100/1m`."""
        for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60)):
            if self.seconds >= length and self.seconds % length == 0:
                return f"{self.number}/{int(self.seconds // length)}{unit}"
        return f"{self.number}/{self.seconds:g}s"


@dataclass(frozen=True, slots=True)
class Limits:
    """What one engine may have under way of a queue. With several engines, each holds a share of it."""

    concurrency: int = limits.QUEUE_CONCURRENCY
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Queue:
    """A declared queue. Its steps go to worker processes if `workers` says so.

    `workers` is None for none, 0 for those that somebody starts, else how many the engine starts itself.
    """

    name: str
    limits: Limits = Limits()
    workers: int | None = None
    span: Span | None = None
