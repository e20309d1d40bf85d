"""Events start runs: each counts for one of them, through crashes, overlaps, rest, and with nobody there."""

import asyncio

import pytest

from core.simulation import TOOLS
from dirigent.core.nodes.events import listen
from dirigent.engine.events import memory
from dirigent.engine.schedules import keeping
from dirigent.lang.schedule.events import strategy_of
from dirigent.lang.schedule.program import program_of
from dirigent.model import limits
from dirigent.model.ids import digest_of
from dirigent.model.run.journal import Resumed, Succeeded, Suspended
from dirigent.model.run.schedule import Schedule, as_value, of_value, worded
from dirigent.model.run.start import Start
from dirigent.stores import codec
from dirigent.testing import MemoryStore, Rule, VirtualClock
from engine.harness import Case
from engine.test_schedules import FIRST, NAME, WORK, Scheduled

PAID = {"one": {"with": {"type": "paid"}}}
SHIPPED = {"with": {"type": "shipped"}}
BOTH = {"all": [PAID["one"], SHIPPED]}
ORDER = {"order": {"from": ".data.order"}}
SAME = {"all": [{**PAID["one"], "correlate": ORDER}, {**SHIPPED, "correlate": ORDER}]}


def event(number, kind="paid", **data):
    return {"specversion": "1.0", "id": str(number), "source": "/test", "type": kind, "data": data or number}


class Heard(Scheduled):
    """A schedule that events start, and the events that are published at their times."""

    async def say(self, engine, word):
        if isinstance(word, list):
            await engine.events.take(word)
        else:
            await super().say(engine, word)

    async def activate(self, engine):
        await engine.journal.keep(self.case.program)
        digest = digest_of(codec.encode(self.case.program))
        strategy = strategy_of(self.schedule, TOOLS.language)
        program = program_of(NAME, self.schedule, digest, {}, {}, strategy)
        await engine.start(Start(FIRST, program, {"anchor": self.begin, "considered": self.begin}))

    @property
    def inputs(self):
        """What each run was given, by the ids of the events, in the order in which they began."""

        async def read():
            store = MemoryStore(self.disk)
            runs = [run for run in reversed(await store.runs(limit=10_000)) if "@" in run.id]
            return [(await store.read(run.id))[0].input for run in runs]

        return [[each["id"] for each in given] for given in asyncio.run(read())]

    def publish(self, at, *events):
        """Put events into the log while no engine is there."""

        async def put():
            await MemoryStore(self.disk).log.take_events([(at, each) for each in events])

        asyncio.run(put())

    def again(self, at, until):
        """Live on after a rest."""
        self.clock, self.until = VirtualClock(at, patience=120), until
        self.live()


def heard(on, until, *said, deaths=(), seconds=1.0, kind=Heard, **rules):
    outside = kind(Case(WORK, (Rule(seconds=seconds),)), deaths=deaths)
    outside.of(Schedule(on=on, **rules), until, *said)
    outside.live()
    return outside


def at(*events, begin=10.0, step=10.0):
    """Each event at a time of its own."""
    return [(begin + step * number, [each]) for number, each in enumerate(events)]


def last_words(outside, turn):
    """What a turn of the schedule said of itself."""

    async def read():
        return await MemoryStore(outside.disk).read(FIRST)

    turns = [fact for fact in asyncio.run(read()) if isinstance(fact, Succeeded)]
    return turns[turn - 1].output["what"]


# -- which events, and which runs -------------------------------------------------------------------------


def test_each_event_that_fits_starts_a_run_with_that_event_for_its_input():
    outside = heard(PAID, 60, *at(event(1), event(2, "opened"), event(3)))
    assert outside.inputs == [["1"], ["3"]]
    ids = [run for run in outside.runs if run.startswith(f"{NAME}@")]
    assert [run.partition("-")[0] for run in ids] == [f"{NAME}@1970"] * 2
    assert [began for run, (began, _) in outside.runs.items() if "@" in run] == [10, 30]


