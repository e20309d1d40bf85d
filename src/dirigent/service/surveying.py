"""The work of `dirigent.service.plans`: read the world, ask the planner, and carry its questions outside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dirigent.model.plan import Plan
from dirigent.model.problem import Refusal, refuse
from dirigent.model.resource import ResourceRow
from dirigent.model.stack import Stack
from dirigent.model.values import Template, Value
from dirigent.planning.destroy import plan_destroy as make_plan_destroy
from dirigent.planning.plan import Situation, evaluate_outputs
from dirigent.planning.plan import plan as make_plan
from dirigent.ports import Reading
from dirigent.service.asking import carry, read_all
from dirigent.service.plans import Planner


async def plan(planner: Planner, stack: Stack, inputs: Mapping[str, Value], *, refresh: bool) -> Plan:
    """Return the plan for a stack. Without `refresh` the world is taken to be as it was applied.

    Raises:
        Refusal: with every problem of the stack in this world (E2xxx, E3xxx).
    """
    rows = await _rows_of(planner, stack.name)
    readings, seconds = await _read(planner) if refresh else ({}, 0.0)
    situation = Situation(stack, planner.language, inputs, rows, readings, planner.clock.now(), seconds)
    return await carry(make_plan(situation), planner.providers, planner.oracle)


async def plan_destroy(planner: Planner, name: str) -> Plan:
    """Return the plan that takes everything down. Raises `Refusal` (E2044, E3xxx)."""
    rows = await _rows_of(planner, name)
    readings, seconds = await _read(planner)
    return make_plan_destroy(name, rows, readings, planner.clock.now(), seconds)


async def _rows_of(planner: Planner, name: str) -> list[ResourceRow]:
    """Return the rows of the store, which must be those of the stack: else a plan would delete them."""
    rows = await planner.shelf.rows()
    for row in rows[:1]:  # One apply makes rows of one stack only.
        history = await planner.shelf.history(row.address)
        run = await planner.shelf.run(history[-1][1]) if history else None
        if run is not None and run.name != name:
            raise refuse(
                "E2044",
                f"the resources in this state belong to the stack `{run.name}`, and this is `{name}`",
                "give each stack a state of its own, with `--state DIR` or in a folder of its own",
                f"a stack is known by its name: to rename it, take `{run.name}` down first",
            )
    return rows


async def evaluate(
    planner: Planner, stack: Stack, inputs: Mapping[str, Value], templates: Mapping[str, Template]
) -> dict[str, Value]:
    """Return the values of templates of a stack, as its resources stand."""
    wanted = replace(stack, outputs=dict(templates))
    asking = evaluate_outputs(wanted, inputs, await planner.shelf.rows(), planner.language)
    return await carry(asking, planner.providers, planner.oracle)


async def _read(planner: Planner) -> tuple[dict[str, Reading], float]:
    before = planner.clock.now()
    readings, problems = await read_all(planner.providers, await planner.shelf.rows())
    if problems:
        raise Refusal(problems)
    return readings, planner.clock.now() - before
