"""What there is to go back to, and what stood there."""

import asyncio
from dataclasses import replace

import pytest

from dirigent.model.ids import Address
from dirigent.model.problem import Refusal
from dirigent.model.resource import ResourceRow
from dirigent.model.run.journal import Created, Ended, ResourceChanged
from dirigent.planning.compile import compile_plan
from dirigent.service.safety.rollback import revision, revisions, rows_after
from dirigent.testing import MemoryStore
from planning.world import World, resource, stack


def row(name, size):
    return ResourceRow(Address(name), name, "box", {"size": size}, {"id": name})


async def applied(store, run, at, *changes, end="completed"):
    made = World().plan(stack(resource("a", size=1)))
    made = replace(made, at=at, id=f"plan-{run}")
    await store.keep_plan(made)
    digest = await store.keep(compile_plan(made))
    changed = [ResourceChanged(at, name, each) for name, each in changes]
    await store.append(run, 0, [Created(at, digest, None), *changed])
    if end:
        await store.append(run, 1 + len(changed), [Ended(at + 1, end)])


@pytest.fixture
def store():
    store = MemoryStore()

    async def history():
        await applied(store, "up-1", 10.0, ("a", row("a", 1)), ("b", row("b", 1)))
        await applied(store, "up-2", 20.0, ("a", row("a", 2)), ("b", None), end="faulted")
        await applied(store, "up-3", 30.0, ("c", row("c", 1)))
        await applied(store, "up-4", 40.0, ("a", row("a", 4)), end="")

    asyncio.run(history())
    return store


def ask(question):
    return asyncio.run(question)


def test_revisions_are_the_applies_that_have_ended_newest_first(store):
    found = ask(revisions(store, store))
    assert [(each.run.id, each.counts) for each in found] == [
        ("up-3", {"create": 1}),
        ("up-2", {"create": 1}),
        ("up-1", {"create": 1}),
    ]
    assert len(ask(revisions(store, store, limit=2))) == 2


@pytest.mark.parametrize(("wanted", "run"), [("", "up-2"), ("1", "up-2"), ("0", "up-3"), ("up-1", "up-1")])
def test_a_revision_is_named_by_its_run_or_by_how_long_ago_it_was(store, wanted, run):
    assert ask(revision(store, wanted)).id == run


@pytest.mark.parametrize("wanted", ["3", "99", "up-4", "nobody"])
def test_what_is_no_revision_is_refused(store, wanted):
    with pytest.raises(Refusal) as caught:
        ask(revision(store, wanted))
    assert caught.value.problems[0].code == "E2050"


@pytest.mark.parametrize(
    ("run", "stood"),
    [("up-1", {"a": 1, "b": 1}), ("up-2", {"a": 2}), ("up-3", {"a": 2, "c": 1})],
)
def test_the_rows_are_those_that_stood_when_the_apply_ended(store, run, stood):
    rows = ask(rows_after(store, ask(revision(store, run))))
    assert {str(each.address): each.config["size"] for each in rows} == stood
