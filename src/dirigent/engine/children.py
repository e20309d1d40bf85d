"""Runs that are steps of other runs (DSL 1.0, "Run / Workflow").

A child's id is its effect's id, so a parent that starts it again after a crash finds the same child.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from dirigent.engine.engine import Engine, Start
from dirigent.model import fault as faults
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal
from dirigent.model.program import Program
from dirigent.model.run.effect import Broken, Done, Order, Outcome
from dirigent.model.run.journal import CancelRequested, Ended
from dirigent.model.values import Value

Catalogue: TypeAlias = Callable[[str, str, str], Program | None]
"""Finds a workflow by namespace, name and version (`latest` for any); None when there is none."""


@dataclass(frozen=True, slots=True)
class WorkflowPerformer:
    """Performs `run: workflow`. `metadata` is what `$runtime.metadata` shows in children."""

    engine: Engine
    catalogue: Catalogue
    metadata: Callable[[], Awaitable[dict[str, Value]]]

    async def perform(self, order: Order) -> Outcome:
        """Start the child, or find it, and wait for its end unless the parent does not."""
        request = order.request if isinstance(order.request, dict) else {}
        names = [str(request.get(part) or "") for part in ("namespace", "name", "version")]
        program = self.catalogue(names[0], names[1], names[2] or "latest")
        if program is None:
            words = f"there is no workflow `{names[0]}/{names[1]}:{names[2] or 'latest'}`"
            return Broken(Fault(faults.CONFIGURATION, 404, "Unknown Workflow", words))
        if order.depth >= limits.RUN_DEPTH:
            words = f"workflows start each other {limits.RUN_DEPTH} deep"
            return Broken(Fault(faults.RUNTIME, 500, "Limit Reached", words))
        child = RunId(order.id)
        await self.engine.start(
            Start(child, program, request.get("input"), await self.metadata(), order.run, order.depth + 1)
        )
        if request.get("await") is False:
            return Done(None)
        return _outcome(child, await self.engine.wait(child))

    async def abandon(self, order: Order) -> None:
        """Cancel the child and wait until it is over."""
        child = RunId(order.id)
        try:
            await self.engine.tell(child, CancelRequested(self.engine.clock.now(), "its parent was stopped"))
        except Refusal:
            pass  # It has ended already, or never began: either way nothing of it is under way.
        else:
            await self.engine.wait(child)


def _outcome(child: RunId, end: Ended) -> Outcome:
    if end.phase == "completed":
        return Done(end.output)
    if end.fault is not None:
        return Broken(replace(end.fault, instance=""))
    return Broken(Fault(faults.RUNTIME, 500, "Cancelled", f"run `{child}` was cancelled"))
