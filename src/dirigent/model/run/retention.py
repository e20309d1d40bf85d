"""How long what has ended is kept."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Final

from dirigent.model.record import dataclass

_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
AGE_PATTERN: Final = "[0-9]{1,9}[smhdw]"


def age_seconds(text: str) -> float | None:
    """Return an age as `30d`, `12h` or `90m` in seconds; None for what is none."""
    return int(text[:-1]) * _UNITS[text[-1]] if re.fullmatch(AGE_PATTERN, text) else None


@dataclass(frozen=True, slots=True)
class Retention:
    """Each age in seconds since the end of a run; `runs` is how many ended ones are kept at most.

    None keeps for ever, but for events, of which it says nothing. What open runs need, and the history of
    resources, is always kept.
    """

    completed: float | None = None
    failed: float | None = None
    cancelled: float | None = None
    runs: int | None = None
    events: float | None = None

    @property
    def endless(self) -> bool:
        """Return whether no run is ever to be removed."""
        return self == Retention(events=self.events)


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was removed: runs, their facts, and the large payloads that nothing else names.

    With `more` the disk could get more space back: whoever has time prunes again, if only nothing.
    """

    runs: int = 0
    facts: int = 0
    blobs: int = 0
    more: bool = field(default=False, compare=False)

    def __add__(self, other: Pruned) -> Pruned:
        """Return both together."""
        sums = (self.runs + other.runs, self.facts + other.facts, self.blobs + other.blobs)
        return Pruned(*sums, more=other.more)