def test_the_input_is_a_list_of_whole_events_and_the_run_knows_its_schedule():
    outside = heard(PAID, 30, *at({**event(1, n=7), "shop": "north"}))

    async def read():
        store = MemoryStore(outside.disk)
        run = next(run for run in await store.runs() if "@" in run.id)
        return (await store.read(run.id))[0]

    created = asyncio.run(read())
    assert created.input == [{**event(1, n=7), "shop": "north"}]
    assert (created.origin.kind, created.origin.of, created.origin.due) == ("schedule", NAME, 10.0)


def test_two_events_at_once_start_two_runs():
    outside = heard(PAID, 30, (10.0, [event(1), event(2)]))
    assert outside.inputs == [["1"], ["2"]]


def test_what_is_published_twice_starts_one_run():
    outside = heard(PAID, 60, *at(event(1), event(1), event(2)))
    assert outside.inputs == [["1"], ["2"]]


def test_all_means_one_of_each_in_any_order_and_no_event_is_passed_over():
    events = [event(1), event(2), event(3, "shipped"), event(4), event(5, "shipped"), event(6, "shipped")]
    outside = heard(BOTH, 100, *at(*events))
    assert outside.inputs == [["1", "3"], ["2", "5"], ["4", "6"]]


def test_any_means_one_that_fits_any_and_without_filters_every_event():
    events = [event(1), event(2, "opened"), event(3, "shipped")]
    assert heard({"any": [PAID["one"], SHIPPED]}, 60, *at(*events)).inputs == [["1"], ["3"]]
    assert heard({"any": []}, 60, *at(*events)).inputs == [["1"], ["2"], ["3"]]


def test_any_until_a_condition_gathers():
    on = {"any": [PAID["one"]], "until": "length == 2"}
    outside = heard(on, 100, *at(*(event(number) for number in range(1, 6))))
    assert outside.inputs == [["1", "2"], ["3", "4"]]


def test_any_until_an_event_gathers_what_came_before_it_and_it_does_not_count():
    on = {"any": [PAID["one"]], "until": {"one": {"with": {"type": "closed"}}}}
    events = [event(0, "closed"), event(1), event(2), event(3, "closed"), event(4, "closed"), event(5)]
    outside = heard(on, 100, *at(*events))
    assert outside.inputs == [["1", "2"]]


def test_an_end_of_several_events_needs_all_of_them():
    on = {"any": [], "until": {"all": [{"with": {"type": "shut"}}, {"with": {"type": "counted"}}]}}
    events = [event(1), event(2, "counted"), event(3), event(4, "shut"), event(5)]
    assert heard(on, 100, *at(*events)).inputs == [["1", "3"]]


def test_a_condition_that_fails_does_not_hold():
    on = {"any": [PAID["one"]], "until": ".[0].data.n.x"}
    assert heard(on, 60, *at(event(1, n=1), event(2, n=1))).inputs == []


# -- what events have in common ---------------------------------------------------------------------------


def test_events_of_one_order_belong_together_and_no_order_waits_for_another():
    events = [
        event(1, order="a"),
        event(2, order="b"),
        event(3, "shipped", order="b"),
        event(4, "shipped", order="c"),
        event(5, "shipped", order="a"),
        event(6, order="c"),
    ]
    outside = heard(SAME, 100, *at(*events))
    assert outside.inputs == [["2", "3"], ["1", "5"], ["4", "6"]]


def test_an_event_without_what_is_compared_belongs_to_nothing():
    outside = heard(SAME, 60, *at(event(1, other=1), event(2, "shipped", other=1)))
    assert outside.inputs == []


def test_what_is_expected_must_be_there():
    on = {"one": {**PAID["one"], "correlate": {"shop": {"from": ".data.shop", "expect": "north"}}}}
    events = [event(1, shop="south"), event(2, shop="north"), event(3, shop="north")]
    assert heard(on, 60, *at(*events)).inputs == [["2"], ["3"]]
    both = {"all": [on["one"], SHIPPED]}
    found = heard(both, 60, *at(*events, event(4, "shipped")))
    assert found.inputs == [["2", "4"]]


