"""The contract of a store about applies: of two that begin at the same instant one comes first."""

import asyncio
from dataclasses import replace

import pytest

from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Created, Ended, ResourceChanged
from dirigent.ports.applies import AFTER
from stores.samples import AT, PROGRAM, code_of, in_loop, row

APPLY = replace(PROGRAM, name="shop", kind="apply")


def first(digest, after=None):
    return Created(AT, digest, None, {} if after is None else {"plan": "p", AFTER: after})


async def begun(store, run, after=None, program=APPLY):
    await store.append(run, 0, [first(await store.keep(program), after)])


@in_loop
async def test_a_store_without_applies_says_so(store):
    assert (
        await store.applies.newest_apply(),
        await store.applies.open_applies(),
        await store.applies.addresses(),
    ) == ("", [], [])


@in_loop
async def test_the_apply_that_was_begun_last_is_known_also_when_it_has_ended(store):
    await begun(store, "one", "")
    await begun(store, "two", "one")
    await store.append("two", 1, [Ended(AT, "completed", {})])
    assert await store.applies.newest_apply() == "two"
    assert [run.id for run in await store.applies.open_applies()] == ["one"]


@in_loop
async def test_open_applies_are_found_among_other_runs_oldest_first(store):
    await begun(store, "a")
    for number in range(5):
        await begun(store, f"w{number}", program=PROGRAM)
    await begun(store, "b")
    assert [run.id for run in await store.applies.open_applies()] == ["a", "b"]


@in_loop
async def test_an_apply_that_was_checked_before_another_began_is_refused_and_leaves_nothing(store):
    await begun(store, "one", "")
    with pytest.raises(Refusal) as caught:
        await begun(store, "two", "")
    assert code_of(caught) == "E2048"
    assert (await store.run("two"), await store.read("two"), await store.applies.newest_apply()) == (
        None,
        [],
        "one",
    )
    await begun(store, "two", "one")
    assert await store.applies.newest_apply() == "two"


@in_loop
async def test_of_applies_that_begin_in_one_batch_only_one_wins(store):
    digest = await store.keep(APPLY)
    answers = await asyncio.gather(
        *(store.append(f"r{number}", 0, [first(digest, "")]) for number in range(4)), return_exceptions=True
    )
    lost = [each.problems[0].code for each in answers if isinstance(each, Refusal)]
    assert lost == ["E2048"] * 3
    assert len(await store.applies.open_applies()) == 1


@in_loop
async def test_without_the_check_both_would_begin(store):
    # The negative control: what says nothing of the newest apply is begun whatever there is.
    digest = await store.keep(APPLY)
    await asyncio.gather(*(store.append(f"r{number}", 0, [first(digest)]) for number in range(2)))
    assert len(await store.applies.open_applies()) == 2


@in_loop
async def test_the_same_start_again_is_told_from_one_that_was_overtaken(store):
    await begun(store, "one", "")
    with pytest.raises(Refusal) as caught:
        await begun(store, "one", "")
    assert code_of(caught) == "E5001"


@in_loop
async def test_a_workflow_whose_metadata_has_the_same_member_is_no_apply(store):
    await begun(store, "w", "nobody", program=PROGRAM)
    assert await store.applies.newest_apply() == ""


@in_loop
async def test_other_runs_begin_beside_an_apply_that_is_refused(store):
    await begun(store, "one", "")
    apply, flow = await store.keep(APPLY), await store.keep(PROGRAM)
    answers = await asyncio.gather(
        store.append("two", 0, [first(apply, "")]),
        store.append("w", 0, [first(flow)]),
        return_exceptions=True,
    )
    assert answers[0].problems[0].code == "E2048"
    assert (answers[1], (await store.run("w")).id) == (None, "w")


@in_loop
async def test_addresses_are_those_of_every_instance_that_there_ever_was(store):
    await begun(store, "one")
    gone = ResourceChanged(AT, "web", None)
    changes = [ResourceChanged(AT, name, replace(row(), address=name)) for name in ("web", "db")]
    await store.append("one", 1, [*changes, gone])
    assert await store.applies.addresses() == ["db", "web"]


@in_loop
async def test_what_was_begun_last_is_known_to_the_next_opening(place, store):
    await begun(store, "one", "")
    again = place.open()
    assert await again.applies.newest_apply() == "one"
    with pytest.raises(Refusal) as caught:
        await begun(again, "two", "")
    assert code_of(caught) == "E2048"
