"""Make plans and apply them: the world is read, the pure planner asked, and its plan run as it was shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dirigent.model.ids import PlanId, RunId
from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal, refuse
from dirigent.model.run.start import Start
from dirigent.model.run.summary import RunSummary
from dirigent.model.stack import Stack
from dirigent.model.values import Template, Value
from dirigent.planning.compile import compile_plan
from dirigent.planning.destroy import plan_destroy
from dirigent.planning.digest import fingerprint
from dirigent.planning.plan import Situation, evaluate_outputs, plan
from dirigent.ports import Clock, Conductor, Language, Oracle, Provider, Reading, Shelf
from dirigent.service.asking import carry, read_all


@dataclass(frozen=True, slots=True)
class Planner:
    """Everything that planning asks of the outside."""

    shelf: Shelf
    providers: Mapping[str, Provider]
    oracle: Oracle
    clock: Clock
    language: Language

    async def plan(self, stack: Stack, inputs: Mapping[str, Value], *, refresh: bool = True) -> Plan:
        """Return the plan for a stack. Without `refresh` the world is taken to be as it was applied.

        Raises:
            Refusal: with every problem of the stack in this world (E2xxx, E3xxx).
        """
        rows = await self.shelf.rows()
        readings, seconds = await self._read() if refresh else ({}, 0.0)
        situation = Situation(stack, self.language, inputs, rows, readings, self.clock.now(), seconds)
        return await carry(plan(situation), self.providers, self.oracle)

    async def plan_destroy(self, name: str) -> Plan:
        """Return the plan that takes everything down."""
        readings, seconds = await self._read()
        return plan_destroy(name, await self.shelf.rows(), readings, self.clock.now(), seconds)

    async def evaluate(
        self, stack: Stack, inputs: Mapping[str, Value], templates: Mapping[str, Template]
    ) -> dict[str, Value]:
        """Return the values of templates of a stack, as its resources stand."""
        wanted = replace(stack, outputs=dict(templates))
        asking = evaluate_outputs(wanted, inputs, await self.shelf.rows(), self.language)
        return await carry(asking, self.providers, self.oracle)

    async def _read(self) -> tuple[dict[str, Reading], float]:
        before = self.clock.now()
        readings, problems = await read_all(self.providers, await self.shelf.rows())
        if problems:
            raise Refusal(problems)
        return readings, self.clock.now() - before


async def apply(conductor: Conductor, shelf: Shelf, chosen: Plan, run: RunId) -> RunId:
    """Start the run that carries out a plan: its program is the plan's, and nothing else.

    Raises:
        Refusal: E2040 when the resources are no longer those that the plan was made for.
    """
    if fingerprint(await shelf.rows()) != chosen.fingerprint:
        raise refuse(
            "E2040",
            f"the world changed since plan `{chosen.id}` was made",
            "make a new plan with `dirigent plan`, and look at it again; nothing was touched",
        )
    await keep(conductor, shelf, chosen)
    return await conductor.start(Start(run, compile_plan(chosen), metadata={"plan": chosen.id}))


async def keep(conductor: Conductor, shelf: Shelf, made: Plan) -> None:
    """Store a plan. Its id is the digest of what it would do, so the same id needs no second copy."""
    if await shelf.plan(made.id) is None:
        await conductor.keep_plan(made)


async def stored(shelf: Shelf, wanted: str) -> Plan:
    """Return a plan that was stored, or raise `Refusal` (`E2041`)."""
    found = await shelf.plan(PlanId(wanted))
    if found is None:
        raise refuse("E2041", f"there is no plan `{wanted}`", "make one with `dirigent plan`")
    return found


async def unfinished(shelf: Shelf) -> RunSummary | None:
    """Return the apply that a crash or a stop left open, if there is one."""
    for run in await shelf.runs(only_open=True, limit=1000):
        if run.kind == "apply":
            return run
    return None


def refuse_unfinished(run: RunSummary) -> Refusal:
    """Return the refusal of a change while another one is not over."""
    return refuse(
        "E2042",
        f"an earlier change, run `{run.id}`, is not finished",
        f"let it end with `dirigent resume {run.id}`",
        f"or stop it with `dirigent cancel {run.id}`",
    )
