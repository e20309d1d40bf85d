"""Engines, stores and performers that are wrong on purpose: each must be found out within so many seeds."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, replace

from dirigent.core import replay as replaying
from dirigent.core.control import overruling
from dirigent.core.nodes.events import listen
from dirigent.engine.crew import Crew
from dirigent.engine.effects import Effects
from dirigent.engine.schedules import keeping
from dirigent.engine.schedules.state import timely
from dirigent.engine.turning import Turning
from dirigent.model.fault import RUNTIME, Fault
from dirigent.model.program import Graph, Loop, Sequence, Try
from dirigent.model.queue import Limits, Queue
from dirigent.model.run.effect import Done
from dirigent.model.run.journal import Abandoned, Ended, Failed, Intended, Succeeded
from dirigent.ports import AWAKE, Past
from dirigent.testing import FakeVault, SimulatedStore
from dirigent.testing.virtual import EPOCH
from simulation.rig.bench import QUEUES, Parts
from simulation.rig.outcomes import redacted

# A wait that is longer than this leaves memory.
LONG = 5.0


@dataclass
class Wrapped:
    """Passes on what it does not change."""

    sound: object

    def __getattr__(self, name):
        return getattr(self.sound, name)


# -- stores -------------------------------------------------------------------------------------------


class AnswersTooEarly(SimulatedStore):
    """Acknowledges an append before its commit."""

    async def append(self, run, expected, facts, wake_at=AWAKE, tells=()):
        self._writer = asyncio.ensure_future(super().append(run, expected, facts, wake_at, tells))
        await asyncio.sleep(0)


class ActsOnIntents(SimulatedStore):
    """Acknowledges a lone intent before its commit, and only that."""

    async def append(self, run, expected, facts, wake_at=AWAKE, tells=()):
        if all(isinstance(fact, Intended) for fact in facts):
            self._early = asyncio.ensure_future(super().append(run, expected, facts, wake_at, tells))
            await asyncio.sleep(0)
        else:
            await super().append(run, expected, facts, wake_at, tells)


class AnswersTheNext(SimulatedStore):
    """Group commit that acknowledges, with a batch, what has queued up behind it."""

    def answer(self, batch, refused):
        super().answer(batch, refused)
        super().answer(self._queue, {})


class Unfenced(SimulatedStore):
    """Writes whoever else has opened the disk."""

    def _check(self):
        self._open()


class Unordered(SimulatedStore):
    """Writes at the end, whatever the writer has seen."""

    def commit(self, run, expected, facts, wake_at=AWAKE):
        super().commit(run, len(self.disk.journals.get(run, ())), facts, wake_at)


class CountsAttempts(SimulatedStore):
    """Reads a journal as an engine does that counts starts: one without a result was an attempt."""

    def __init__(self, disk, passing):
        super().__init__(disk, passing)
        self.invented = defaultdict(int)

    async def recall(self, runs):
        found = await super().recall(runs)
        return [self.counted(run, past) for run, past in zip(runs, found, strict=True)]

    async def read(self, run, since=0):
        return self.counted(run, Past(await super().read(run, since))).facts

    def counted(self, run, past):
        facts, begun = past.facts, {}
        for fact in facts:
            if isinstance(fact, Intended):
                begun[fact.position, fact.attempt] = fact
            elif hasattr(fact, "position"):
                begun.pop((fact.position, fact.attempt), None)
        if not facts or isinstance(facts[-1], Ended):
            return past
        crashed = Fault(RUNTIME, 500, "The engine crashed")
        burnt = [Failed(facts[-1].at, *key, crashed) for key in begun]
        self.invented[run] = len(burnt)
        return replace(past, facts=[*facts, *burnt])

    async def append(self, run, expected, facts, wake_at=AWAKE, tells=()):
        await super().append(run, expected - self.invented[run], facts, wake_at, tells)


# -- effects ------------------------------------------------------------------------------------------


class RecordsTheResultFirst(Wrapped):
    """Says that an effect happened, then lets it happen."""

    async def perform(self, run, command, *, doubtful):
        if command.function == "workflow":
            return await self.sound.perform(run, command, doubtful=doubtful)
        if not doubtful:
            self.late = asyncio.ensure_future(self.sound.perform(run, command, doubtful=False))
        outcomes = next(iter(self.sound.performers.values())).world.outcomes
        outcome = outcomes.of(run.id, command.position, command.attempt)
        if not isinstance(outcome, Done):
            return await self.sound.perform(run, command, doubtful=doubtful)
        now = self.sound.clock.now()
        return (Succeeded(now, command.position, command.attempt, redacted(outcome.output)),)


class TakesWhatItStopped(Wrapped):
    """Records a result for an effect that it abandoned."""

    async def abandon(self, run, command):
        await self.sound.abandon(run, command)
        return (Succeeded(self.sound.clock.now(), command.position, command.attempt, {"n": 1}),)


class LeavesItRunning(Wrapped):
    """Records that an effect was abandoned, and lets it run."""

    async def abandon(self, run, command):
        performers = {name: Idle() for name in self.sound.performers}
        idle = Effects(performers, self.sound.oracle, self.sound.vault, self.sound.clock)
        return await idle.abandon(run, command)


class Idle:
    async def abandon(self, order):
        """Do nothing."""


class AnotherKey(Wrapped):
    """Sends each attempt under a key of its own."""

    async def perform(self, order):
        return await self.sound.perform(replace(order, id=f"{order.id}-{order.attempt}"))

    async def abandon(self, order):
        await self.sound.abandon(replace(order, id=f"{order.id}-{order.attempt}"))


class AnotherKeyEachLife(Wrapped):
    """Sends every order under a key of the engine that gives it."""

    async def perform(self, order):
        return await self.sound.perform(replace(order, id=f"{order.id}-{self.sound.life.number}"))

    async def abandon(self, order):
        await self.sound.abandon(replace(order, id=f"{order.id}-{self.sound.life.number}"))


class ForgetsDoubt(Wrapped):
    """Does a doubtful order again as if it were new: no look, no question."""

    async def perform(self, order):
        return await self.sound.perform(replace(order, doubtful=False))


class RendersAnew(Wrapped):
    """Sends something else under the same key when it comes again."""

    async def perform(self, order):
        if order.doubtful and "body" in order.request:
            return await self.sound.perform(replace(order, request={**order.request, "body": {"x": "other"}}))
        return await self.sound.perform(order)


# -- the rest -----------------------------------------------------------------------------------------


class OpenVault(FakeVault):
    """Redacts nothing."""

    def redact(self, value):
        return value


class LosesLongTimers(Wrapped):
    """Never wakes who sleeps long: the timer of a run that left memory."""

    async def sleep_until(self, at):
        if at > self.sound.now() + LONG:
            await asyncio.Event().wait()
        await self.sound.sleep_until(at)


class RunsFast(Wrapped):
    """Goes a tenth too fast, so that timers ring early."""

    def now(self):
        return EPOCH + (self.sound.now() - EPOCH) * 1.1

    async def sleep_until(self, at):
        await self.sound.sleep_until(EPOCH + (at - EPOCH) / 1.1)


def without_needs(program):
    """The program with the edges of its graphs turned round: dependents go first."""
    return replace(program, root=turned(program.root))


def turned(task):
    node = task.node
    match node:
        case Graph(tasks, needs):
            back = {name: tuple(other for other in needs if name in needs[other]) for name in needs}
            node = replace(node, tasks=tuple(map(turned, tasks)), needs=back)
        case Sequence(tasks):
            node = Sequence(tuple(map(turned, tasks)))
        case Loop(body=body):
            node = replace(node, body=Sequence(tuple(map(turned, body.tasks))))
        case Try(body=body):
            node = replace(node, body=Sequence(tuple(map(turned, body.tasks))))
    return replace(task, node=node)


# -- an engine that has failed ------------------------------------------------------------------------

TURN = Turning.go


def waits_for_nobody(turning, live):
    """Whoever brings something to a run whose turn broke off waits for ever."""
    if not live.turning:
        TURN(turning, live)


def goes_on(crew):
    """An engine that has failed turns runs all the same."""


# -- events, people, schedules ------------------------------------------------------------------------


@dataclass
class Present(Wrapped):
    """A log of events without a past: what came while no engine was up is not in it."""

    since: float

    async def events(self, since, after, limit, types=None):
        found = await self.sound.events(since, after, limit, types)
        return [each for each in found if each.at >= self.since]


def without_a_past(engine):
    engine.events.log = Present(engine.events.log, engine.clock.now())
    return engine


def deaf_children(engine):
    """Children are not told what their parents are told."""

    async def nothing(run, fact):
        """Say nothing."""

    engine.following.tell = nothing
    return engine


def counts_again(run, ask, fact):
    """An event counts, whoever of the run had it before."""
    return True


def forgets(run, fact):
    """Keep nothing of the attempts that a person took back."""


def works_all_the_same(run, fact):
    """What is passed over ends with nothing, as if it had been done."""
    overruling.overrule(run, replace(fact, answer="output"))


def gives_nothing(run, fact):
    """What a person says that a task gave is lost."""
    overruling.overrule(run, replace(fact, output=None))


def only_effects(run, fact):
    """A listener that ceased because of a failure that is taken back is taken for over."""
    ask = run.asks.get(replaying.key_of(fact))
    return isinstance(fact, Abandoned) and ask is not None and ask.frame is not None


async def forgotten(order, wanted, due_at, stores):
    """A turn of a schedule that is made again knows nothing of the first time."""
    return wanted[2]


@dataclass
class NamesItself(Wrapped):
    """A schedule whose runs have the name of the engine that starts them, not only of their time."""

    life: int

    async def perform(self, order):
        conductor = Renaming(self.sound.conductor, self.life)
        return await replace(self.sound, conductor=conductor).perform(order)


@dataclass
class Renaming(Wrapped):
    """Starts each run under another name."""

    life: int

    async def start(self, start):
        return await self.sound.start(replace(start, id=f"{start.id}.{self.life}"))


def names_itself(sound):
    return NamesItself(sound, sound.shelf.epoch)


def all_the_same(schedule, name, due, *rest):
    """What is late is begun, whatever the rule."""
    return timely(replace(schedule, misfire="all"), name, due, *rest)


def drops(schedule, name, due, *rest):
    """Of several times that are due only the last one runs, whatever the rule."""
    return timely(replace(schedule, misfire="last"), name, due, *rest)


def scheduled(plan):
    """A seed with a schedule."""
    return any(entry.schedule is not None for entry in plan.runs)


def taken_back(plan):
    """A seed with events in which somebody has a run go on that failed."""
    return plan.shape.eventful and any(word.what.startswith("retry") for word in plan.words)


def with_children(plan):
    """A seed with children, whose parents are told something."""
    return bool(plan.shape.children and plan.words)


def opening(plan):
    """A seed in which an opening is slow, and is refused something."""
    kinds = {fault.what for fault in plan.faults if fault.place.startswith("opening")}
    return {"slow", "refused"} <= kinds


def any_seed(plan):
    """Every seed."""
    return True


# The seeds that can give a rare fault away at all: the others need not be played.
ONLY = {
    "who ceased to listen is forgotten": taken_back,
    "a child does not follow its parent": with_children,
    "who comes to an engine that has failed is not told": opening,
    "an engine that has failed goes on": opening,
    "a turn that is made again forgets its run": scheduled,
    "a time of a schedule is started by each engine": scheduled,
    "what was missed is run": scheduled,
    "a time of a schedule is dropped": scheduled,
}

# Each queue lets go one more than is declared.
GENEROUS = {name: Queue(name, Limits(queue.limits.concurrency + 1)) for name, queue in QUEUES.items()}

# The name of each planted fault, what is exchanged for it, and how many seeds it may escape at most.
PLANTS = {
    "acknowledges before the commit": (Parts(store=AnswersTooEarly), 50),
    "the fence is not checked": (Parts(store=Unfenced, probed=False), 300),
    "the expected position is ignored": (Parts(store=Unordered), 50),
    "a group commit acknowledges the wrong batch": (Parts(store=AnswersTheNext), 3000),
    "acts before the intent is durable": (Parts(store=ActsOnIntents), 1000),
    "attempts are counted, not recorded": (Parts(store=CountsAttempts), 200),
    "the result is recorded before the effect": (Parts(effects=RecordsTheResultFirst), 500),
    "the result of a cancelled effect is taken": (Parts(effects=TakesWhatItStopped), 500),
    "an abandoned effect goes on": (Parts(effects=LeavesItRunning), 100),
    "the key changes with the attempt": (Parts(performer=AnotherKey), 3000),
    "the key changes with the engine": (Parts(performer=AnotherKeyEachLife), 1000),
    "doubt is forgotten": (Parts(performer=ForgetsDoubt), 1000),
    "the request is rendered anew": (Parts(performer=RendersAnew), 1000),
    "secrets are not redacted": (Parts(vault=OpenVault), 100),
    "a timer is lost when its run leaves memory": (Parts(clock=LosesLongTimers), 200),
    "timers ring early": (Parts(clock=RunsFast), 200),
    "a queue lets go one too many": (Parts(queues=GENEROUS), 500),
    "what depends goes first": (Parts(program=without_needs), 200),
    "what came while no engine was up is lost": (Parts(engine=without_a_past), 2000),
    "an event counts twice": (Parts(core=((listen, "takes", counts_again),)), 500),
    "a retry forgets the attempts before it": (Parts(core=((replaying, "remember", forgets),)), 500),
    "what is skipped counts as done": (Parts(core=((replaying, "overrule", works_all_the_same),)), 500),
    "what a person gave is lost": (Parts(core=((replaying, "overrule", gives_nothing),)), 500),
    "who ceased to listen is forgotten": (Parts(core=((replaying, "_wanted", only_effects),)), 4000),
    "a child does not follow its parent": (Parts(engine=deaf_children), 1000),
    "a turn that is made again forgets its run": (Parts(core=((keeping, "recalled", forgotten),)), 5000),
    "a time of a schedule is started by each engine": (Parts(keeper=names_itself), 1000),
    "who comes to an engine that has failed is not told": (
        Parts(core=((Turning, "go", waits_for_nobody),)),
        15_000,
    ),
    "an engine that has failed goes on": (Parts(core=((Crew, "check", goes_on),)), 6000),
    "what was missed is run": (Parts(core=((keeping, "timely", all_the_same),)), 2000),
    "a time of a schedule is dropped": (Parts(core=((keeping, "timely", drops),)), 6000),
}
