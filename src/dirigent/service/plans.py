"""Make plans: the world is read through the providers, and the pure planner asked.

What does so, `dirigent.service.asking`, is imported with the first plan: runs need none.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Final, Protocol, cast

from dirigent.model.plan import EVERYTHING, Plan, Selection
from dirigent.model.record import dataclass
from dirigent.model.stack import Errand, Stack
from dirigent.model.values import Template, Value
from dirigent.ports import Clock, Language, Oracle, Shelf
from dirigent.ports.resources import Managing

ASKING: Final = "dirigent.service.asking"


@dataclass(frozen=True, slots=True)
class How:
    """How a plan is made: without `refresh` the world is taken to be as it was applied.

    With an `errand` it is made for that and for nothing else.
    """

    refresh: bool = True
    selection: Selection = EVERYTHING
    errand: Errand | None = None


USUALLY: Final = How()


class _Asking(Protocol):
    """What `dirigent.service.asking` offers."""

    async def plan(self, planner: Planner, stack: Stack, inputs: Mapping[str, Value], how: How) -> Plan:
        """Return the plan for a stack."""
        ...

    async def plan_errand(
        self, planner: Planner, name: str, stack: Stack | None, inputs: Mapping[str, Value], errand: Errand
    ) -> Plan:
        """Return the plan of an errand."""
        ...

    async def plan_destroy(
        self, planner: Planner, name: str, stack: Stack | None, inputs: Mapping[str, Value], how: How
    ) -> Plan:
        """Return the plan that takes down what is selected."""
        ...

    async def evaluate(
        self, planner: Planner, stack: Stack, inputs: Mapping[str, Value], templates: Mapping[str, Template]
    ) -> dict[str, Value]:
        """Return the values of templates of a stack."""
        ...


@dataclass(frozen=True, slots=True)
class Planner:
    """Everything that planning asks of the outside.

    What is computed is so in a thread of its own where it is to keep nobody `apart` from his work.
    """

    shelf: Shelf
    providers: Mapping[str, Managing]
    oracle: Oracle
    clock: Clock
    language: Language
    apart: bool = False

    async def plan(self, stack: Stack, inputs: Mapping[str, Value], how: How = USUALLY) -> Plan:
        """Return the plan for a stack.

        Raises:
            Refusal: with every problem of the stack in this world (E2xxx, E3xxx).
        """
        return await _asking().plan(self, stack, inputs, how)

    async def plan_errand(
        self, name: str, stack: Stack | None, inputs: Mapping[str, Value], errand: Errand
    ) -> Plan:
        """Return the plan of an errand; only to take something over needs the stack.

        Raises:
            Refusal: E2013, E2016, E2023, E2044, and what `plan` raises.
        """
        return await _asking().plan_errand(self, name, stack, inputs, errand)

    async def plan_destroy(
        self, name: str, stack: Stack | None, inputs: Mapping[str, Value], how: How = USUALLY
    ) -> Plan:
        """Return the plan that takes down what is selected.

        Without the stack there is only what needs no provider of it.

        Raises:
            Refusal: E2013, E2044, E2047, E3xxx.
        """
        return await _asking().plan_destroy(self, name, stack, inputs, how)

    async def evaluate(
        self, stack: Stack, inputs: Mapping[str, Value], templates: Mapping[str, Template]
    ) -> dict[str, Value]:
        """Return the values of templates of a stack, as its resources stand."""
        return await _asking().evaluate(self, stack, inputs, templates)


def _asking() -> _Asking:
    return cast("_Asking", importlib.import_module(ASKING))
