"""Each time of a schedule starts one run: through crashes, changes of the clock, overlaps and rest."""

import asyncio
from datetime import UTC, datetime
from itertools import islice

import pytest

from core.simulation import TOOLS, answer
from dirigent.engine.conductor import LocalConductor
from dirigent.engine.schedules import keeping
from dirigent.engine.schedules.keeping import SchedulePerformer
from dirigent.engine.schedules.state import State, timely
from dirigent.lang.schedule.calendar import occurrences, put_off, run_of, stamp
from dirigent.lang.schedule.program import program_of
from dirigent.model.fault import COMMUNICATION, Fault
from dirigent.model.ids import digest_of
from dirigent.model.run.effect import Broken
from dirigent.model.run.journal import CancelRequested, Created, Resumed, Suspended
from dirigent.model.run.schedule import Schedule, as_value, of_value
from dirigent.model.run.start import Start
from dirigent.stores import codec
from dirigent.testing import MemoryStore, Rule, ScriptedOracle, VirtualClock
from engine.harness import Case, Outside
from engine.workflows import document

WORK = document("do: [{a: {run: {shell: {command: a}}}}]")
NAME = "shop.work"
FIRST = "schedule:shop.work/1"
UNENDING = "unending"
TOLD = (TOOLS.language, ScriptedOracle(answer))
ENDLESS = document("do: [{a: {wait: {days: 3000}}}]")


class Scheduled(Outside):
    """A schedule that lives until a time, dying where it is told to, and what is said to it meanwhile."""

    performer = SchedulePerformer

    def of(self, schedule, until, *said, begin=0.0, seconds=1.0):
        self.schedule, self.until, self.said, self.begin = schedule, until, said, begin
        self.clock = VirtualClock(begin, patience=120)
        return self

    def engine(self):
        engine = super().engine()
        conductor = LocalConductor(engine, engine.shelf)
        performer = self.performer(conductor, engine.journal, engine.shelf, self.clock, *TOLD)
        engine.effects.performers["schedule"] = performer
        return engine

    async def life(self):
        engine = self.engine()
        await engine.open()
        await engine.start(Start(UNENDING, ENDLESS))
        await self.activate(engine)
        for at, word in self.said:
            await self.rest(engine, at)
            await self.say(engine, word)
        await self.rest(engine, self.until)
        await engine.close()
        self.places.append(len(self.fuse.places))

    async def say(self, engine, word):
        facts = await engine.journal.read(FIRST)
        if not any(isinstance(fact, type(word)) and fact.at == word.at for fact in facts):
            await engine.tell(FIRST, word)

    async def rest(self, engine, until):
        """Return when the time has come; an engine that dies meanwhile ends this life."""
        asleep = asyncio.ensure_future(self.clock.sleep_until(until))
        never = asyncio.ensure_future(engine.wait(UNENDING))
        done, _ = await asyncio.wait({asleep, never}, return_when=asyncio.FIRST_COMPLETED)
        asleep.cancel()
        never.cancel()
        if never in done:
            never.result()
        engine._crew.check()

    async def activate(self, engine):
        await engine.journal.keep(self.case.program)
        digest = digest_of(codec.encode(self.case.program))
        program = program_of(NAME, self.schedule, digest, {"n": 1}, {})
        await engine.start(
            Start(FIRST, program, {"anchor": self.begin, "considered": self.begin, "last": ""})
        )

    @property
    def began(self):
        """When each run was made, by the time that it is for."""
        return {run.removeprefix(f"{NAME}@"): at for run, (at, _) in self.runs.items() if "@" in run}

    @property
    def runs(self):
        async def read():
            store = MemoryStore(self.disk)
            found = await store.runs(limit=10_000)
            return {run.id: (run.created_at, run.phase) for run in reversed(found)}

        return asyncio.run(read())


def scheduled(schedule, until, *said, begin=0.0, seconds=1.0, deaths=(), program=WORK):
    outside = Scheduled(Case(program, (Rule(seconds=seconds),)), deaths=deaths)
    return outside.of(schedule, until, *said, begin=begin)


def lived(schedule, until, *said, **more):
    outside = scheduled(schedule, until, *said, **more)
    outside.live()
    return outside


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def times(outside):
    return list(outside.began.values())


# -- times --------------------------------------------------------------------------------------------


