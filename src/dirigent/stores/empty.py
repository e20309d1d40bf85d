"""The store of a folder where nothing has happened yet: reading it finds nothing and makes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from dirigent.model.events.listening import Tell
from dirigent.model.ids import Digest, PlanId, RunId
from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal, refuse
from dirigent.model.program import Program
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import Fact
from dirigent.model.run.retention import Pruned, Retention
from dirigent.model.run.summary import RunSummary
from dirigent.ports import AWAKE, Past, Waking


class EmptyApplies:
    """Fits `ports.applies.Applies`."""

    async def newest_apply(self) -> str:
        """Return nothing."""
        return ""

    async def open_applies(self) -> list[RunSummary]:
        """Return nothing."""
        return []

    async def has_plan(self, _: PlanId) -> bool:
        """Return that it is not."""
        return False

    async def addresses(self) -> list[str]:
        """Return nothing."""
        return []


class EmptyShelf:
    """Fits `ports.Shelf` and `stores.retention.Archive`."""

    async def runs(self, *, only_open: bool = False, limit: int = 50) -> list[RunSummary]:
        """Return nothing."""
        return []

    @property
    def applies(self) -> EmptyApplies:
        """Return nothing."""
        return EmptyApplies()

    async def run(self, run: RunId) -> RunSummary | None:
        """Return nothing."""
        return None

    async def rows(self) -> list[ResourceRow]:
        """Return nothing."""
        return []

    async def row(self, address: str) -> ResourceRow | None:
        """Return nothing."""
        return None

    async def history(self, address: str) -> list[tuple[float, RunId, ResourceRow | None]]:
        """Return nothing."""
        return []

    async def prunable(self, policy: Retention, now: float, limit: int) -> list[RunId]:
        """Return nothing."""
        return []

    async def prune(self, runs: Sequence[RunId]) -> Pruned:
        """Remove nothing."""
        return Pruned()

    async def take_in(self, run: RunId, facts: Sequence[Fact]) -> None:
        """Refuse."""
        raise _reading_only()

    async def keep_plan(self, plan: Plan) -> None:
        """Refuse."""
        raise _reading_only()

    async def plan(self, plan: PlanId) -> Plan | None:
        """Return nothing."""
        return None


class EmptyStore(EmptyShelf):
    """Fits `ports.Journal` and `ports.Shelf`; refuses to be written to (`E5020`)."""

    async def append(
        self,
        run: RunId,
        expected: int,
        facts: Sequence[Fact],
        wake_at: float = AWAKE,
        tells: Sequence[Tell] = (),
    ) -> None:
        """Refuse."""
        raise _reading_only()

    async def read(self, run: RunId, since: int = 0) -> list[Fact]:
        """Return nothing."""
        return []

    async def recall(self, runs: Sequence[RunId]) -> list[Past | Refusal]:
        """Return a past without facts for each."""
        return [Past([]) for _ in runs]

    async def wakings(self, after: Waking, limit: int) -> list[Waking]:
        """Return nothing."""
        return []

    async def keep_snapshot(self, run: RunId, position: int, content: bytes) -> None:
        """Refuse."""
        raise _reading_only()

    async def keep(self, program: Program) -> Digest:
        """Refuse."""
        raise _reading_only()

    async def definition(self, digest: Digest) -> Program:
        """Refuse: there is none."""
        raise refuse("E5004", f"there is no definition `{digest}`")

    async def close(self) -> None:
        """Do nothing."""


def _reading_only() -> Refusal:
    return refuse("E5020", "this store was opened to read, and there is nothing in it yet")
