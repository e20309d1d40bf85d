"""For every construct that reaches outside: it is stored before it acts and can be suspended; it completes
from its journal after a crash, wherever that comes; and after a restart it still waits.

The store, the performers and what they act on are real. Only time is made: a wait is an hour long.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import grpc
import pytest

from conformance.stage import RUN, Cast, life, program_of
from conformance.waiting import A2A_RESULT, CHILD, CONSTRUCTS, MCP_RESULT, Construct
from dirigent.app.protocols import asyncapi, extras
from dirigent.jq import LANGUAGE
from dirigent.lang.workflow.calls.kinds import CALLS
from dirigent.lang.workflow.calls.runs import RUNS
from dirigent.lang.workflow.tasks.kinds import KINDS
from dirigent.model.run.journal import (
    Ended,
    Failed,
    Intended,
    Resumed,
    Succeeded,
    Suspended,
    TimerFired,
    TimerSet,
    Vouched,
)
from dirigent.model.run.start import Start
from dirigent.stores.sqlite import SqliteStore
from dirigent.tasks.a2a import A2aPerformer
from dirigent.tasks.asyncapi.call import AsyncApiPerformer
from dirigent.tasks.asyncapi.taking import Judge
from dirigent.tasks.container.performer import ContainerPerformer
from dirigent.tasks.container.registry import Registries
from dirigent.tasks.grpc.call import GrpcPerformer
from dirigent.tasks.http import Client, HttpPerformer
from dirigent.tasks.http.credentials import Credentials
from dirigent.tasks.http.oauth.tokens import Tokens
from dirigent.tasks.mcp import McpPerformer
from dirigent.tasks.openapi import OpenApiPerformer
from dirigent.tasks.openapi.document import within
from dirigent.tasks.process import ShellPerformer, Surroundings
from dirigent.tasks.script import ScriptPerformer
from dirigent.tasks.secrets import EnvironmentVault
from dirigent.testing import Crash, Fuse, FusedStore, VirtualClock
from tasks.asyncapi.kafka_broker import KafkaBroker
from tasks.engine_api import RuntimeOfItsOwn

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 60


class World:
    """What is outside of every engine: a server, a folder, the time. It holds back until it is released.

    `happened` counts what was done, by name.
    """

    def __init__(self, folder):
        self.folder = folder
        self.clock = VirtualClock()
        self.gate = threading.Event()
        self.happened = Counter()
        self.failures = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        self.server.world = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.rpc = grpc.server(ThreadPoolExecutor(4))
        look = grpc.unary_unary_rpc_method_handler(self._looked)
        self.rpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.Slow", {"Look": look}),))
        self.rpc_port = self.rpc.add_insecure_port("127.0.0.1:0")
        self.rpc.start()
        (folder / "slow.proto").write_text(PROTO)
        self.kafka = KafkaBroker(topics=("stream",))
        self.kafka.due = [b'{"n": 0}', b'{"n": 1}']
        for name, protocol, place in (
            ("slow", "http", self.url[7:]),
            ("each", "kafka", f"127.0.0.1:{self.kafka.port}"),
        ):
            text = json.dumps(MESSAGES).replace("HOST", place).replace("PROTOCOL", protocol)
            (folder / f"{name}.asyncapi.json").write_text(text)
        self.runtime = RuntimeOfItsOwn(self.contained)

    def _looked(self, request, context):
        self.happened["slow"] += 1
        self.gate.wait(PATIENCE_SECONDS)
        return b""

    async def contained(self, container):
        """Be the program of a container: it says that it has begun, and ends when the gate is open."""
        (self.folder / f"begun-process-{container.id}").touch()
        await asyncio.to_thread(self.gate.wait, PATIENCE_SECONDS)
        return 0, b"done", b""

    def release(self):
        """Let everything go on that waits: the server answers, processes end, time passes."""
        self.gate.set()
        self.kafka.release()
        (self.folder / "gate").touch()
        self.clock.advance(7200)

    def begun(self, name):
        """How often something was begun."""
        asked = self.kafka.asked.count("FetchRequest_v4") if name == "kafka" else 0
        return asked + self.happened[name] + len(list(self.folder.glob(f"begun-{name}-*")))

    def close(self):
        self.release()
        self.rpc.stop(None)
        self.server.shutdown()
        self.server.server_close()
        self.runtime.close()
        self.kafka.close()


class _Answers(BaseHTTPRequestHandler):
    """`/slow` waits for the gate, `/failing` fails as often as the world says; the rest answers at once."""

    def do_GET(self):
        world = self.server.world
        name = self.path.strip("/")
        if name == "openapi.json":
            return self._say(200, DESCRIPTION)
        if name == "oauth2/token":
            return self._say(200, {"access_token": "token-of-the-world", "expires_in": 3600})
        world.happened[name] += 1
        if name in {"slow", "stream"}:
            world.gate.wait(PATIENCE_SECONDS)
        if name == "stream":
            return self._say(200, {"n": 0})
        if name == "failing" and world.failures:
            world.failures -= 1
            return self._say(503, "later")
        return self._say(200, name)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        result = {"/mcp": MCP_RESULT, "/a2a": A2A_RESULT}.get(self.path)
        if result is None:
            return self.do_GET()
        message = json.loads(body)
        if message["method"] in {"resources/read", "tasks/get"}:
            self.server.world.happened["slow"] += 1
            self.server.world.gate.wait(PATIENCE_SECONDS)
        return self._say(200, {"jsonrpc": "2.0", "id": message.get("id"), "result": result})

    def _say(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):  # The engine that asked may have died.
            self.wfile.write(body)

    def log_message(self, *arguments):
        """Say nothing."""


PROTO = """
syntax = "proto3"; package t; message Nothing {}
service Slow { rpc Look(Nothing) returns (Nothing) { option idempotency_level = NO_SIDE_EFFECTS; } }
"""
DESCRIPTION = {
    "openapi": "3.0.3",
    "info": {"title": "slow", "version": "1"},
    "paths": {"/slow": {"get": {"operationId": "slow", "responses": {"200": {"description": "ok"}}}}},
}
MESSAGES = {
    "asyncapi": "3.0.0",
    "servers": {"main": {"host": "HOST", "protocol": "PROTOCOL"}},
    "channels": {"stream": {"address": "stream"}},
    "operations": {"look": {"action": "receive", "channel": {"$ref": "#/channels/stream"}}},
}
# Counted by files, whose names differ: a file for each beginning.
each_construct = pytest.mark.parametrize("construct", CONSTRUCTS.values(), ids=CONSTRUCTS)


def program(construct, world):
    """The construct, and a task after it that would start if nothing held it back."""
    after = "{call: http, with: {method: get, endpoint: URL/after}, output: {as: '${ $input }'}}"
    return program_of(
        f"do: [{{first: {construct.task}}}, {{second: {after}}}]".replace("URL", world.url).replace(
            "PORT", str(world.rpc_port)
        )
    )


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


@dataclass
class Stack:
    """The parts that every life of an engine is made of anew."""

    world: World
    construct: Construct
    fuses: list = field(default_factory=list)
    streams: object = None

    def cast(self):
        folder = str(self.world.folder)
        vault = EnvironmentVault({}, {}, folder)
        client = Client()
        credentials = Credentials(vault, Tokens(client, vault))
        around = Surroundings(f"{folder}/spool", folder, {"PATH": "/usr/bin:/bin"}, 1.0)
        performers = {
            "http": HttpPerformer(client, vault),
            "openapi": OpenApiPerformer(client, vault, within(folder)),
            "grpc": GrpcPerformer(client, credentials, within(folder)),
            "mcp": McpPerformer(client, credentials, around),
            "a2a": A2aPerformer(client, credentials, within(folder)),
            "asyncapi": self._asyncapi(client, credentials, folder),
            "shell": ShellPerformer(around, vault),
            "script": ScriptPerformer(around, vault),
            "container": ContainerPerformer(around, Registries({}, vault), lambda: self.world.runtime.socket),
        }
        return Cast(performers, self.world.clock, vault, (program_of(CHILD, "child"),))

    def _asyncapi(self, client, credentials, folder):
        drivers = asyncapi.drivers(extras.driver)
        hosts = Client((f"127.0.0.1:{self.world.kafka.port}",))
        made = AsyncApiPerformer(hosts, credentials, within(folder), Judge(LANGUAGE, None), drivers)
        self.streams = made.streams
        return made

    @asynccontextmanager
    async def life(self, fuse=None):
        """One engine on the store. Time stands still; the end of the block is a crash."""
        store = SqliteStore.open_for_writing(str(Path(self.world.folder, "state", "dirigent.db")))
        used = FusedStore(store, fuse) if fuse else store
        try:
            with self.world.clock.hold():
                async with life(used, self.cast()) as engine:
                    yield engine, store
        finally:
            # The system closes the connections of a process that dies.
            await self.streams.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
            await asyncio.sleep(0)
            store.abandon()

    async def start(self, engine):
        await engine.start(Start(RUN, program(self.construct, self.world), {}))

    async def under_way(self, store):
        """Wait until the construct waits for the world, and return its journal."""
        return await until(store, self._waits)

    def _waits(self, facts):
        if self.construct.timer:
            return any(isinstance(fact, TimerSet) and fact.purpose == self.construct.timer for fact in facts)
        intended = any(isinstance(fact, Intended) for fact in facts)
        return intended and self.world.begun(self.construct.counted) >= 1


async def until(store, holds):
    """Return the journal as soon as it is as wanted. The world has no event to wait for: it is looked at."""
    for _ in range(PATIENCE_SECONDS * 100):
        facts = await store.read(RUN)
        if holds(facts):
            return facts
        await asyncio.sleep(0.01)
    raise AssertionError("the run has not come so far")


async def until_children_stand(store):
    """Return when the children of the run are suspended as it is."""
    for _ in range(PATIENCE_SECONDS * 100):
        children = [run for run in await store.runs(limit=100) if run.parent == RUN]
        if children and all(run.phase == "suspended" for run in children):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("a child goes on without its parent")


def settled(facts):
    """Whether the construct has what it waited for."""
    return any(isinstance(fact, Succeeded | TimerFired) for fact in facts)


def run(scene):
    """Play one life, in an event loop of its own: what it leaves behind is what a process leaves behind."""
    return asyncio.run(scene())


@each_construct
def test_it_is_stored_and_when_suspended_nothing_new_starts(construct, world):
    world.failures = construct.failures
    stack = Stack(world, construct)

    async def suspended():
        async with stack.life() as (engine, store):
            await stack.start(engine)
            before = await stack.under_way(store)
            await engine.tell(RUN, Suspended(world.clock.now(), "for a while"))
            world.release()
            if construct.child:
                await until_children_stand(store)
                return before, await store.read(RUN)
            return before, await until(store, settled)

    async def still_suspended():
        async with stack.life() as (_, store):
            return await store.read(RUN), (await store.run(RUN)).phase

    async def resumed():
        async with stack.life() as (engine, _):
            await engine.tell(RUN, Resumed(world.clock.now()))
            return await asyncio.wait_for(engine.wait(RUN), PATIENCE_SECONDS)

    before, facts = run(suspended)
    stored = [fact for fact in before if isinstance(fact, Intended | TimerSet)]
    assert stored[0].position.startswith(construct.at)
    if isinstance(stored[0], Intended):
        assert stored[0].request, "the intent holds what will be done, whole"
    last = Suspended if construct.child else Succeeded | TimerFired
    assert isinstance(facts[-1], last), "what was under way has ended, and nothing has begun"
    assert run(still_suspended) == (facts, "suspended")
    assert world.happened["after"] == 0
    end = run(resumed)
    assert (end.phase, end.output) == ("completed", construct.output)
    assert world.happened["after"] == 1


@each_construct
def test_it_still_waits_after_a_restart_and_then_completes(construct, world):
    world.failures = construct.failures
    stack = Stack(world, construct)

    async def begins():
        async with stack.life() as (engine, store):
            await stack.start(engine)
            return await stack.under_way(store)

    async def waits():
        async with stack.life() as (engine, store):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(engine.wait(RUN), 0.2)
            return await store.read(RUN)

    async def ends():
        async with stack.life() as (engine, store):
            world.release()
            end = await asyncio.wait_for(engine.wait(RUN), PATIENCE_SECONDS)
            return end, await store.read(RUN)

    before = run(begins)
    assert run(waits) == before, "a restart adds nothing to the journal of a run that waits"
    assert run(waits) == before
    end, facts = run(ends)
    assert (end.phase, end.output) == ("completed", construct.output)
    assert_each_attempt_once(facts)
    if not construct.repeatable and construct.counted:
        assert world.begun(construct.counted) == 1, "the process was found again, not begun again"


@each_construct
def test_it_completes_from_the_journal_wherever_the_engine_dies(construct, tmp_path):
    calm = Fuse()
    end, facts, _ = lives(construct, tmp_path / "calm", calm)
    assert (end.phase, end.output) == ("completed", construct.output)
    assert len(calm.places) >= 6
    for place in range(1, len(calm.places) + 1):
        fuse = Fuse(place)
        found, journal, begun = lives(construct, tmp_path / str(place), fuse)
        where = calm.places[place - 1]
        assert (found.phase, found.output) == (end.phase, end.output), where
        assert fuse.dead, where
        assert_each_attempt_once(journal)
        # An answer 503 that no journal has seen is gone: the repeat of that attempt may do better.
        assert construct.failures or kinds(journal) == kinds(facts), where
        if not construct.repeatable and construct.counted:
            assert begun == 1, where


def lives(construct, folder, fuse):
    """Run a construct that nothing holds back, in two lives if the fuse burns in the first."""
    folder.mkdir()
    world = World(folder)
    world.failures = construct.failures
    world.release()
    stack = Stack(world, construct)

    async def whole(fuse):
        async with stack.life(fuse) as (engine, store):
            await stack.start(engine)
            passing = asyncio.ensure_future(time_passes(world.clock))
            end = await asyncio.wait_for(engine.wait(RUN), PATIENCE_SECONDS)
            passing.cancel()
            return end, await store.read(RUN)

    try:
        try:
            end, facts = asyncio.run(whole(fuse))
        except Crash:
            end, facts = asyncio.run(whole(None))
        return end, facts, world.begun(construct.counted)
    finally:
        world.close()


async def time_passes(clock):
    """An hour in every few turns of the event loop."""
    while True:
        await asyncio.sleep(0.005)
        clock.advance(3600)


def kinds(facts):
    """What happened, without when; an attempt that was repeated after a crash has one intent all the same."""
    return [
        (type(fact).__name__, getattr(fact, "position", ""), getattr(fact, "attempt", 0)) for fact in facts
    ]


def assert_each_attempt_once(facts):
    for kind in (Intended, Succeeded, Failed, TimerSet, TimerFired):
        keys = Counter((fact.position, fact.attempt) for fact in facts if isinstance(fact, kind))
        assert max(keys.values(), default=1) == 1, f"{kind.__name__}: {keys}"
    assert [type(fact) for fact in facts].count(Ended) == 1


def test_a_call_that_must_not_be_repeated_is_held_after_a_crash(world):
    posting = Construct("{call: http, with: {method: post, endpoint: URL/slow}}", "slow", "vouched for")
    stack = Stack(world, posting)

    async def begins():
        async with stack.life() as (engine, store):
            await stack.start(engine)
            await stack.under_way(store)

    async def held():
        async with stack.life() as (engine, store):
            facts = await until(store, lambda facts: type(facts[-1]).__name__ == "Held")
            assert (await store.run(RUN)).phase == "held"
            await engine.tell(RUN, Vouched(world.clock.now(), facts[-1].position, 1, "vouched for"))
            return await asyncio.wait_for(engine.wait(RUN), PATIENCE_SECONDS)

    run(begins)
    world.release()
    end = run(held)
    assert (end.phase, end.output) == ("completed", "vouched for")
    assert world.happened == {"slow": 1, "after": 1}


# `listen` has the three in engine/test_events.py and listen.feature.
ELSEWHERE = {"listen"}
# Tasks that wait for the world without a call.
WAITING = {"wait", "listen"}


def test_the_triple_covers_every_kind_of_task_that_waits_for_the_world():
    kinds = {f"call {name}" for name in CALLS} | {f"run {name}" for name in RUNS} | (WAITING & KINDS.keys())
    assert kinds - CONSTRUCTS.keys() == ELSEWHERE, "give the new kind a line in the table"
