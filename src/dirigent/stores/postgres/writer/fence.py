"""The right to write in one shard: a token that grows with each owner, and a time after which not to act.

Rule 1: the database checks the token inside every writing statement; nothing here can replace that.
Rule 2: whoever holds a fence stops earlier than its lease ends, by the monotonic clock of this machine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import field

from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.record import dataclass
from dirigent.model.run.journal import Created, Fact
from dirigent.model.run.start import Start
from dirigent.ports.fleet import Wish
from dirigent.stores.postgres.session import failures
from dirigent.stores.projection import Standing


@dataclass(frozen=True, slots=True)
class Head:
    """What the writer knows of an open run: its number, its length, how it stands."""

    number: int
    length: int
    standing: Standing
    snapshot: bool = False


@dataclass(slots=True, eq=False)
class Fence:
    """A shard that this process owns. `until` is in seconds of the monotonic clock; `lost` says why not."""

    shard: int
    token: int
    until: float = math.inf
    lost: Refusal | None = None
    heads: dict[RunId, Head] = field(default_factory=dict)
    expected: dict[RunId, list[Wish]] = field(default_factory=dict)
    granted: set[int] = field(default_factory=set)

    def lose(self, why: Refusal | None = None) -> None:
        """Nothing is written through it any more."""
        if self.lost is None:
            self.lost = why or failures.taken_over(self.shard)
            self.heads.clear()

    def check(self, now: float) -> Refusal | None:
        """Return why nothing may be done in this shard now, None while it is ours."""
        if self.lost is None and now >= self.until:
            self.lose(failures.lapsed(self.shard))
        return self.lost

    def fulfilled(self, run: RunId, facts: Sequence[Fact]) -> list[int]:
        """Return the ids of the wishes for a run that an append of these facts fulfils."""
        wishes = self.expected.get(run, ())
        return [wish.id for wish in wishes if any(_fulfils(fact, wish.wanted) for fact in facts)]


def _fulfils(fact: Fact, wanted: Start | Fact) -> bool:
    return isinstance(fact, Created) if isinstance(wanted, Start) else fact == wanted
