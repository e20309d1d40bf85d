"""One seed: engines one after the other and at the same time, on one disk, in one world, under one clock.

Clients ask until they are answered, people answer what is held, an operator replaces engines that died.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from functools import partial

from core.simulation import answer
from dirigent.engine.children import WorkflowPerformer
from dirigent.engine.effects import Effects
from dirigent.engine.engine import Engine
from dirigent.model.fault import EXPRESSION, Fault
from dirigent.model.ids import RunId, digest_of
from dirigent.model.problem import Refusal, refuse
from dirigent.model.queue import Limits, Queue
from dirigent.model.run.effect import Done
from dirigent.model.run.journal import (
    CancelRequested,
    Repeated,
    Resumed,
    Signalled,
    Skipped,
    Suspended,
    Vouched,
)
from dirigent.model.run.start import Start
from dirigent.model.run.ticket import Ticket
from dirigent.stores import codec
from dirigent.testing import Dice, FakeVault, SimulatedDisk, SimulatedStore, Universe, UniverseClock
from dirigent.testing.virtual import EPOCH
from simulation.rig.code import improvised, improvised_child
from simulation.rig.document import lowered
from simulation.rig.folds import AUTHORS, TOOLS, held_by, state_of
from simulation.rig.history import History
from simulation.rig.outcomes import CANARY, Outcomes, kind_of, redacted
from simulation.rig.world import World, WorldPerformer

DEADLINE = 4_000.0
STEPS_MAX = 40_000
LEASE = 1.5
LOOK = 4.0
# Held effects are answered when nothing that was sent can still arrive; suspended runs go on at last.
PATIENCE = 9.0
HEALED = 60.0
# The queue of runs and that of effects, and how many each lets go at once.
RUNS, EFFECTS = "runs", "effects"
QUEUES = {name: Queue(name, Limits(number)) for name, number in ((RUNS, 1), (EFFECTS, 2))}
# What a run answers to a word that it cannot take.
UNFIT = {"E4003", "E4004"}


@dataclass(frozen=True)
class Parts:
    """What a planted fault exchanges: each takes the sound part and gives another one.

    Without `probed` no stale write is tried at the end, so that only what engines do can give a fault away.
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
        drawn = {program.name: program for program in (*self.programs, *self.catalogue.values())}
        self.given = {name: lowered(each) for name, each in drawn.items()} if plan.shape.written else drawn
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
        if self.jitter is not None:
            # How many rounds of its loop an answer takes is nobody's promise.
            for _ in range(self.jitter.below(3)):
                await asyncio.sleep(0)
        fault = self.due(place)
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
                later(0.1 + fault.seconds / 4, self.reopen, life)
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
        life.engine.observers.append(partial(self.heard, life))
        life.process.create_task(life.engine.open()).add_done_callback(partial(self.opened, life))

    def find(self, namespace, name, version):
        return AUTHORS.program(name) if ":" in name else self.given.get(name)

    async def nothing(self):
        return {}


@dataclass
class Clients(Bench):
    """Those who start runs and wait for them. `acknowledged` are the runs whose start was answered."""

    acknowledged: set = field(default_factory=set)
    answers: dict = field(default_factory=dict)
    unheard: list = field(default_factory=list)
    states: dict = field(default_factory=dict)
    finished: bool = False
    why: str = ""

    def run_id(self, number):
        return RunId(f"run-{number}")

    def ask(self, life, work, then):
        """Have an engine do something; `then` gets what it gives. One that fails is replaced."""

        def done(task):
            if not life.process.alive or task.cancelled():
                return
            failure = task.exception()
            if failure is None or (isinstance(failure, Refusal) and failure.problems[0].code in UNFIT):
                then(failure, None if failure else task.result())
            else:
                self.failed(life, failure)

        life.process.create_task(work).add_done_callback(done)

    def opened(self, life, task):
        if not life.process.alive or task.cancelled():
            return
        if task.exception() is not None:
            self.failed(life, task.exception())
            return
        life.open = True
        if life.engine.left_out:
            # It says which runs it could not read; whoever runs it starts it again.
            self.failed(life, next(iter(life.engine.left_out.values())))
            return
        for number, entry in enumerate(self.plan.runs):
            if EPOCH + entry.at <= self.universe.now:
                self.begin(number)
        for word in [word for word in self.unheard if EPOCH + word.at <= self.universe.now]:
            self.unheard.remove(word)
            self.speak(word)

    def begin(self, number):
        """Ask for a run until somebody says that it is there, then wait for its end."""
        life, run = self.lives[-1], self.run_id(number)
        if not life.open or life.failed:
            return
        if run in self.acknowledged:
            if run not in self.answers:
                self.ask(life, life.engine.wait(run), partial(self.ended, run))
            return
        entry = self.plan.runs[number]
        ticket = Ticket(RUNS, number % 2) if entry.queued else None
        if entry.coded is None:
            program, given = self.parts.program(self.given[f"p{entry.program}"]), entry.given
        else:
            program, given = improvised.program, improvised.given(entry.coded)
        start = Start(run, program, given, {"doubt": entry.policy}, ticket=ticket)
        self.ask(life, life.engine.start(start), partial(self.started, life, number))

    def started(self, life, number, refused, _):
        run = self.run_id(number)
        self.history.law("an acknowledged start is durable", run in self.disk.journals, run)
        if run not in self.acknowledged:
            self.acknowledged.add(run)
            self.say("client", f"is told that {run} is there")
        self.ask(life, life.engine.wait(run), partial(self.ended, run))

    def ended(self, run, refused, end):
        self.history.catch_up(self.committed)
        self.history.law("an end that is told is durable", self.history.ends.get(run) == end, end)
        self.answers[run] = end

    def failed(self, life, failure):
        """An engine that says that it failed is left alone for a moment, then ended and replaced."""
        if life.failed:
            return
        life.failed = True
        self.say(f"engine {life.number}", f"fails: {failure}")
        if not isinstance(failure, Refusal):
            raise failure
        self.world.process.call_later(0.5, self.bury, life)

    def bury(self, life):
        life.process.kill()
        self.reopen(life)


