"""Runs that are steps of other runs (DSL 1.0, "Run / Workflow").

A child's id is that of its effect, with the attempt after the first: a parent that comes back after a
crash finds the child of this attempt, whatever `latest` means by then, and a retry makes a new one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, TypeAlias

from dirigent.engine.engine import Engine
from dirigent.model import fault as faults
from dirigent.model import limits
from dirigent.model.fault import Fault
from dirigent.model.ids import RunId, child_run
from dirigent.model.problem import Refusal
from dirigent.model.program import Program
from dirigent.model.record import dataclass
from dirigent.model.run.effect import Broken, Done, Order, Outcome
from dirigent.model.run.journal import CancelRequested, Ended
from dirigent.model.run.start import Start
from dirigent.model.values import Value

# What a run answers that is not there, and one that is over or on its way to it.
NEVER_BEGAN: Final = "E4004"
STOPPING: Final = "E4003"

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
        child = child_of(order)
        if not (order.doubtful and await self.engine.shelf.run(child)):
            refused = await self._started(order, child, request)
            if refused is not None:
                return Broken(refused)
        if request.get("await") is False:
            return Done(None)
        await self.engine.following.follow(order.run, child)
        return _outcome(child, await self.engine.wait(child))

    async def _started(self, order: Order, child: RunId, request: dict[str, Value]) -> Fault | None:
        names = [str(request.get(part) or "") for part in ("namespace", "name", "version")]
        program = self.catalogue(names[0], names[1], names[2] or "latest")
        if program is None:
            words = f"there is no workflow `{names[0]}/{names[1]}:{names[2] or 'latest'}`"
            return Fault(faults.CONFIGURATION, 404, "Unknown Workflow", words)
        if order.depth >= limits.RUN_DEPTH:
            words = f"workflows start each other {limits.RUN_DEPTH} deep"
            return Fault(faults.RUNTIME, 500, "Limit Reached", words)
        start = Start(child, program, request.get("input"), await self.metadata(), order.run, order.depth + 1)
        try:
            await self.engine.start(start)
        except Refusal as refusal:
            # What it is made of cannot be had, or is wrong: a fault of this workflow, not of the engine.
            if not program.elsewhere:
                raise
            first = refusal.problems[0]
            return Fault(faults.CONFIGURATION, 400, "Configuration Error", f"{first.code}: {first.message}")
        return None

    async def abandon(self, order: Order) -> None:
        """Cancel the child and wait until it is over."""
        child = child_of(order)
        try:
            await self.engine.tell(child, CancelRequested(self.engine.clock.now(), "its parent was stopped"))
        except Refusal as refusal:
            code = refusal.problems[0].code
            if code == NEVER_BEGAN:
                return
            if code != STOPPING:
                raise
        await self.engine.wait(child)


def child_of(order: Order) -> RunId:
    """Return the id of the run that one attempt of an effect starts."""
    return child_run(order.id, order.attempt)


def _outcome(child: RunId, end: Ended) -> Outcome:
    if end.phase == "completed":
        return Done(end.output)
    if end.fault is not None:
        return Broken(replace(end.fault, instance=""))
    return Broken(Fault(faults.RUNTIME, 500, "Cancelled", f"run `{child}` was cancelled"))
