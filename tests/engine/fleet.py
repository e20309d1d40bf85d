"""Many runs in queues, in a world that survives the engine; what their journals say is judged by the laws."""

import asyncio
from dataclasses import dataclass, field, replace

from core.simulation import TOOLS
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.model.program import Call, Graph, InQueue, Program, Task
from dirigent.model.queue import Limits, Queue, Rate
from dirigent.model.run.journal import Created, Ended, Failed, Intended, Resumed, Succeeded
from dirigent.model.run.start import Start
from dirigent.model.run.ticket import Ticket
from dirigent.testing import (
    Crash,
    FakeVault,
    Fuse,
    FusedStore,
    MemoryDisk,
    MemoryStore,
    Rule,
    ScriptedOracle,
    ScriptedPerformer,
    VirtualClock,
    World,
)
from engine.harness import REAL_SECONDS
from engine.workflows import document

ONE = "do: [{call: {run: {shell: {command: call}}}}, {last: {set: {got: '${ . }'}}}]"


def queue(name, concurrency=1, rate=None):
    return {name: Queue(name, Limits(concurrency, rate and Rate(*rate)))}


def starts(number, ticket, program=None):
    """Runs `r00`, `r01` … in a queue; `ticket` gives the place of each by its number."""
    program = program or document(ONE)
    return [Start(f"r{n:02}", program, None, {"doubt": "repeat"}, ticket=ticket(n)) for n in range(number)]


def of_effects(number, concurrency_of="gpu", keys="ab"):
    """A program whose effects, all wanted at once, wait for one queue."""
    tasks = tuple(
        Task(
            f"t{n}",
            f"/graph/t{n}",
            Call("shell", {"n": n}, waits=InQueue(concurrency_of, key=keys[n % len(keys)])),
        )
        for n in range(number)
    )
    graph = Graph(tasks, {task.name: () for task in tasks}, "seen", width=number)
    return Program("many", "tests", "1.0.0", Task("root", "", graph))


@dataclass
class Fleet:
    """All that is there when no engine is."""

    starts: list
    declared: dict
    deaths: tuple = ()
    rules: tuple = (Rule(seconds=5.0),)
    limits_of: object = lambda declared: declared
    disk: MemoryDisk = field(default_factory=MemoryDisk)
    world: World = field(default_factory=World)
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(0.0, patience=300))
    places: list = field(default_factory=list)

    def __post_init__(self):
        self.fuse = Fuse(*self.deaths)

    def engine(self):
        store = FusedStore(MemoryStore(self.disk), self.fuse)
        performer = ScriptedPerformer(*self.rules, world=self.world, fuse=self.fuse, clock=self.clock)
        performers = dict.fromkeys(("shell", "python"), performer)
        effects = Effects(performers, ScriptedOracle(), FakeVault(), self.clock)
        return Engine(store, store, effects, TOOLS, self.clock, declared=self.declared)

    def live(self):
        while True:
            try:
                asyncio.run(asyncio.wait_for(self.life(), REAL_SECONDS))
            except Crash:
                self.fuse.revive()
            else:
                return self

    async def life(self):
        engine = self.engine()
        await engine.open()
        try:
            ids = [await engine.start(start) for start in self.starts]
            await asyncio.gather(*(engine.wait(run) for run in dict.fromkeys(ids)))
        finally:
            await engine.close()
            self.places.append(len(self.fuse.places))

    @property
    def journals(self):
        async def read():
            store = MemoryStore(self.disk)
            return {run.id: await store.read(run.id) for run in await store.runs(limit=1000)}

        return asyncio.run(read())


def spans(journals, queue):
    """When each run and effect of a queue was under way: begin, end, key and number."""
    found = []
    for run, facts in journals.items():
        created = facts[0]
        assert isinstance(created, Created)
        if created.ticket is not None and created.ticket.queue == queue:
            begin = next(fact.at for fact in facts if isinstance(fact, Resumed))
            found.append((begin, facts[-1].at, created.ticket.key, run))
        for fact in facts:
            if isinstance(fact, Intended) and fact.queue == queue:
                end = next(
                    later.at
                    for later in facts
                    if isinstance(later, Succeeded | Failed) and later.position == fact.position
                )
                found.append((fact.at, end, "", (run, fact.position)))
    return sorted(found, key=lambda each: (each[0], str(each[3])))


def assert_lawful(fleet, queue):
    """Never more under way, and never more begun in a stretch, than the queue says; every run completed."""
    journals, limits = fleet.journals, fleet.declared[queue].limits
    assert {start.id for start in fleet.starts} >= set(journals)
    assert all(isinstance(facts[-1], Ended) and facts[-1].phase == "completed" for facts in journals.values())
    found = spans(journals, queue)
    for begin, _, _, _ in found:
        under_way = [each for each in found if each[0] <= begin < each[1]]
        assert len(under_way) <= limits.concurrency, under_way
        if limits.rate:
            stretch = [each for each in found if begin <= each[0] < begin + limits.rate.seconds]
            assert len(stretch) <= limits.rate.number, stretch
    assert max(fleet.world.effects.values(), default=0) <= 1 + len(fleet.deaths)
    return found


def die_everywhere(make, queue, second=()):
    """Die at every place of a calm life; return how often that was, and what was found each time."""
    calm = make(()).live()
    wanted = [each[3] for each in assert_lawful(calm, queue)]
    for first in range(1, calm.places[-1] + 1):
        for more in [(), *((place,) for place in second)]:
            fleet = make((first, *more)).live()
            order = [each[3] for each in assert_lawful(fleet, queue)]
            assert sorted(map(str, order)) == sorted(map(str, wanted)), (first, more)
    return calm.places[-1]


__all__ = ["Fleet", "Ticket", "assert_lawful", "die_everywhere", "of_effects", "queue", "replace", "starts"]
