"""What is managed, with its history; and what comes from elsewhere."""

import asyncio
from dataclasses import replace

import pytest

from dirigent.model.ids import Address, RunId
from dirigent.model.plan import Action
from dirigent.model.problem import Refusal
from dirigent.model.resource import Resource, ResourceRow
from dirigent.model.run.summary import RunSummary
from dirigent.model.stack import Stack
from dirigent.model.values import Expression, SecretRef, SecretText
from dirigent.service.plans import Planner
from dirigent.service.resources.states import adoption, revisions, row_named
from planning.plain_language import PlainLanguage

ROW = ResourceRow(Address("web"), "web", "box", {}, {"id": 1, "token": SecretText((SecretRef("sealed:a"),))})
LATER = replace(ROW, attributes={**ROW.attributes, "id": 2}, protect=True)
PAST = ((1.0, RunId("up-1"), ROW), (2.0, RunId("up-2"), LATER))


class Shelf:
    """A store in which the stack `alpha` has `web`, which was changed once."""

    def __init__(self, rows=(LATER,), past=PAST):
        self._rows = {str(row.address): row for row in rows}
        self.past = list(past)

    async def rows(self):
        return list(self._rows.values())

    async def row(self, address):
        return self._rows.get(address)

    async def history(self, address):
        return self.past if address in {"web", "gone"} else []

    async def run(self, run):
        return RunSummary(run, "alpha", "apply", "completed", 2.0, 9, "digest", 3.0)


class Clock:
    def now(self):
        return 5.0


def ask(coroutine):
    return asyncio.run(coroutine)


def code_of(coroutine):
    with pytest.raises(Refusal) as caught:
        asyncio.run(coroutine)
    return caught.value.problems[0]


def test_an_instance_is_found_by_its_address():
    assert ask(row_named(Shelf(), "web")) == LATER


def test_what_is_not_there_is_refused_with_what_may_be_meant():
    assert code_of(row_named(Shelf(), "wed")).help == ("did you mean `web`?",)
    problem = code_of(revisions(Shelf(rows=()), "nothing"))
    assert (problem.code, "state list" in problem.help[0]) == ("E3061", True)


def test_revisions_tell_who_did_what_and_when():
    past = [*Shelf().past, (3.0, RunId("down-1"), None), (4.0, RunId("up-3"), ROW)]
    found = ask(revisions(Shelf(rows=(), past=past), "gone"))
    assert [(each.number, each.at, each.run, each.what) for each in found] == [
        (1, 1.0, "up-1", "created"),
        (2, 2.0, "up-2", "changed"),
        (3, 3.0, "down-1", "deleted"),
        (4, 4.0, "up-3", "created"),
    ]
    told = {each.path: (each.before, each.after) for each in found[1].differences}
    assert told == {"id": (1, 2), "protect": (False, True)}
    assert not found[3].differences


def adopt(name, rows, shelf, **more):
    web = Resource("web", "box", {"url": Expression("$resources.db.id")})
    stack = Stack(name, "", resources={"db": Resource("db", "box", {}), "web": web})
    planner = Planner(shelf, {}, None, Clock(), PlainLanguage())
    return ask(adoption(planner, stack, {}, rows, **more))


def test_what_the_stack_declares_needs_what_the_stack_says_and_the_rest_what_it_came_with():
    came = replace(ROW, needs=("elsewhere",))
    left = replace(came, address=Address("web#deposed"))
    other = replace(came, address=Address("lone"), name="lone")
    made = adopt("alpha", [came, left, other], Shelf(rows=()))
    assert [(each.action, each.adopts.needs) for each in made.changes] == [
        (Action.ADOPT, ("db",)),
        (Action.ADOPT, ("elsewhere",)),
        (Action.ADOPT, ("elsewhere",)),
    ]


def test_what_comes_again_as_it_is_known_is_nothing_to_do():
    known = replace(ROW, needs=("db",))
    assert adopt("alpha", [ROW], Shelf(rows=(known,))).pending == ()


def test_what_is_known_is_replaced_only_when_that_is_said():
    shelf = Shelf()
    with pytest.raises(Refusal) as caught:
        adopt("alpha", [ROW], shelf)
    assert caught.value.problems[0].code == "E3058"
    (change,) = adopt("alpha", [ROW], shelf, replacing=True).pending
    assert change.prior == LATER


def test_the_state_of_another_stack_takes_nothing_in():
    with pytest.raises(Refusal) as caught:
        adopt("beta", [ROW], Shelf())
    assert caught.value.problems[0].code == "E2044"