def test_an_end_without_anything_in_common_ends_all_that_began():
    on = {
        "any": [{**PAID["one"], "correlate": ORDER}],
        "until": {"one": {"with": {"type": "closed"}}},
    }
    events = [event(1, order="a"), event(2, order="b"), event(3, order="a"), event(4, "closed")]
    assert heard(on, 60, *at(*events)).inputs == [["1", "3"], ["2"]]


# -- limits -----------------------------------------------------------------------------------------------


def test_what_began_first_is_forgotten_when_too_much_has_begun(monkeypatch):
    monkeypatch.setattr(limits, "EVENT_GROUPS", 2)
    events = [event(number, order=number) for number in (1, 2, 3)]
    ends = [event(10 + number, "shipped", order=number) for number in (2, 3)]
    outside = heard(SAME, 100, *at(*events, *ends))
    assert outside.inputs == [["2", "12"], ["3", "13"]]
    assert "forgotten" in str(last_words(outside, 3))


def test_what_began_longer_ago_than_the_log_remembers_is_forgotten():
    late = limits.EVENTS_LOGGED_SECONDS + 100.0
    said = [(10.0, [event(1)]), (late, [event(2)]), (late + 10, [event(3, "shipped")])]
    assert heard(BOTH, late + 20, *said).inputs == [["2", "3"]]


# -- overlaps ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overlap", "inputs", "phases"),
    [
        ("allow", [["1"], ["2"], ["3"]], ["completed", "completed", "completed"]),
        ("skip", [["1"], ["3"]], ["completed", "completed"]),
        ("queue", [["1"], ["2"], ["3"]], ["completed", "completed", "completed"]),
        ("replace", [["1"], ["2"], ["3"]], ["cancelled", "completed", "completed"]),
    ],
)
def test_what_becomes_of_an_event_while_the_run_before_is_open(overlap, inputs, phases):
    outside = heard(PAID, 200, *at(event(1), event(2), event(3), step=25), seconds=40, overlap=overlap)
    if overlap == "replace":
        phases = ["cancelled", "cancelled", "completed"]
    assert outside.inputs == inputs
    assert [phase for run, (_, phase) in outside.runs.items() if "@" in run] == phases


def test_events_count_between_the_first_time_and_the_last():
    events = [event(1), event(2), event(3), event(4)]
    outside = heard(PAID, 100, *at(*events), start=15.0, end=35.0)
    assert outside.inputs == [["2"], ["3"]]
    assert outside.runs[FIRST][1] == "completed"


# -- rest, people, and long lives -------------------------------------------------------------------------


def test_events_that_come_while_no_engine_runs_start_their_runs_when_one_does():
    outside = heard(PAID, 25, *at(event(1)))
    outside.publish(40.0, event(2), event(3))
    outside.publish(90_000.0, event(4))
    outside.again(100_000.0, 100_100.0)
    assert outside.inputs == [["1"], ["2"], ["3"], ["4"]]


def test_what_began_before_a_rest_goes_on_after_it():
    outside = heard(BOTH, 25, *at(event(1)))
    outside.publish(40.0, event(2, "shipped"))
    outside.again(100.0, 120.0)
    assert outside.inputs == [["1", "2"]]


def test_what_comes_while_it_is_paused_counts_when_it_goes_on():
    said = [
        (10.0, [event(1)]),
        (15.0, Suspended(15.0)),
        (20.0, [event(2)]),
        (25.0, [event(3)]),
        (40.0, Resumed(40.0)),
        (50.0, [event(4)]),
    ]
    outside = heard(PAID, 70, *said)
    assert outside.inputs == [["1"], ["2"], ["3"], ["4"]]
    assert [began for run, (began, _) in outside.runs.items() if "@" in run] == [10, 40, 40, 50]


