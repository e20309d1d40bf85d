"""Two processes on one store: the second is the client of the first, and its heir."""

import asyncio
import contextlib
import os
import socket

import pytest

from dirigent.app.conducting import conducting
from dirigent.app.stacks import Surrounding
from dirigent.engine.conductor import LocalConductor
from dirigent.jq import LANGUAGE
from dirigent.lang.source import load
from dirigent.lang.workflow.document import read_workflow
from dirigent.model.ids import RunId
from dirigent.model.problem import Refusal, refuse
from dirigent.model.run.journal import CancelRequested, Created, Ended, Suspended
from dirigent.model.run.start import Start
from dirigent.service.conductor import HolderGone
from dirigent.service.succession import Succession
from dirigent.settings import Settings

WORKFLOW = """
document: {dsl: 1.0.3, namespace: test, name: pause, version: 1.0.0}
do:
  - wait: {wait: {milliseconds: 300}}
  - say: {set: {text: done}}
"""
FACTS = [
    Created(1.0, "definition", None, {}, None, 0),
    Suspended(2.0, ""),
    Ended(3.0, "completed", "all", None),
]


def program():
    node, _ = load(WORKFLOW, "pause.yaml")
    read, problems = read_workflow(node, "pause.yaml", WORKFLOW, LANGUAGE)
    assert not problems
    return read


class Engine:
    """A conductor of another process: it tells some facts, and then it is gone, or has an end."""

    def __init__(self, facts=(), *, dead=False):
        self.facts, self.dead, self.told = list(facts), dead, []

    async def start(self, start):
        if self.dead:
            raise HolderGone
        return start.id

    async def tell(self, run, fact):
        self.told.append(fact)
        if self.dead:
            raise HolderGone

    async def keep_plan(self, plan):
        if self.dead:
            raise HolderGone

    async def follow(self, run, heard):
        heard(run, None, self.facts)
        if isinstance(self.facts[-1], Ended):
            return self.facts[-1]
        raise HolderGone


class Journal:
    def __init__(self, facts=()):
        self.facts = facts

    async def read(self, run):
        return list(self.facts)


def succession(first, *heirs, journal=None, patience=0.0):
    waiting = list(heirs)

    async def succeed():
        return waiting.pop(0) if waiting else None

    return Succession(first, succeed, journal or Journal(), patience)


def test_a_follower_hears_every_fact_once_whoever_tells_it():
    heard = []
    chain = succession(Engine(FACTS[:1]), None, Engine(FACTS[:2]), Engine(FACTS), patience=5.0)

    end = asyncio.run(chain.follow(RunId("r"), lambda run, program, facts: heard.extend(facts)))

    assert end == FACTS[2]
    assert heard == FACTS


def test_a_start_that_a_dying_engine_did_not_answer_is_asked_of_its_heir():
    chain = succession(Engine(dead=True), Engine())

    assert asyncio.run(chain.start(Start(RunId("r"), None))) == "r"


def test_a_word_that_a_dying_engine_recorded_before_it_could_answer_is_not_said_again():
    word = CancelRequested(5.0, "enough")
    heir = Engine()
    chain = succession(Engine(dead=True), heir, journal=Journal([word]))

    asyncio.run(chain.tell(RunId("r"), word))

    assert heir.told == []


def test_a_word_that_was_lost_with_the_engine_is_said_to_its_heir():
    word = CancelRequested(5.0, "enough")
    heir = Engine()
    chain = succession(Engine(dead=True), heir)

    asyncio.run(chain.tell(RunId("r"), word))

    assert heir.told == [word]


def test_an_engine_that_holds_the_store_and_never_answers_is_refused_by_name():
    with pytest.raises(Refusal) as refusal:
        asyncio.run(succession(Engine(dead=True)).start(Start(RunId("r"), None)))

    assert refusal.value.problems[0].code == "E7011"


def test_what_the_heir_refuses_is_refused():
    class Refusing(Engine):
        async def start(self, start):
            raise refuse("E4002", "another input")

    with pytest.raises(Refusal) as refusal:
        asyncio.run(succession(Engine(dead=True), Refusing()).start(Start(RunId("r"), None)))

    assert refusal.value.problems[0].code == "E4002"


def around(tmp_path):
    return Surrounding(Settings(tmp_path / "state"), tmp_path)


@pytest.mark.slow
def test_when_the_engine_ends_its_client_takes_its_place_and_the_run_goes_on(tmp_path):
    heard, begun = [], asyncio.Event()

    def hear(_run, _program, facts):
        heard.extend(facts)
        begun.set()

    async def scene():
        async with contextlib.AsyncExitStack() as second:
            async with conducting(around(tmp_path)) as first:
                client = await second.enter_async_context(conducting(around(tmp_path)))
                assert isinstance(first.conductor, LocalConductor)
                assert isinstance(client.conductor, Succession)
                run = await client.conductor.start(Start(RunId("pause-1"), program()))
                following = asyncio.ensure_future(client.conductor.follow(run, hear))
                await begun.wait()
            return await following

    end = asyncio.run(scene())

    assert (end.phase, end.output) == ("completed", {"text": "done"})
    assert [type(fact).__name__ for fact in heard] == ["Created", "TimerSet", "TimerFired", "Ended"]


@pytest.mark.slow
def test_two_commands_on_a_folder_where_nothing_was_before_both_do_their_work(tmp_path):
    async def one(name):
        async with conducting(around(tmp_path)) as desk:
            run = await desk.conductor.start(Start(RunId(name), program()))
            return await desk.conductor.follow(run, lambda *_: None)

    async def scene():
        return await asyncio.gather(one("a"), one("b"), one("c"))

    assert [end.phase for end in asyncio.run(scene())] == ["completed"] * 3


@pytest.mark.slow
@pytest.mark.parametrize("nonsense", [b"\n", b"[]\n", b'{"verb": "start"}\n', b'{"verb": "dance"}\n', b"{\n"])
def test_nonsense_at_the_door_gets_a_coded_answer_and_does_no_harm(tmp_path, nonsense):
    async def ask():
        async with conducting(around(tmp_path)) as desk:
            folder = os.open(tmp_path / "state", os.O_RDONLY)
            with socket.socket(socket.AF_UNIX) as visitor:
                visitor.connect(f"/proc/self/fd/{folder}/engine.sock")
                os.close(folder)
                visitor.sendall(nonsense)
                visitor.setblocking(False)
                answer = await asyncio.get_running_loop().sock_recv(visitor, 10_000)
            run = await desk.conductor.start(Start(RunId("after"), program()))
            return answer, await desk.conductor.follow(run, lambda *_: None)

    answer, end = asyncio.run(ask())

    assert b"E7010" in answer
    assert end.phase == "completed"