def test_an_interval_starts_a_run_each_time_so_long_has_passed():
    outside = lived(Schedule(every=10), 45)
    assert times(outside) == [10, 20, 30, 40]


def test_a_run_follows_so_long_after_the_end_of_the_last():
    outside = lived(Schedule(after=10), 40, seconds=4)
    assert times(outside) == [0, 14, 28]


def test_a_run_knows_of_which_time_it_is():
    outside = lived(Schedule(every=10), 15)

    async def read():
        return (await MemoryStore(outside.disk).read(run_of(NAME, 10.0)))[0]

    created = asyncio.run(read())
    assert isinstance(created, Created)
    assert (created.input, created.origin.kind, created.origin.of, created.origin.due) == (
        {"n": 1},
        "schedule",
        NAME,
        10.0,
    )


def test_nothing_occurs_outside_of_the_window_and_the_schedule_ends_with_it():
    outside = lived(Schedule(every=10, start=25, end=45), 100)
    assert times(outside) == [30, 40]
    assert outside.runs[FIRST][1] == "completed"


def test_jitter_puts_each_off_and_always_alike():
    schedule = Schedule(every=100, jitter=60)
    first, second = lived(schedule, 450), lived(schedule, 450)
    assert first.began == second.began
    late = [began - number * 100 for number, began in enumerate(times(first), start=1)]
    assert all(0 <= each <= 60 for each in late)
    assert len(set(late)) == len(late)
    assert list(first.began) == [stamp(at) for at in (100.0, 200.0, 300.0, 400.0)]


@pytest.mark.parametrize(
    ("cron", "begin", "expected"),
    [
        # Berlin goes forward at 01:00 UTC on the 29th: half past two does not exist, and comes once.
        ("30 2 * * *", "2026-03-28T00:00", ["28T01:30", "29T01:00", "30T00:30"]),
        # And back at 01:00 UTC on the 25th: half past two comes twice, and starts one run.
        ("30 2 * * *", "2026-10-24T00:00", ["24T00:30", "25T00:30", "26T01:30"]),
        # Each hour that passes is an hour, in both directions.
        ("0 * * * *", "2026-03-28T23:30", ["29T00:00", "29T01:00", "29T02:00"]),
        ("0 * * * *", "2026-10-24T23:30", ["25T00:00", "25T01:00", "25T02:00"]),
    ],
)
def test_no_time_is_lost_or_comes_twice_when_the_clocks_change(cron, begin, expected):
    schedule = Schedule(cron=cron, zone="Europe/Berlin")
    coming = list(islice(occurrences(schedule, at(begin), 0.0), 3))
    assert [stamp(each)[8:16] for each in coming] == expected
    outside = lived(schedule, coming[-1] + 60, begin=at(begin))
    assert times(outside) == coming


def test_a_cron_expression_may_have_seconds():
    assert list(islice(occurrences(Schedule(cron="*/20 * * * * *"), 0.0, 0.0), 3)) == [20, 40, 60]


@pytest.mark.parametrize("text", ["* * * *", "61 * * * *", "0 0 30 2 *", "nonsense", ""])
def test_what_is_no_cron_expression_is_refused(text):
    with pytest.raises(ValueError, match="no cron expression"):
        list(islice(occurrences(Schedule(cron=text or " ", zone="UTC"), 0.0, 0.0), 1))


# -- overlaps -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overlap", "began", "phases"),
    [
        ("allow", [10, 20, 30, 40], {"completed", "running"}),
        ("skip", [10, 40], {"completed", "running"}),
        ("queue", [10, 35, 60, 85], {"completed", "running"}),
        ("replace", [10, 20, 30, 40], {"cancelled", "running"}),
    ],
)
def test_what_becomes_of_a_run_while_the_one_before_is_open(overlap, began, phases):
    until = 45 if overlap != "queue" else 95
    outside = lived(Schedule(every=10, overlap=overlap, end=40), until, seconds=25)
    # It looks for the end of the run before each second.
    late = [each - when for each, when in zip(times(outside), began, strict=True)]
    assert all(0 <= each <= 4 for each in late)
    assert {phase for run, (_, phase) in outside.runs.items() if "@" in run} <= phases
    if overlap == "replace":
        assert sum(phase == "cancelled" for _, phase in outside.runs.values()) == 3