@pytest.mark.parametrize("remembered", [0, 10])
@pytest.mark.parametrize("on", [PAID, BOTH], ids=["one", "all"])
def test_a_long_life_goes_on_as_another_run_and_hears_nothing_twice(monkeypatch, on, remembered):
    monkeypatch.setattr(keeping, "TURNS", 3)
    monkeypatch.setattr(memory, "REMEMBERED", remembered)
    events = [event(number, "paid" if number < 10 else "shipped") for number in range(20)]
    # All within the time that is read again.
    outside = heard(on, 60, *[(10.0, events[:7]), (11.0, events[7:15]), (12.0, events[15:])])
    wanted = [[str(number)] for number in range(10)]
    if on is BOTH:
        wanted = [[str(number), str(number + 10)] for number in range(10)]
    assert outside.inputs == wanted
    schedules = [phase for run, (_, phase) in outside.runs.items() if run.startswith("schedule:")]
    assert len(schedules) > 3
    assert schedules[:-1] == ["completed"] * (len(schedules) - 1)


# -- crashes ----------------------------------------------------------------------------------------------

CRASHES = {
    "one": (PAID, [(10.0, [event(1), event(2, "opened"), event(3)]), (20.0, [event(4)])]),
    "all": (
        SAME,
        [
            (10.0, [event(1, order=1), event(2, order=2), event(3, "shipped", order=2)]),
            (12.0, [event(4, "shipped", order=1)]),
        ],
    ),
    "until": (
        {"any": [PAID["one"]], "until": "length == 2"},
        [(10.0, [event(1), event(2), event(3)]), (12.0, [event(4)])],
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CRASHES)
def test_a_crash_anywhere_starts_each_run_once(name, monkeypatch):
    monkeypatch.setattr(keeping, "TURNS", 3)
    on, said = CRASHES[name]
    calm = heard(on, 30, *said)
    assert len(calm.inputs) > 1
    for first in range(1, calm.places[-1] + 1):
        outside = heard(on, 30, *said, deaths=(first,))
        assert sorted(outside.inputs) == sorted(calm.inputs), first
        assert outside.happened == calm.happened, first


def test_a_schedule_that_goes_on_without_knowing_what_it_took_is_found(monkeypatch):
    monkeypatch.setattr(keeping, "TURNS", 3)
    on, said = CRASHES["all"]
    calm = heard(on, 30, *said)
    monkeypatch.setattr(listen, "_known", lambda _run: [])
    # As after a restart: nobody remembers who has seen what.
    monkeypatch.setattr(memory, "REMEMBERED", 0)
    assert heard(on, 30, *said).inputs != calm.inputs


def test_a_schedule_that_begins_anew_instead_of_going_on_is_found(monkeypatch):
    monkeypatch.setattr(listen, "_beginning", lambda run, _frame: run.now + 1e-3)
    outside = heard(PAID, 30, (10.0, [event(1), event(2), event(3)]))
    assert outside.inputs != [["1"], ["2"], ["3"]]


def test_a_turn_that_names_its_runs_otherwise_is_found(monkeypatch):
    counter = []

    def nameless(name, moment, events):
        counter.append(moment)
        return f"{name}@{len(counter)}"

    monkeypatch.setattr(keeping, "run_of_events", nameless)
    calm = heard(PAID, 30, *at(event(1), event(2), step=5))
    broken = 0
    for first in range(1, calm.places[-1] + 1):
        broken += len(heard(PAID, 30, *at(event(1), event(2), step=5), deaths=(first,)).inputs) != 2
    assert broken


# -- values -----------------------------------------------------------------------------------------------


def test_a_schedule_of_events_comes_back_from_its_value_and_others_look_as_they_did():
    schedule = Schedule(on=SAME, loose=True, overlap="queue")
    assert of_value(as_value(schedule)) == schedule
    assert not {"on", "loose"} & as_value(Schedule(every=5.0)).keys()


@pytest.mark.parametrize(
    ("on", "words"),
    [
        (PAID, "on paid"),
        (BOTH, "on paid and shipped"),
        (
            {"any": [PAID["one"], {"with": {"source": "/till", "subject": "x"}}]},
            "on paid or source /till, subject x",
        ),
        ({"any": []}, "on any event"),
        ({"any": [SHIPPED], "until": "length == 2"}, "on shipped until length == 2"),
        ({"any": [], "until": PAID}, "on any event until paid"),
    ],
)
def test_which_events_is_told_in_words(on, words):
    assert worded(Schedule(on=on)) == words
