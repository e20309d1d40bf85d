"""A stage for whole runs: the real front-end, core, engine and expression worker; the rest is given.

A life is one engine on a store. Leaving it without `close` is a crash: its tasks end where they are.
"""

from __future__ import annotations

import asyncio
import re
import textwrap
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from dirigent.app.elsewhere import whole
from dirigent.core.machine import Tools
from dirigent.core.replay import replay
from dirigent.engine.children import WorkflowPerformer
from dirigent.engine.conductor import LocalConductor
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.engine.schedules.keeping import SchedulePerformer
from dirigent.jq import LANGUAGE
from dirigent.lang.schedule.events import strategy_of
from dirigent.lang.schedule.program import program_of as schedule_program
from dirigent.lang.schema import SCHEMAS
from dirigent.lang.stack.schedules import scheduled
from dirigent.lang.workflow.calls.kinds import CALLS
from dirigent.lang.workflow.calls.runs import RUNS
from dirigent.lang.workflow.document import read_naked
from dirigent.model.ids import RunId, digest_of
from dirigent.model.run.journal import CancelRequested, Succeeded
from dirigent.model.run.start import Start
from dirigent.stores import codec
from dirigent.tasks.oracle import JqOracle
from dirigent.testing import FakeVault, MemoryStore, ScriptedPerformer, VirtualClock

TOOLS = Tools(LANGUAGE, SCHEMAS)
RUN = RunId("run-1")
# The schedule of a document that was deployed, and the name that its runs begin with.
DEPLOYED, NAME = RunId("schedule:tests.it/1"), "tests.it"
# Every function that a document can call: whoever adds one to the language has it here.
SCRIPTED = (*CALLS, *RUNS)
HEAD = "document: {dsl: 1.0.3, namespace: tests, name: NAME, version: 1.0.0}\n"


def program_of(text, name="probe"):
    """Return the program of a document; the head is added where it has none."""
    text = textwrap.dedent(text)
    whole = text if re.search(r'\bdsl"?:', text) else HEAD.replace("NAME", name) + text
    program, problems = read_naked(whole, f"{name}.yaml", LANGUAGE)
    errors = [str(problem) for problem in problems if problem.severity == "error"]
    assert not errors, "\n".join(errors)
    return program


@dataclass(frozen=True)
class Played:
    """How a run ended, and its journal."""

    program: object
    phase: str
    output: object
    fault: object
    facts: list

    @property
    def error(self):
        """The fault as an error filter sees it."""
        return self.fault.as_value()

    @property
    def order(self):
        """The names of the tasks that ran, in the order in which they began."""
        moments = []
        replay(self.program, RUN, self.facts, TOOLS, moments.append)
        skipped = {moment.position for moment in moments if moment.what == "skipped"}
        return [
            moment.task.name
            for moment in moments
            if moment.what == "entered" and moment.position and moment.position not in skipped
        ]


@dataclass
class Cast:
    """What a life is given beside its store."""

    performers: dict
    clock: object
    vault: object = field(default_factory=FakeVault)
    programs: tuple = ()
    folder: Path = Path(__file__).parent / "elsewhere"

    def child(self, namespace, name, version):
        """The catalogue of `run: workflow`."""
        names = ((program.namespace, program.name) for program in self.programs)
        return dict(zip(names, self.programs, strict=True)).get((namespace, name))


@asynccontextmanager
async def life(store, cast):
    """An engine that has taken up every open run. The block closes it, or leaves it to a crash."""
    oracle = JqOracle()
    performers = dict(cast.performers)
    effects = Effects(performers, oracle, cast.vault, cast.clock)
    engine = Engine(store, store, effects, TOOLS, cast.clock, linker=whole(cast.folder))

    async def metadata():
        return {}

    performers.setdefault("workflow", WorkflowPerformer(engine, cast.child, metadata))
    performers["schedule"] = scheduler(engine, store, cast.clock, oracle)
    try:
        await engine.open()
        yield engine
    finally:
        # The worker is a process; nothing of a run is in it.
        await oracle.close()


async def played(store, cast, program, given=None, events=(), stays=0):
    """Run a program to its end in one life; the events come after it began, in turn.

    One that `stays` is cancelled when so many effects have succeeded.
    """
    async with life(store, cast) as engine:
        reached = counted(engine, stays)
        await engine.start(Start(RUN, program, {} if given is None else given))
        for number, event in enumerate(events):
            await engine.events.take([{"specversion": "1.0", "id": str(number), "source": "/tests", **event}])
        if stays:
            await reached.wait()
            await engine.tell(RUN, CancelRequested(cast.clock.now()))
        end = await asyncio.wait_for(engine.wait(RUN), 60)
        await engine.close()
    facts = await store.read(RUN)
    return Played(await store.definition(facts[0].definition), end.phase, end.output, end.fault, facts)


def scheduler(engine, store, clock, oracle):
    """Return what has the turns of schedules."""
    conductor = LocalConductor(engine, store)
    return SchedulePerformer(conductor, store, store, clock, TOOLS.language, oracle)


async def deploy(engine, program):
    """Make the schedule of a document active, as `dirigent up` does."""
    schedule = scheduled(program)
    strategy = None if schedule.on is None else strategy_of(schedule, TOOLS.language)
    await engine.journal.keep(program)
    digest = digest_of(codec.encode(program))
    made = schedule_program(NAME, schedule, digest, {}, {}, strategy)
    now = engine.clock.now()
    await engine.start(Start(DEPLOYED, made, {"anchor": now, "considered": now, "last": ""}))


async def triggered(store, cast, program, events):
    """Have the schedule of a document run, publish events, and return the run that they started."""
    async with life(store, cast) as engine:
        began = asyncio.Event()

        def hear(run, _program, _position, _facts):
            if run.startswith(f"{NAME}@"):
                began.set()

        engine.observers.append(hear)
        await deploy(engine, program)
        for number, event in enumerate(events):
            await engine.events.take([{"specversion": "1.0", "id": str(number), "source": "/tests", **event}])
        await asyncio.wait_for(began.wait(), 60)
        run = next(each.id for each in await store.runs() if each.id.startswith(f"{NAME}@"))
        end = await asyncio.wait_for(engine.wait(run), 60)
        await engine.close()
    return Played(program, end.phase, end.output, end.fault, await store.read(run))


def counted(engine, number):
    """Return what is set when so many effects have succeeded."""
    reached, seen = asyncio.Event(), []

    def hear(_run, _program, _position, facts):
        seen.extend(fact for fact in facts if isinstance(fact, Succeeded))
        if len(seen) >= number:
            reached.set()

    engine.observers.append(hear)
    return reached


def triggering(text, *rules, events=()):
    """Run a document on mocks as its schedule starts it."""
    clock = VirtualClock()
    cast = Cast(dict.fromkeys(SCRIPTED, ScriptedPerformer(*rules, clock=clock)), clock)
    return asyncio.run(triggered(MemoryStore(), cast, program_of(text), events))


def probe(text, given=None, *rules, vault=None, programs=(), events=(), stays=0):
    """Run a document on mocks: a store in memory, a virtual clock, effects by script."""
    clock = VirtualClock()
    scripted = ScriptedPerformer(*rules, clock=clock)
    cast = Cast(dict.fromkeys(SCRIPTED, scripted), clock, vault or FakeVault(), programs)
    if programs:
        del cast.performers["workflow"]
    return asyncio.run(played(MemoryStore(), cast, program_of(text), given, events, stays))
