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
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.jq import LANGUAGE
from dirigent.lang.schema import SCHEMAS
from dirigent.lang.workflow.calls.kinds import CALLS
from dirigent.lang.workflow.calls.runs import RUNS
from dirigent.lang.workflow.document import read_naked
from dirigent.model.ids import RunId
from dirigent.model.run.start import Start
from dirigent.tasks.oracle import JqOracle
from dirigent.testing import FakeVault, MemoryStore, ScriptedPerformer, VirtualClock

TOOLS = Tools(LANGUAGE, SCHEMAS)
RUN = RunId("run-1")
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
    try:
        await engine.open()
        yield engine
    finally:
        # The worker is a process; nothing of a run is in it.
        await oracle.close()


async def played(store, cast, program, given=None, events=()):
    """Run a program to its end in one life."""
    async with life(store, cast) as engine:
        await engine.start(Start(RUN, program, {} if given is None else given))
        for event in events:
            await engine.events.take([event])
        end = await asyncio.wait_for(engine.wait(RUN), 60)
        await engine.close()
    facts = await store.read(RUN)
    return Played(await store.definition(facts[0].definition), end.phase, end.output, end.fault, facts)


def probe(text, given=None, *rules, vault=None, programs=(), events=()):
    """Run a document on mocks: a store in memory, a virtual clock, effects by script."""
    clock = VirtualClock()
    scripted = ScriptedPerformer(*rules, clock=clock)
    cast = Cast(dict.fromkeys(SCRIPTED, scripted), clock, vault or FakeVault(), programs)
    if programs:
        del cast.performers["workflow"]
    return asyncio.run(played(MemoryStore(), cast, program_of(text), given, events))