# -- missed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("misfire", "expected"),
    [("none", [100, 600]), ("last", [100, 570, 600]), ("all", [100, 570, 570, 570, 570, 600])],
)
def test_what_becomes_of_times_at_which_no_engine_ran(misfire, expected):
    outside = scheduled(Schedule(every=100, misfire=misfire), 150)
    outside.live()
    outside.clock = VirtualClock(570.0, patience=120)
    outside.until = 650
    outside.live()
    assert times(outside) == expected
    assert len(outside.began) == len(set(outside.began))


def test_what_is_only_a_little_late_was_not_missed():
    outside = scheduled(Schedule(every=100, misfire="none"), 150)
    outside.live()
    outside.clock = VirtualClock(230.0, patience=120)
    outside.until = 250
    outside.live()
    assert times(outside) == [100, 230]


def test_a_clock_that_is_set_back_starts_nothing_twice():
    outside = scheduled(Schedule(every=100), 350)
    outside.live()
    outside.clock = VirtualClock(120.0, patience=120)
    outside.until = 450
    outside.live()
    assert list(outside.began) == [stamp(each) for each in (100.0, 200.0, 300.0, 400.0)]


# -- people -------------------------------------------------------------------------------------------


def test_what_is_due_while_it_is_paused_is_passed_over():
    outside = lived(Schedule(every=10, misfire="all"), 65, (25.0, Suspended(25.0)), (45.0, Resumed(45.0)))
    assert times(outside) == [10, 20, 50, 60]


def test_a_schedule_that_is_cancelled_starts_nothing_more_and_stops_none_of_its_runs():
    outside = lived(Schedule(every=10), 100, (25.0, CancelRequested(25.0)), seconds=30)
    assert times(outside) == [10, 20]
    assert {phase for run, (_, phase) in outside.runs.items() if "@" in run} == {"completed"}


# -- crashes ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedule", "until"),
    [
        (Schedule(every=10, misfire="all"), 35),
        (Schedule(after=5), 9),
        (Schedule(every=10, overlap="queue", misfire="all", end=20), 45),
        (Schedule(cron="30 2 * * *", zone="Europe/Berlin", misfire="all"), at("2026-10-27T00:00")),
    ],
    ids=["every", "after", "queue", "cron"],
)
def test_a_crash_anywhere_starts_each_time_once(schedule, until):
    begin = at("2026-10-24T00:00") if schedule.cron else 0.0
    seconds = 13 if schedule.overlap == "queue" else 1.0
    calm = lived(schedule, until, begin=begin, seconds=seconds)
    for first in range(1, calm.places[-1] + 1):
        outside = lived(schedule, until, begin=begin, seconds=seconds, deaths=(first,))
        assert list(outside.began) == list(calm.began), first
        assert outside.happened == calm.happened, first
        assert all(outside.runs[run][1] != "faulted" for run in outside.runs), first


class Late(Scheduled):
    """The engine after a death comes when another time is due."""

    lives = 0

    async def life(self):
        self.lives += 1
        if self.lives > 1:
            self.clock.advance(15.0)
        await super().life()


@pytest.mark.slow
@pytest.mark.parametrize("overlap", ["skip", "replace", "queue"])
def test_a_turn_that_is_made_again_knows_the_run_that_it_had_begun(overlap):
    schedule = Schedule(every=10, overlap=overlap, end=20)
    calm = lived(schedule, 12, seconds=500)
    both = 0
    for first in range(1, calm.places[-1] + 1):
        outside = Late(Case(WORK, (Rule(seconds=500),)), deaths=(first,)).of(schedule, 28)
        outside.live()
        phases = [phase for run, (_, phase) in outside.runs.items() if "@" in run]
        assert phases.count("running") == 1, (first, outside.runs)
        both += len(phases) == 2
    assert both == 0 or overlap == "replace"


class Nameless(SchedulePerformer):
    """A planted fault: a run has the name of the moment in which it is started, not of its time."""

    async def _start(self, request, run, at):
        self.counter.append(at)
        return await super()._start(request, f"{run}-{len(self.counter)}", at)


