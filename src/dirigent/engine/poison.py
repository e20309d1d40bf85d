"""Runs that end their engine: what is being turned is witnessed, and who did it twice is left alone.

Law: a run that ended two engines at the same place waits, explained, for a person; the others go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.run.journal import Suspended
from dirigent.ports import Clock, Journal, Shelf, Witness

# Once may be chance (somebody killed the process just then); the same place twice is not.
DEATHS: Final = 2
# Phases in which a run may still be suspended.
GOING: Final = frozenset({"running", "held", "waiting"})


class Unwitnessed:
    """Witnesses nothing: for an engine whose death nobody would outlive, as in tests."""

    def begin(self, run: RunId, place: int) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""

    def deaths(self) -> Mapping[RunId, tuple[int, int]]:
        """Return that there were none."""
        return {}

    def forgive(self, run: RunId) -> None:
        """Do nothing."""


@dataclass(slots=True, eq=False)
class Poison:
    """Which runs are quarantined. `witness` outlives the process."""

    witness: Witness
    quarantined: dict[RunId, Refusal] = field(default_factory=dict)

    async def open(self, journal: Journal, shelf: Shelf, clock: Clock) -> None:
        """Quarantine every run that ended engine after engine, and have its journal say so."""
        for run, (place, deaths) in self.witness.deaths().items():
            if deaths < DEATHS:
                continue
            found = await shelf.run(run)
            if found is None or found.ended_at is not None:
                self.witness.forgive(run)
                continue
            self.quarantined[run] = _refusal(run, place, deaths)
            if found.phase in GOING:
                # Not folded, for folding may be what kills: any journal of an open run can take it.
                reason = f"it ended the engine {deaths} times at fact {place}"
                await journal.append(run, found.facts, [Suspended(clock.now(), reason)])

    def forgive(self, run: RunId) -> bool:
        """Let a run try again, as a person said; return whether it was quarantined."""
        self.witness.forgive(run)
        return self.quarantined.pop(run, None) is not None


def _refusal(run: RunId, place: int, deaths: int) -> Refusal:
    return refuse(
        "E4070",
        f"run `{run}` is left alone: it ended the engine `{deaths}` times while it was at fact `{place}`",
        f"look at it with `dirigent events {run}`, and report what the engine wrote when it ended",
        f"let it try again with `dirigent resume {run}`; the other runs go on meanwhile",
    )
