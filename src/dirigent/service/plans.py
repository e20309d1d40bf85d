"""Make plans: the world is read through the providers, and the pure planner asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal, refuse
from dirigent.model.record import dataclass
from dirigent.model.resource import ResourceRow
from dirigent.model.stack import Stack
from dirigent.model.values import Template, Value
from dirigent.planning.destroy import plan_destroy
from dirigent.planning.plan import Situation, evaluate_outputs, plan
from dirigent.ports import Clock, Language, Oracle, Provider, Reading, Shelf
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
        rows = await self._rows_of(stack.name)
        readings, seconds = await self._read() if refresh else ({}, 0.0)
        situation = Situation(stack, self.language, inputs, rows, readings, self.clock.now(), seconds)
        return await carry(plan(situation), self.providers, self.oracle)

    async def plan_destroy(self, name: str) -> Plan:
        """Return the plan that takes everything down. Raises `Refusal` (E2044, E3xxx)."""
        rows = await self._rows_of(name)
        readings, seconds = await self._read()
        return plan_destroy(name, rows, readings, self.clock.now(), seconds)

    async def _rows_of(self, name: str) -> list[ResourceRow]:
        """Return the rows of the store, which must be those of the stack: else a plan would delete them."""
        rows = await self.shelf.rows()
        for row in rows[:1]:  # One apply makes rows of one stack only.
            history = await self.shelf.history(row.address)
            run = await self.shelf.run(history[-1][1]) if history else None
            if run is not None and run.name != name:
                raise refuse(
                    "E2044",
                    f"the resources in this state belong to the stack `{run.name}`, and this is `{name}`",
                    "give each stack a state of its own, with `--state DIR` or in a folder of its own",
                    f"a stack is known by its name: to rename it, take `{run.name}` down first",
                )
        return rows

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