def test_a_schedule_that_names_its_runs_otherwise_is_found():
    counter = []

    class Planted(Scheduled):
        def engine(self):
            engine = super().engine()
            conductor = LocalConductor(engine, engine.shelf)
            performer = Nameless(conductor, engine.journal, engine.shelf, self.clock, *TOLD)
            object.__setattr__(performer, "counter", counter)
            engine.effects.performers["schedule"] = performer
            return engine

    calm = lived(Schedule(every=10), 25)
    broken = 0
    for first in range(1, calm.places[-1] + 1):
        counter.clear()
        outside = Planted(Case(WORK, (Rule(seconds=1.0),)), deaths=(first,)).of(Schedule(every=10), 25)
        outside.live()
        broken += len(outside.began) != 2
    assert broken


# -- what is wrong, and what is long ----------------------------------------------------------------------


def test_a_run_that_fails_does_not_harm_its_schedule():
    outside = Scheduled(Case(WORK, (Rule(answers=(Broken(Fault(COMMUNICATION, 400)),)),)))
    outside.of(Schedule(every=10), 35).live()
    assert [phase for run, (_, phase) in outside.runs.items() if "@" in run] == ["faulted"] * 3


def test_a_run_that_cannot_be_started_does_not_harm_its_schedule():
    class Lost(Scheduled):
        async def activate(self, engine):
            program = program_of(NAME, self.schedule, "f" * 40, {}, {})
            await engine.start(Start(FIRST, program, {"anchor": 0.0, "considered": 0.0, "last": ""}))

    outside = Lost(Case(WORK, ())).of(Schedule(every=10), 35)
    outside.live()
    assert outside.began == {}
    assert outside.runs[FIRST][1] == "running"


def test_a_long_life_goes_on_as_another_run(monkeypatch):
    monkeypatch.setattr(keeping, "TURNS", 4)
    outside = lived(Schedule(every=10), 95)
    assert times(outside) == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    schedules = [(run, phase) for run, (_, phase) in outside.runs.items() if run.startswith("schedule:")]
    assert [run.rpartition("/")[2] for run, _ in schedules] == ["1", "2", "3", "4"]
    assert [phase for _, phase in schedules[:-1]] == ["completed"] * 3


@pytest.mark.slow
def test_a_crash_while_it_goes_on_as_another_run_loses_no_time(monkeypatch):
    monkeypatch.setattr(keeping, "TURNS", 2)
    calm = lived(Schedule(every=10), 45)
    for first in range(1, calm.places[-1] + 1):
        assert list(lived(Schedule(every=10), 45, deaths=(first,)).began) == list(calm.began), first


def test_a_long_wait_is_looked_at_again_each_day():
    outside = lived(Schedule(every=3 * 86_400.0), 3 * 86_400.0 + 5)
    assert times(outside) == [3 * 86_400.0]


# -- values -------------------------------------------------------------------------------------------


def test_a_schedule_and_its_state_come_back_from_their_values():
    schedule = Schedule(cron="0 3 * * *", zone="Europe/Berlin", misfire="all", jitter=3.0, start=1.0, end=2.0)
    assert of_value(as_value(schedule)) == schedule
    state = State(1.0, 2.0, 3.0, 4.0, 0.0, "run", 5.0, 6, 7, "began run", over=True)
    assert State.of_value(state.as_value()) == state
    assert State.of_value(None) == State(0.0, 0.0)


def test_of_many_times_that_are_due_the_one_that_counts_is_chosen():
    due = [10.0, 20.0, 30.0]

    def chosen(misfire, now, blocked=0.0, pauses=()):
        found = timely(Schedule(every=10, misfire=misfire), NAME, due, now, blocked, pauses)
        return (found.start, found.considered, found.missed, found.paused)

    assert chosen("last", 500.0) == (30.0, 30.0, 2, 0)
    assert chosen("none", 500.0) == (None, 30.0, 3, 0)
    assert chosen("none", 31.0) == (30.0, 30.0, 2, 0)
    assert chosen("all", 500.0) == (10.0, 10.0, 0, 0)
    assert chosen("none", 500.0, blocked=15.0) == (10.0, 10.0, 0, 0)
    assert chosen("last", 31.0, pauses=[(5.0, 25.0)]) == (30.0, 30.0, 0, 2)
    assert chosen("all", 31.0, pauses=[(5.0, 35.0)]) == (None, 30.0, 0, 3)
    assert put_off(Schedule(every=10), NAME, 10.0) == 10.0
