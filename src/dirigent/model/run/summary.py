"""What a list of runs shows of each: a row, never the whole journal."""

from __future__ import annotations

from dirigent.model.fault import Fault
from dirigent.model.ids import Digest, RunId
from dirigent.model.record import dataclass


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run. `phase` is queued, running, held, suspended, cancelling, completed, faulted or cancelled.

    `facts` is the length of the journal, which is the position that the next append must expect.
    `queue` is the one that it waits in or waited in, `admitted_at` when it was let go.
    """

    id: RunId
    name: str
    kind: str
    phase: str
    created_at: float
    facts: int
    definition: Digest
    ended_at: float | None = None
    parent: RunId | None = None
    fault: Fault | None = None
    queue: str = ""
    admitted_at: float | None = None

    @property
    def open(self) -> bool:
        """Return whether the run can still go on."""
        return self.ended_at is None
