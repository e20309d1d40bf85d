"""Whose resources a plan may touch."""

import asyncio

import pytest

from dirigent.model.ids import Address, RunId
from dirigent.model.problem import Refusal
from dirigent.model.resource import ResourceRow
from dirigent.model.run.summary import RunSummary
from dirigent.model.stack import Stack
from dirigent.ports.resources import Reading
from dirigent.service.plans import Planner

ROW = ResourceRow(Address("web"), "web", "box", {}, {"id": 1})


class Shelf:
    """A store in which the stack `alpha` was applied, unless `rows` is empty."""

    def __init__(self, rows=(ROW,)):
        self._rows = list(rows)

    async def rows(self):
        return self._rows

    async def history(self, address):
        return [(1.0, RunId("up-older"), None), (2.0, RunId("up-1"), ROW)]

    async def run(self, run):
        return RunSummary(run, "alpha", "apply", "completed", 2.0, 9, "digest", 3.0)


class Boxes:
    async def read(self, row):
        return Reading(row.attributes)


class Clock:
    def now(self):
        return 0.0


def planner(shelf):
    return Planner(shelf, {"box": Boxes()}, None, Clock(), None)


@pytest.mark.parametrize("wanted", ["plan", "destroy"])
def test_a_stack_cannot_plan_over_the_resources_of_another_one(wanted):
    beta = planner(Shelf())
    work = beta.plan(Stack("beta", ""), {}) if wanted == "plan" else beta.plan_destroy("beta", None, {})
    with pytest.raises(Refusal) as refusal:
        asyncio.run(work)
    (problem,) = refusal.value.problems
    assert problem.code == "E2044"
    assert "`alpha`" in problem.message


def test_a_stack_plans_over_its_own_resources():
    made = asyncio.run(planner(Shelf()).plan_destroy("alpha", None, {}))
    assert [change.address for change in made.changes] == ["web"]


def test_a_state_without_resources_belongs_to_whoever_comes():
    assert asyncio.run(planner(Shelf(())).plan_destroy("beta", None, {})).changes == ()
