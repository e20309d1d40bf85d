"""A question to an engine that plans: answered, refused, or plainly not answered; nobody waits for ever."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from dirigent.model.asking.warm import Answer, Question
from dirigent.model.plan import Plan, Selection
from dirigent.model.problem import Label, Problem, Refusal
from dirigent.model.source import Span
from dirigent.service import door
from dirigent.service.conductor import HolderGone
from dirigent.service.warm.wire import answering, ask, begin, hear

PLACE = Span("shop/stack.yaml", 3, 5, 3, 9)
PROBLEM = Problem("E2004", "`x` has no value here", PLACE, "here", (Label(PLACE, "and here"),), ("mend it",))
QUESTION = Question(
    "plan",
    file="shop/stack.yaml",
    folder="/home/ada",
    flags={"size": "3"},
    files={"more.yaml": {"list": [1, {"deep": None}]}},
    environment={"DIRIGENT_INPUT_A": "b"},
    selection=Selection(("web",), (), ("db[0]",)),
    secrets=True,
)


class Nobody:
    """A conductor that is never asked."""


def told(tmp_path, reply, asking):
    """Return what `asking` does at a door at which `reply` answers."""

    async def work():
        path = str(tmp_path / "door")
        async with door.opened(path, Nobody(), {"warm": answering(reply)}):
            return await asking(path)

    return asyncio.run(work())


def test_what_is_asked_and_answered_arrives_whole(tmp_path):
    asked = []
    plan = Plan("p1", "shop", 1.0, (), "f", inputs={"size": 3})

    async def reply(question):
        asked.append(question)
        return Answer(plan, warnings=(PROBLEM,), outputs={"url": "x"}, schedules={"nightly": "active"})

    answer = told(tmp_path, reply, lambda path: ask(path, QUESTION))
    assert asked == [QUESTION]
    assert answer == Answer(plan, warnings=(PROBLEM,), outputs={"url": "x"}, schedules={"nightly": "active"})


def test_what_was_begun_before_there_is_a_loop_is_answered_all_the_same(tmp_path):
    asked = []

    async def reply(question):
        asked.append(question)
        return Answer(run="r")

    long = Question("plan", flags={"text": "x" * 2_000_000})
    for question in (QUESTION, long):
        answer = told(tmp_path, reply, lambda path, question=question: hear(begin(path, question)))
        assert answer == Answer(run="r")
    assert asked == [QUESTION, long]
    # Where no engine is, or none that takes so much, nothing is begun.
    assert begin(str(tmp_path / "door"), QUESTION) is None
    assert begin(str(tmp_path / "door"), Question("plan", flags={"text": "x" * 40_000_000})) is None


def test_an_engine_that_dies_over_what_was_begun_is_gone(tmp_path):
    async def dying(_, __, writer):
        writer.close()

    async def work():
        path = str(tmp_path / "door")
        async with door.opened(path, Nobody(), {"warm": dying}):
            await hear(begin(path, QUESTION))

    with pytest.raises(HolderGone):
        asyncio.run(work())


def test_a_refusal_arrives_with_its_places(tmp_path):
    async def reply(_):
        raise Refusal([PROBLEM])

    assert told(tmp_path, reply, lambda path: ask(path, QUESTION)).refused == (PROBLEM,)


def test_where_nobody_is_nobody_is_waited_for(tmp_path):
    with pytest.raises(HolderGone):
        asyncio.run(ask(str(tmp_path / "door"), QUESTION))


def test_an_engine_of_another_release_is_none(tmp_path):
    async def work():
        path = str(tmp_path / "door")
        async with door.opened(path, Nobody()):
            await ask(path, QUESTION)

    with pytest.raises(HolderGone):
        asyncio.run(work())


@pytest.mark.parametrize("said", [b"", b".\n", b".\n12\nabc"], ids=["nothing", "a beat", "half of an answer"])
def test_an_engine_that_dies_meanwhile_is_gone(tmp_path, said):
    async def dying(_, __, writer):
        writer.write(said)

    async def work():
        path = str(tmp_path / "door")
        async with door.opened(path, Nobody(), {"warm": dying}):
            await ask(path, QUESTION)

    with pytest.raises(HolderGone):
        asyncio.run(work())


def test_an_engine_that_says_nothing_is_named(tmp_path):
    async def stuck(_, reader, __):
        await reader.read()

    async def work():
        path = str(tmp_path / "door")
        async with door.opened(path, Nobody(), {"warm": stuck}):
            await ask(path, QUESTION, silent_seconds=0.01)

    with pytest.raises(Refusal) as caught:
        asyncio.run(work())
    assert caught.value.problems[0].code == "E5074"


def leaving(tmp_path, want):
    """Return how the work on a question ended whose asker has left."""
    ended = []

    async def asking(path):
        begun, go_on, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def reply(_):
            begun.set()
            try:
                await go_on.wait()
                ended.append("done")
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            finally:
                over.set()
            return Answer()

        async with door.opened(path, Nobody(), {"warm": answering(reply)}):
            task = asyncio.ensure_future(ask(path, Question(want)))
            await begun.wait()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            if want == "carry":
                go_on.set()
            async with asyncio.timeout(60):
                await over.wait()

    asyncio.run(asking(str(tmp_path / "door")))
    return ended


def test_nobody_works_on_a_plan_for_whoever_has_left(tmp_path):
    assert leaving(tmp_path, "plan") == ["cancelled"]


def test_what_is_carried_out_goes_on_when_its_asker_leaves(tmp_path):
    assert leaving(tmp_path, "carry") == ["done"]
