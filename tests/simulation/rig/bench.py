"""Universe, disk, world, engines and places: what one seed is made of, before anybody acts."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from core.simulation import answer
from dirigent.engine.children import WorkflowPerformer
from dirigent.engine.conductor import LocalConductor
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.engine.schedules.keeping import SchedulePerformer
from dirigent.model.fault import EXPRESSION, Fault
from dirigent.model.ids import digest_of
from dirigent.model.problem import refuse
from dirigent.model.queue import Limits, Queue
from dirigent.stores import codec
from dirigent.testing import Dice, FakeVault, SimulatedDisk, SimulatedStore, Universe, UniverseClock
from dirigent.testing.virtual import EPOCH
from simulation.rig.code import improvised, improvised_child
from simulation.rig.document import lowered
from simulation.rig.folds import AUTHORS, TOOLS, failure_of
from simulation.rig.history import History
from simulation.rig.outcomes import CANARY, Outcomes, kind_of
from simulation.rig.world import World, WorldPerformer

LEASE = 1.5
# The queue of runs and that of effects, and how many each lets go at once.
RUNS, EFFECTS = "runs", "effects"
# The run of a schedule: those that go on with it count on.
BEAT = "beat/1"
QUEUES = {name: Queue(name, Limits(number)) for name, number in ((RUNS, 1), (EFFECTS, 2))}


@dataclass(frozen=True)
class Parts:
    """What a planted fault exchanges: each takes the sound part and gives another one.

    Without `probed` no stale write is tried at the end, so that only what engines do can give a fault away.
    `core` are functions of the core that are exchanged: the module, the name, and what stands for it.
    """

    store: object = SimulatedStore
    performer: object = lambda sound: sound
    effects: object = lambda sound: sound
    vault: object = FakeVault
    clock: object = lambda sound: sound
    program: object = lambda sound: sound
    engine: object = lambda sound: sound
    probed: bool = True
    queues: object = None
    keeper: object = lambda sound: sound
    core: tuple = ()


SOUND = Parts()


@dataclass(eq=False)
class Life:
    """One engine in its process. `open` is true once it has taken up what it found."""

    number: int
    process: object
    store: object = None
    engine: object = None
    open: bool = False
    failed: bool = False


@dataclass
class Worker:
    """Fits `ports.Oracle`: answers, slowly, or dies and gives faults."""

    passing: object

    async def answer(self, questions):
        if await self.passing("worker") == "dies":
            return tuple(Fault(EXPRESSION, 400, "The worker died") for _ in questions)
        return tuple(answer(question) for question in questions)


@dataclass
class Bench:
    """Universe, disk, world and the places: what one seed is made of, before anybody acts."""

    plan: object
    parts: object = SOUND
    traced: bool = False
    trace: list = field(default_factory=list)
    passed: Counter = field(default_factory=Counter)
    struck: Counter = field(default_factory=Counter)
    lives: list = field(default_factory=list)
    asleep: int = 0

    def __post_init__(self):
        plan = self.plan
        self.universe = Universe(Dice(plan.seed, "order") if plan.shuffled else None)
        self.jitter = Dice(plan.seed, "jitter") if plan.shuffled else None
        self.clock = UniverseClock(self.universe)
        self.disk = SimulatedDisk()
        self.history = History(self.disk, self.universe, QUEUES)
        self.outcomes = Outcomes(plan.seed)
        self.world = World(self.universe, self.outcomes, self.fate, self.say, self.intended, self.wanted)
        self.programs, self.catalogue = plan.programs()
        self.drawn = {program.name: program for program in (*self.programs, *self.catalogue.values())}
        written = plan.shape.written
        self.given = {name: lowered(each) if written else each for name, each in self.drawn.items()}
        self.faults = {(fault.place, fault.number): fault for fault in plan.faults}
        self.coded = {digest_of(codec.encode(each.program)) for each in (improvised, improvised_child)}
        self.has_steps = any(fault.place == "step" for fault in plan.faults)
        if self.has_steps:
            self.universe.before = self.step

    def say(self, who, *words):
        if self.traced:
            self.trace.append((self.universe.now - EPOCH, who, words))

    # -- places ---------------------------------------------------------------------------------

    def due(self, place):
        """The fault that strikes at this time of a place, if one does."""
        self.passed[place] += 1
        fault = self.faults.get((place, self.passed[place]))
        if fault is not None:
            self.struck[place, fault.what] += 1
        return fault

    async def passing(self, life, place, detail=""):
        """A place that an engine passes: it may die here, sleep, wait, or be refused."""
        if place == "effect before":
            self.history.law("an engine that has failed begins nothing", not failure_of(life.engine), detail)
        if self.jitter is not None:
            # How many rounds of its loop an answer takes is nobody's promise.
            for _ in range(self.jitter.below(3)):
                await asyncio.sleep(0)
        fault = self.due(place)
        if fault is None and life.number > 1 and not life.open:
            fault = self.due(f"opening {place}")
        if fault is None or not life.process.alive:
            return None
        self.say(f"engine {life.number}", f"{fault.what} at {place} {detail} (time {fault.number})")
        match fault.what:
            case "crash" | "pause" | "takeover":
                self.strike(life, fault)
                await life.process.create_future() if fault.what == "crash" else await self.clock.sleep_until(
                    self.universe.now + 1e-6
                )
            case "slow":
                await self.clock.sleep_until(self.universe.now + fault.seconds)
            case "refused":
                raise refuse("E5011", f"the disk is full, says the simulation at {place}", "wait")
        return fault.what

    def step(self, process):
        """Before each callback of an engine: it may die or sleep between any two."""
        life = next((life for life in self.lives if life.process is process), None)
        fault = self.due("step") if life is not None else None
        if fault is not None:
            self.say(f"engine {life.number}", f"{fault.what} before callback {fault.number}")
            self.strike(life, fault)

    def fate(self, order):
        fault = self.due("request")
        if fault is not None:
            self.say("world", f"{fault.what}: {order.position} attempt {order.attempt}")
        return None if fault is None else fault.what

    def intended(self, order):
        """An effect begins in the world."""
        self.history.catch_up(self.committed)
        known = (order.position, order.attempt) in self.history.intents[order.run]
        if kind_of(order.request) == "pure" and not known:
            self.history.checked["what may be repeated runs ahead"] += 1
        else:
            self.history.law("no effect begins before its intent is durable", known, order)

    def wanted(self, order):
        """An effect happens in the world; it was sent by an engine that was the newest then."""
        self.history.catch_up(self.committed)
        over = (order.position, order.attempt) in self.history.abandoned[order.run]
        self.history.law("what was abandoned does not happen any more", not over, order)

    def committed(self, commit):
        if self.traced:
            for fact in commit.facts:
                self.say(f"engine {commit.epoch}", commit.run, fact)

    def strike(self, life, fault):
        later = self.world.process.call_later
        if fault.what == "crash":
            life.process.kill()
            if life is self.lives[-1]:
                outage = fault.seconds if fault.place == "outage" else fault.seconds / 4
                later(0.1 + outage, self.reopen, life)
            return
        life.process.paused = True
        self.asleep += 1
        later(fault.seconds, self.wake, life)
        if fault.what == "takeover":
            later(LEASE, self.reopen, life)

    def wake(self, life):
        self.asleep -= 1
        life.process.paused = False
        self.say(f"engine {life.number}", "wakes")

    # -- engines --------------------------------------------------------------------------------

    def reopen(self, after=None):
        """Open the next engine, unless one came meanwhile."""
        if after is None or after is self.lives[-1]:
            self.open()

    def open(self):
        number = len(self.lives) + 1
        life = Life(number, self.universe.process(f"engine {number}"))
        self.lives.append(life)
        self.say(f"engine {number}", "opens")
        passing, parts = partial(self.passing, life), self.parts
        life.store = parts.store(self.disk, passing)
        clock = parts.clock(self.clock)
        ahead = self.plan.seed % 2 == 1
        performer = parts.performer(WorldPerformer(self.world, passing, self.clock, life, ahead))
        performers = {"http": performer, "shell": performer, "python": performer}
        vault = parts.vault({"canary": CANARY})
        effects = parts.effects(Effects(performers, Worker(passing), vault, clock))
        life.engine = parts.engine(
            Engine(life.store, life.store, effects, TOOLS, clock, declared=parts.queues or QUEUES)
        )
        performers["workflow"] = WorkflowPerformer(life.engine, self.find, self.nothing)
        told = (life.store, life.store, clock, TOOLS.language, effects.oracle)
        keeper = SchedulePerformer(LocalConductor(life.engine, life.store), *told)
        performers["schedule"] = parts.keeper(keeper)
        life.engine.observers.append(partial(self.heard, life))
        life.process.create_task(life.engine.open()).add_done_callback(partial(self.opened, life))

    def find(self, namespace, name, version):
        return AUTHORS.program(name) if ":" in name else self.given.get(name)

    async def nothing(self):
        return {}
