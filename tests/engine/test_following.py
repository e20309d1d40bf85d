"""Children are suspended and resumed with their parents, once, through crashes. Queues pass the suspended."""

import asyncio
from dataclasses import dataclass, field

import pytest

from core.simulation import RUN
from dirigent.engine.children import WorkflowPerformer
from dirigent.engine.family.following import Following
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Done
from dirigent.model.run.journal import CancelRequested, Created, Ended, Intended, Resumed, Suspended
from dirigent.model.run.start import Start
from dirigent.model.run.ticket import Ticket
from dirigent.testing import Crash, MemoryStore, Rule
from engine.fleet import Fleet, queue, starts
from engine.harness import Case, Outside
from engine.workflows import document

STEPS = document("do: [{a: {run: {shell: {command: a}}}}, {b: {run: {shell: {command: b}}}}]")
MIDDLE = document("do: [{sub: {run: {workflow: {namespace: tests, name: steps, version: 1.0.0}}}}]")
TOP = document("do: [{sub: {run: {workflow: {namespace: tests, name: middle, version: 1.0.0}}}}]")
PROGRAMS = {"steps": STEPS, "middle": MIDDLE}


class Generations(Outside):
    """Three runs, each a step of the one before; `a` and `b` take ten seconds each."""

    def engine(self):
        engine = super().engine()

        async def nothing():
            return {}

        performer = WorkflowPerformer(engine, lambda space, name, version: PROGRAMS.get(name), nothing)
        engine.effects.performers["workflow"] = performer
        return engine

    def runs(self):
        async def read():
            store = MemoryStore(self.disk)
            found = sorted(await store.runs(), key=lambda each: (each.created_at, each.id != RUN))
            return {each.id: await store.read(each.id) for each in found}

        journals = asyncio.run(read())
        by_parent = {facts[0].parent: run for run, facts in journals.items()}
        line = [by_parent[None]]
        while line[-1] in by_parent:
            line.append(by_parent[line[-1]])
        return [journals[run] for run in line]


def generations(*people, deaths=()):
    rules = (Rule(answers=(Done("ok"),), seconds=10),)
    return Generations(Case(TOP, rules, people=people), deaths=deaths)


def words(facts):
    return [type(fact).__name__ for fact in facts if isinstance(fact, Suspended | Resumed | CancelRequested)]


SUSPENDED = (
    (4.0, lambda at, held: Suspended(at, "lunch", "ana")),
    (100.0, lambda at, held: Resumed(at, "", "ana")),
)


def test_all_below_a_suspended_run_begin_nothing_until_it_is_resumed():
    outside = generations(*SUSPENDED)
    assert outside.live().phase == "completed"
    for facts in outside.runs():
        assert words(facts) == ["Suspended", "Resumed"]
    *_, steps = outside.runs()
    begun = [fact.at for fact in steps if isinstance(fact, Intended)]
    assert begun == [0.0, 100.0]
    suspended = next(fact for fact in steps if isinstance(fact, Suspended))
    assert (suspended.reason, suspended.by) == ("lunch", "ana")


@pytest.mark.slow
def test_a_crash_anywhere_parts_no_child_from_its_parent():
    calm = generations(*SUSPENDED)
    ended = calm.live()
    for first in range(1, calm.places[-1] + 1):
        for second in ((), (3,)):
            outside = generations(*SUSPENDED, deaths=(first, *second))
            assert outside.live() == ended, first
            assert outside.happened == calm.happened
            *_, steps = outside.runs()
            inside = [f for f in steps if isinstance(f, Intended) and 4.0 < f.at < 100.0]
            assert not inside, first
            assert [len(words(facts)) for facts in outside.runs()] == [2, 2, 2], first


def test_a_child_that_a_person_suspended_stays_suspended_when_its_parent_goes_on():
    outside = generations()

    async def life():
        engine = outside.engine()
        await engine.open()
        await engine.start(Start(RUN, TOP))
        await outside.clock.sleep_until(1.0)
        child = next(each.id for each in await engine.shelf.runs() if each.parent == RUN)
        await engine.tell(child, Suspended(1.0))
        for at, word in ((2.0, Suspended(2.0)), (3.0, Resumed(3.0))):
            await outside.clock.sleep_until(at)
            await engine.tell(RUN, word)
        await outside.clock.sleep_until(50.0)
        phase = (await engine.shelf.run(child)).phase
        await engine.tell(child, Resumed(50.0))
        ended = await engine.wait(RUN)
        await engine.close()
        return phase, ended.phase

    assert asyncio.run(asyncio.wait_for(life(), 20)) == ("suspended", "completed")


def test_a_child_that_a_person_resumed_goes_on_although_an_engine_opens_again():
    outside = generations()

    async def first():
        engine = outside.engine()
        await engine.open()
        await engine.start(Start(RUN, MIDDLE))
        await outside.clock.sleep_until(1.0)
        child = next(each.id for each in await engine.shelf.runs() if each.parent == RUN)
        await engine.tell(RUN, Suspended(1.0))
        await outside.clock.sleep_until(2.0)
        await engine.tell(child, Resumed(2.0))
        await engine.close()
        return child

    async def second(child):
        engine = outside.engine()
        await engine.open()
        await engine.wait(child)
        await engine.close()
        return words(await engine.journal.read(child)), (await engine.shelf.run(RUN)).phase

    child = asyncio.run(asyncio.wait_for(first(), 20))
    assert asyncio.run(asyncio.wait_for(second(child), 20)) == (["Suspended", "Resumed"], "suspended")