@dataclass
class People(Clients):
    """Those who say something to runs, and look after what is held."""

    def speak(self, word):
        """Say something to a run; if nobody listens, say it later."""
        life = self.lives[-1]
        if not life.open or life.failed:
            self.unheard.append(word)
            return
        now = self.universe.now
        if word.what == "signal" and self.plan.runs[word.run].coded is None:
            return  # Only code listens.
        facts = {
            "cancel": CancelRequested(now, "enough"),
            "suspend": Suspended(now),
            "resume": Resumed(now),
            "signal": Signalled(now, "go", f"{word.at}", word.run),
        }
        self.tell(self.run_id(word.run), facts[word.what])

    def tell(self, run, fact):
        life = self.lives[-1]
        if not life.open or life.failed:
            return
        self.say("somebody", f"says to {run}:", fact)
        self.ask(life, life.engine.tell(run, fact), partial(self.told, run, fact))

    def told(self, run, fact, refused, _):
        if refused is None:
            self.history.catch_up(self.committed)
            self.history.law("an acknowledged word is durable", fact in self.history.facts[run], fact)

    def look(self):
        """Somebody looks at the list of runs now and then."""
        if self.finished or self.plan.lazy:
            return
        self.world.process.call_later(LOOK, self.look)
        now = self.universe.now
        for run, effects in list(self.history.held.items()):
            for (position, attempt), since in list(effects.items()):
                if now - since >= PATIENCE and run not in self.history.suspended:
                    self.tell(run, self.judged(run, position, attempt))
        if now >= EPOCH + HEALED:
            for run in sorted(self.history.suspended):
                self.tell(run, Resumed(now))

    def judged(self, run, position, attempt):
        """What an honest person says of an effect in doubt: he goes and looks."""
        now, this = self.universe.now, (run, position, attempt)
        if self.world.happened[this]:
            found = self.world.results[this]
            assert isinstance(found, Done)
            return Vouched(now, position, attempt, redacted(found.output))
        coded = self.history.facts[run][0].definition in self.coded
        if not coded and Dice(self.plan.seed, f"{this}").chance(25):
            return Skipped(now, position, attempt)
        return Repeated(now, position, attempt)


@dataclass
class Simulation(People):
    """One seed, played."""

    def play(self):
        """Let it all happen; return why it ended."""
        world = self.world.process
        self.open()
        for number, entry in enumerate(self.plan.runs):
            world.call_later(entry.at, self.begin, number)
        for word in self.plan.words:
            world.call_later(word.at, self.speak, word)
        if ("time", 1) in self.faults:
            fault = self.faults["time", 1]
            world.call_later(fault.seconds, self.by_the_clock, fault)
        world.call_later(LOOK, self.look)
        self.why = self.universe.run(self.over, EPOCH + DEADLINE, STEPS_MAX)
        self.finished = True
        if self.why == "over" and not self.universe.complaints:
            quiet = self.universe.run(self.followed, self.universe.now + HEALED, STEPS_MAX)
            self.why = "busy" if quiet == "busy" else "over"
        for _, complaint in self.universe.complaints:
            raise complaint
        self.history.catch_up(self.committed)
        return self.why

    def followed(self):
        self.history.catch_up(self.committed)
        return False

    def over(self):
        """Everybody has been answered, and every run that is there has ended."""
        history = self.history
        if history.seen < len(self.disk.commits):
            history.catch_up(self.committed)
        return bool(self.universe.complaints) or (
            len(history.ends) == len(history.facts) >= len(self.plan.runs)
            and len(self.acknowledged) == len(self.plan.runs)
            and not self.asleep
            and self.lives[-1].open
            and len(self.answers) == len(self.plan.runs)
        )

    # -- operators ------------------------------------------------------------------------------

    def by_the_clock(self, fault):
        life = self.lives[-1]
        if not life.process.alive or life.process.paused:
            return
        self.struck["time", fault.what] += 1
        self.say(f"engine {life.number}", f"{fault.what}, at this time")
        if fault.what == "rival":
            self.open()
        elif fault.what == "crash":
            self.strike(life, fault)
        else:
            task = life.process.create_task(self.stop(life))
            task.add_done_callback(lambda _: self.bury(life))

    async def stop(self, life):
        await life.engine.settle(3.0)
        await life.engine.close()

    def heard(self, life, run, program, first, facts):
        """An engine tells its observers: never of what is not durable."""
        self.history.catch_up(self.committed)
        known = self.history.facts[run][first : first + len(facts)]
        self.history.law("nobody is told before it is durable", known == list(facts), lambda: (known, facts))
        if self.plan.seed % 4 == 0:
            run_now = held_by(life.engine, run)
            if run_now is not None and run_now.facts == first + len(facts):
                self.states.setdefault(run, {})[run_now.facts] = state_of(run_now)
