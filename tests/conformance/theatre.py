"""Where our own scenarios play: the real front-end, core, engine and performers, in virtual time.

A scenario describes the world in sentences: that is a `Script`. What comes of it is an `Outcome`.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from conformance.stage import DEPLOYED, NAME, RUN, TOOLS, deploy, program_of, scheduler
from dirigent.core.replay import replay
from dirigent.engine.children import WorkflowPerformer
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import CancelRequested, Ended, Resumed, Suspended
from dirigent.model.run.start import Start
from dirigent.tasks.http import Client, HttpPerformer
from dirigent.tasks.openapi import OpenApiPerformer
from dirigent.tasks.openapi.document import within
from dirigent.tasks.oracle import JqOracle
from dirigent.tasks.process import ShellPerformer, Surroundings
from dirigent.tasks.script import ScriptPerformer
from dirigent.testing import Crash, FakeVault, Fuse, FusedStore, IdleClock, MemoryDisk, MemoryStore

MIDNIGHT = 1_767_225_600.0  # 2026-01-01T00:00:00Z
WORDS = {"cancelled": CancelRequested, "suspended": Suspended, "resumed": Resumed}
ADDRESS = re.compile(r"https://([a-z.]+\.example)")


class Servers:
    """Every host under `.example`, on one port. `answers` are those of a method and URL, in turn."""

    def __init__(self):
        self.answers, self.calls = {}, []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        self.server.world = self
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def moved(self, text):
        """Return a document whose hosts are found here."""
        return ADDRESS.sub(rf"http://\1:{self.port}", text)

    def count(self, call):
        return sum(seen[0] == call for seen in self.calls)

    async def resolve(self, host, port):
        if host.endswith(".example"):
            return ["127.0.0.1"]
        raise OSError(host)


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self):
        world = self.server.world
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode() if length else None
        call = f"{self.command} https://{self.headers['Host'].partition(':')[0]}{self.path}"
        turn = world.count(call)
        world.calls.append((call, {"headers": dict(self.headers), "body": body}))
        answers = world.answers.get(call, [{"status": 404}])
        answer = answers[min(turn, len(answers) - 1)]
        content = json.dumps(answer.get("body")).encode()
        self.send_response(answer["status"])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with suppress(ConnectionError):  # The engine that asked may have died.
            self.wfile.write(content)

    def do_POST(self):
        self.do_GET()

    def log_message(self, *arguments):
        """Say nothing."""


@dataclass
class Script:
    """What a scenario says of the world."""

    definition: str = ""
    given: object = None
    others: list = field(default_factory=list)
    secrets: dict = field(default_factory=dict)
    happenings: list = field(default_factory=list)
    restarts: bool = False
    deployed: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """How a run ended: `seconds` of virtual time, the tasks that ran by name, the calls that were made.

    Of a workflow that was deployed, `inputs` are those of the runs that its schedule started.
    """

    phase: str
    output: object
    fault: object
    seconds: float
    ran: Counter
    calls: list
    inputs: list = field(default_factory=list)

    @property
    def error(self):
        return self.fault.as_value() if self.fault else None


@dataclass
class Held:
    """A performer that takes no virtual time: what it does, it does in earnest."""

    performer: object
    clock: IdleClock

    async def perform(self, order):
        with self.clock.hold():
            return await self.performer.perform(order)

    async def abandon(self, order):
        with self.clock.hold():
            await self.performer.abandon(order)


class HeldOracle(JqOracle):
    def __init__(self, clock):
        super().__init__()
        self.clock = clock

    async def answer(self, questions):
        with self.clock.hold():
            return await super().answer(questions)


@dataclass
class Theatre:
    """One play of a script. What is here survives a crash of the engine."""

    script: Script
    servers: Servers
    folder: object
    fuse: Fuse = field(default_factory=Fuse)
    clock: IdleClock = field(default_factory=lambda: IdleClock(MIDNIGHT))
    disk: MemoryDisk = field(default_factory=MemoryDisk)
    done: set = field(default_factory=set)

    def play(self):
        """Return how the run ended, in as many lives as it takes."""
        self.servers.calls.clear()
        while True:
            try:
                return self.clock.run(self.life)
            except Crash:
                self.fuse.revive()

    async def life(self):
        program = program_of(self.servers.moved(self.script.definition))
        others = {program.name: program for program in map(program_of, self.script.others)}
        store = MemoryStore(self.disk)
        async with self.engine(FusedStore(store, self.fuse), others) as engine:
            if self.script.deployed:
                if await store.run(DEPLOYED) is None:
                    await deploy(engine, program)
                await self.until(engine, MIDNIGHT + self.script.deployed)
                runs = [run for run in reversed(await store.runs()) if run.id.startswith(f"{NAME}@")]
                inputs = [(await store.read(run.id))[0].input for run in runs]
                await engine.close()
                return Outcome("deployed", None, None, 0.0, Counter(), list(self.servers.calls), inputs)
            if await store.run(RUN) is None:
                await engine.start(
                    Start(RUN, program, {} if self.script.given is None else self.script.given)
                )
            await self.through(engine)
            facts = await store.read(RUN)
            await engine.close()
        return self.outcome(program, facts)

    @asynccontextmanager
    async def engine(self, store, others):
        oracle, vault, folder = HeldOracle(self.clock), FakeVault(self.script.secrets), str(self.folder)
        client = Client(resolve=self.servers.resolve)
        around = Surroundings(f"{folder}/spool", folder, {"PATH": "/usr/bin:/bin"}, 1.0)
        performers = {
            "http": HttpPerformer(client, vault),
            "openapi": OpenApiPerformer(client, vault, within(folder)),
            "shell": ShellPerformer(around, vault),
            "script": ScriptPerformer(around, vault),
        }
        performers = {name: Held(each, self.clock) for name, each in performers.items()}
        engine = Engine(store, store, Effects(performers, oracle, vault, self.clock), TOOLS, self.clock)
        performers["workflow"] = WorkflowPerformer(engine, lambda _, name, __: others.get(name), nothing)
        performers["schedule"] = scheduler(engine, store, self.clock, oracle)
        try:
            await engine.open()
            yield engine
        finally:
            with self.clock.hold():
                await oracle.close()

    async def through(self, engine):
        """Wait until the run has ended, or nothing can happen any more."""
        watched = [
            asyncio.ensure_future(each)
            for each in (engine.wait(RUN), self.clock.stalled(), self.happen(engine))
        ]
        try:
            await asyncio.wait(watched[:2], return_when=asyncio.FIRST_COMPLETED)
            for each in watched:
                if each.done():
                    each.result()
        finally:
            for each in watched:
                each.cancel()
            await asyncio.gather(*watched, return_exceptions=True)

    async def until(self, engine, moment):
        """Wait until all has happened and a time has come, or the engine dies."""
        watched = [
            asyncio.ensure_future(each) for each in (engine.wait(DEPLOYED), self.passed(engine, moment))
        ]
        try:
            await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            for each in watched:
                if each.done():
                    each.result()
        finally:
            for each in watched:
                each.cancel()
            await asyncio.gather(*watched, return_exceptions=True)

    async def passed(self, engine, moment):
        await self.happen(engine)
        await self.clock.sleep_until(moment)

    async def happen(self, engine):
        for number, (seconds, what) in enumerate(self.script.happenings):
            if number not in self.done:
                await self.clock.sleep_until(MIDNIGHT + seconds)
                # An event counts once, however often it is sent: whoever died sends it again.
                if not isinstance(what, dict):
                    self.done.add(number)
                if isinstance(what, dict):
                    await engine.events.take([{"specversion": "1.0", **what}])
                    continue
                with suppress(Refusal):  # It may be over.
                    await engine.tell(RUN, WORDS[what](self.clock.now()))

    def outcome(self, program, facts):
        moments = []
        replay(program, RUN, facts, TOOLS, moments.append)
        ran = Counter(moment.task.name for moment in moments if moment.what == "entered")
        ran.subtract(moment.task.name for moment in moments if moment.what == "skipped")
        last = facts[-1]
        if not isinstance(last, Ended):
            return Outcome("waiting", None, None, self.clock.now() - MIDNIGHT, ran, list(self.servers.calls))
        spent = last.at - facts[0].at
        return Outcome(last.phase, last.output, last.fault, spent, ran, list(self.servers.calls))


async def nothing():
    return {}


def outcomes(script, servers, folder):
    """Yield the outcome of a calm play, and if wanted, of one for each place where the engine can die."""
    fuse = Fuse()
    yield Theatre(script, servers, folder, fuse).play()
    for place in range(1, len(fuse.places) + 1) if script.restarts else ():
        own = folder / str(place)
        own.mkdir()
        yield Theatre(script, servers, own, Fuse(place)).play()