@dataclass(eq=False)
class Forgetful(Following):
    """A planted fault: what an engine before this one was told is not passed on."""

    def take_up(self, run):
        pass


class Parting(Generations):
    def engine(self):
        engine = super().engine()
        engine.following = Forgetful(engine._crew, engine.clock, engine._tell)
        engine._rouser.meet = (engine.queues.take_up, engine.following.take_up)
        return engine


@pytest.mark.parametrize(("kind", "phase"), [(Generations, "suspended"), (Parting, "completed")])
def test_an_engine_that_does_not_say_it_again_is_found(kind, phase):
    place = calm_place("after run-1@2 Suspended")
    outside = kind(Case(MIDDLE, generations().case.rules, people=SUSPENDED[:1]), deaths=(place,))
    with pytest.raises(Crash):
        asyncio.run(asyncio.wait_for(outside.life(), 60))
    outside.fuse.revive()

    async def look():
        engine = outside.engine()
        await engine.open()
        await outside.clock.sleep_until(90.0)
        await engine.close()

    asyncio.run(asyncio.wait_for(look(), 60))
    assert asyncio.run(phase_of_child(outside)) == phase


async def phase_of_child(outside):
    return next(each.phase for each in await MemoryStore(outside.disk).runs() if each.parent == RUN)


def calm_place(name):
    calm = Generations(Case(MIDDLE, generations().case.rules, people=SUSPENDED))
    calm.live()
    return calm.fuse.places.index(name) + 1


# -- queues -------------------------------------------------------------------------------------------


@dataclass
class Waiting(Fleet):
    """Runs in a queue that lets one go at a time, and what is said to them, by time."""

    said: tuple = ()
    refused: list = field(default_factory=list)

    async def life(self):
        engine = self.engine()
        await engine.open()
        try:
            for start in self.starts:
                await engine.start(start)
            for at, run, word in self.said:
                await self.clock.sleep_until(at)
                facts = await engine.journal.read(run)
                if not any(isinstance(fact, type(word)) and fact.at == word.at for fact in facts):
                    await self.say(engine, run, word)
            await asyncio.gather(*(engine.wait(start.id) for start in self.starts))
        finally:
            await engine.close()
            self.places.append(len(self.fuse.places))

    async def say(self, engine, run, word):
        try:
            await engine.tell(run, word)
        except Refusal as refusal:
            self.refused.append((run, type(word).__name__, refusal.problems[0].code))


HALTED = ((1.0, "r01", Suspended(1.0, "wait")), (30.0, "r01", Resumed(30.0)))


def ticketed(*said, deaths=()):
    return Waiting(starts(3, lambda n: Ticket("q")), queue("q"), said=said, deaths=deaths)


def began(fleet, run):
    return next(fact.at for fact in fleet.journals[run] if isinstance(fact, Resumed) and fact.queue == "q")


def test_a_run_that_waits_in_a_queue_can_be_suspended_and_others_go_past_it():
    fleet = ticketed(*HALTED).live()
    assert (began(fleet, "r00"), began(fleet, "r02"), began(fleet, "r01")) == (0.0, 5.0, 30.0)
    assert [type(fact) for fact in fleet.journals["r01"][:4]] == [Created, Suspended, Resumed, Resumed]


def test_to_resume_what_waits_in_a_queue_does_not_let_it_go_past_the_queue():
    fleet = ticketed((1.0, "r02", Resumed(1.0))).live()
    assert fleet.refused == [("r02", "Resumed", "E4003")]
    assert began(fleet, "r02") == 10.0


def test_a_suspended_run_of_a_queue_can_be_cancelled_and_never_begins():
    fleet = ticketed((1.0, "r01", Suspended(1.0)), (2.0, "r01", CancelRequested(2.0))).live()
    facts = fleet.journals["r01"]
    assert isinstance(facts[-1], Ended)
    assert facts[-1].phase == "cancelled"
    assert not any(isinstance(fact, Intended | Resumed) for fact in facts)


@pytest.mark.slow
def test_a_crash_anywhere_lets_nobody_go_who_is_suspended():
    calm = ticketed(*HALTED).live()
    for first in range(1, calm.places[-1] + 1):
        fleet = ticketed(*HALTED, deaths=(first,)).live()
        assert began(fleet, "r01") >= 30.0, first
        assert all(isinstance(facts[-1], Ended) for facts in fleet.journals.values()), first


def test_the_list_of_runs_says_suspended_and_then_queued_again():
    fleet = ticketed()

    async def life():
        engine = fleet.engine()
        await engine.open()
        for start in fleet.starts:
            await engine.start(start)
        shown = []
        for word in (Suspended(1.0), Resumed(2.0)):
            await engine.tell("r02", word)
            shown.append((await engine.shelf.run("r02")).phase)
        await engine.close()
        return shown

    assert asyncio.run(asyncio.wait_for(life(), 20)) == ["suspended", "queued"]
