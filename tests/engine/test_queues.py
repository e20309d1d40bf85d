"""Runs and effects in queues: made at once, begun in turn, and neither lost nor begun twice by a crash."""

import asyncio
from dataclasses import replace

import pytest

from dirigent.core.admission import Line
from dirigent.engine.queues import Queues
from dirigent.model.problem import Refusal
from dirigent.model.run.effect import Done, Doubt
from dirigent.model.run.journal import CancelRequested, Created, Ended, Intended, Repeated, Resumed
from dirigent.model.run.start import Start
from dirigent.model.run.ticket import Ticket
from dirigent.testing import MemoryStore, Rule
from engine.fleet import ONE, Fleet, assert_lawful, die_everywhere, of_effects, queue, spans, starts
from engine.harness import rounds
from engine.workflows import document


def living(fleet, test):
    async def body():
        engine = fleet.engine()
        await engine.open()
        try:
            return await asyncio.wait_for(test(engine), 60)
        finally:
            await engine.close()

    return asyncio.run(body())


def order(fleet, name="q"):
    return [run for *_, run in spans(fleet.journals, name)]


# -- order ------------------------------------------------------------------------------------------


def test_a_run_in_a_queue_is_made_at_once_and_begins_in_turn():
    fleet = Fleet(starts(4, lambda n: Ticket("q")), queue("q", 2)).live()
    assert_lawful(fleet, "q")
    facts = fleet.journals["r03"]
    assert [type(fact) for fact in facts[:3]] == [Created, Resumed, Intended]
    assert (facts[0].at, facts[1].at) == (0.0, 5.0)


def test_priority_goes_first_and_keys_take_turns():
    tickets = [Ticket("q", key="a"), *[Ticket("q", key="a")] * 2, Ticket("q", 5, "a"), Ticket("q", key="b")]
    fleet = Fleet(starts(5, lambda n: tickets[n]), queue("q")).live()
    assert order(fleet) == ["r00", "r04", "r03", "r01", "r02"]


def test_a_delay_and_a_rate_are_kept():
    late = [Ticket("q", not_before=100.0), *[Ticket("q")] * 3]
    fleet = Fleet(starts(4, lambda n: late[n]), queue("q", 9, (2, 60.0))).live()
    assert_lawful(fleet, "q")
    assert {run: begin for begin, _, _, run in spans(fleet.journals, "q")} == {
        "r01": 0.0,
        "r02": 0.0,
        "r03": 60.0,
        "r00": 100.0,
    }


def test_without_declared_queues_every_name_is_one_with_the_usual_limits():
    fleet = Fleet(starts(20, lambda n: Ticket("anything")), {}).live()
    begins = [begin for begin, *_ in spans(fleet.journals, "anything")]
    assert begins == [0.0] * 16 + [5.0] * 4


def test_effects_wait_for_their_queue_and_the_run_goes_on_when_all_are_done():
    fleet = Fleet([Start("r00", of_effects(7), None)], queue("gpu", 2)).live()
    assert_lawful(fleet, "gpu")
    begins = [fact.at for fact in fleet.journals["r00"] if isinstance(fact, Intended)]
    assert begins == [0.0, 0.0, 5.0, 5.0, 10.0, 10.0, 15.0]


def test_a_run_that_waits_for_a_queue_is_not_in_memory():
    fleet = Fleet(starts(5, lambda n: Ticket("q")), queue("q"))

    async def test(engine):
        for start in fleet.starts:
            await engine.start(start)
        await rounds()
        return len(engine._memory)

    assert living(fleet, test) == 1


# -- crashes ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_crash_anywhere_loses_no_queued_run_begins_none_twice_and_keeps_every_limit():
    def make(deaths):
        def ticket(n):
            return Ticket("q", n % 3, "abc"[n % 2 :: 2][0], dedupe=f"d{n}")

        return Fleet(starts(6, ticket), queue("q", 2, (3, 20.0)), deaths)

    assert die_everywhere(make, "q", second=(1, 3)) > 40


@pytest.mark.slow
def test_a_crash_anywhere_loses_no_queued_effect_and_keeps_every_limit():
    def make(deaths):
        start = Start("r00", of_effects(6), None, {"doubt": "repeat"})
        return Fleet([start], queue("gpu", 2, (3, 20.0)), deaths)

    assert die_everywhere(make, "gpu", second=(1, 3)) > 20


def test_after_a_crash_the_order_is_what_it_would_have_been():
    def make(deaths):
        tickets = [Ticket("q", key="a")] * 3 + [Ticket("q", key="b")] * 2 + [Ticket("q", 1, "a")]
        return Fleet(starts(6, lambda n: tickets[n]), queue("q"), deaths)

    calm = make(()).live()
    # Once all are made, nothing that the engine forgets may change their order.
    made = 2 * len(calm.starts) + 2
    for place in range(made, calm.places[-1] + 1):
        assert order(make((place,)).live()) == order(calm), place


class Forgetful(Queues):
    """A planted fault: what an engine before this one let go counts for nothing."""

    async def open(self, journal, shelf):
        for line in self.lines.values():
            line._running.clear()
        await super().open(MemoryStore(), MemoryStore())


class Hasty(Line):
    """A planted fault: what was recorded as waiting begins at once."""

    def _room(self):
        return True


@pytest.mark.slow
@pytest.mark.parametrize("planted", [("Queues", Forgetful), ("Line", Hasty)])
def test_an_engine_that_forgets_what_it_let_go_is_caught(planted, monkeypatch):
    name, fault = planted
    module = "dirigent.engine.engine" if name == "Queues" else "dirigent.engine.queues.waiting"
    monkeypatch.setattr(f"{module}.{name}", fault)

    def make(deaths):
        return Fleet(starts(6, lambda n: Ticket("q")), queue("q", 2, (3, 20.0)), deaths)

    with pytest.raises(AssertionError):
        die_everywhere(make, "q")


# -- people -----------------------------------------------------------------------------------------


def test_a_queued_run_can_be_cancelled_and_gives_its_place_to_the_next():
    fleet = Fleet(starts(3, lambda n: Ticket("q")), queue("q"))

    async def test(engine):
        for start in fleet.starts:
            await engine.start(start)
        await engine.tell("r01", CancelRequested(0.0))
        await asyncio.gather(*(engine.wait(start.id) for start in fleet.starts))

    living(fleet, test)
    journals = fleet.journals
    assert [type(fact) for fact in journals["r01"]] == [Created, CancelRequested, Ended]
    assert journals["r02"][1].at == 5.0


def test_a_person_who_resumes_a_run_that_waits_does_not_bring_it_past_the_limit():
    fleet = Fleet(starts(3, lambda n: Ticket("q")), queue("q"))

    async def test(engine):
        for start in fleet.starts:
            await engine.start(start)
        with pytest.raises(Refusal, match="E4003"):
            await engine.tell("r02", Resumed(engine.clock.now(), by="somebody"))
        await asyncio.gather(*(engine.wait(start.id) for start in fleet.starts))

    living(fleet, test)
    assert_lawful(fleet, "q")
    assert [fact.queue for fact in fleet.journals["r02"] if isinstance(fact, Resumed)] == ["q"]


def test_a_held_effect_gives_its_place_away_and_a_repeated_one_goes_before_all():
    seen = []

    def outcome(order):
        seen.append(order.position)
        return Doubt("nobody can say") if seen == ["/graph/t0"] else Done(1)

    rules = (Rule(position="/graph/t0", answers=(outcome,), seconds=5.0), Rule(seconds=5.0))
    fleet = Fleet([Start("r00", of_effects(3, keys="a"), None)], queue("gpu"), rules=rules)

    async def test(engine):
        run = await engine.start(fleet.starts[0])
        await fleet.clock.sleep_until(12.0)
        await engine.tell(run, Repeated(engine.clock.now(), "/graph/t0", 1))
        return await engine.wait(run)

    assert living(fleet, test).phase == "completed"
    begins = {fact.position: fact.at for fact in fleet.journals["r00"] if isinstance(fact, Intended)}
    assert begins == {"/graph/t0": 0.0, "/graph/t1": 5.0, "/graph/t2": 10.0}
    assert seen.count("/graph/t0") == 2


# -- one at a time ----------------------------------------------------------------------------------


def test_a_second_start_with_the_deduplication_key_of_an_open_run_is_that_run():
    ticket = Ticket("q", dedupe="report-7")
    fleet = Fleet(starts(3, lambda n: ticket), queue("q"))

    async def test(engine):
        first, second, third = fleet.starts
        assert await asyncio.gather(engine.start(first), engine.start(second)) == ["r00", "r00"]
        with pytest.raises(Refusal, match=r"E4052.*run `r00` is open"):
            await engine.start(replace(third, unique=True))
        await engine.wait("r00")
        assert await engine.start(third) == "r02"
        return await engine.wait("r02")

    living(fleet, test)
    assert set(fleet.journals) == {"r00", "r02"}


def test_the_deduplication_key_is_known_after_a_crash():
    fleet = Fleet(starts(2, lambda n: Ticket("q", dedupe="x")), queue("q"))

    async def first(engine):
        await engine.start(fleet.starts[0])

    async def second(engine):
        return await engine.start(fleet.starts[1])

    living(fleet, first)
    assert living(fleet, second) == "r00"


@pytest.mark.parametrize(
    ("ticket", "code"),
    [
        (Ticket("reprots"), "E4050"),
        (Ticket("q", priority=10**9), "E4051"),
        (Ticket("q", key="k" * 300), "E4051"),
        (Ticket("q", dedupe="k" * 300), "E4051"),
    ],
)
def test_a_place_that_there_is_not_is_refused(ticket, code):
    fleet = Fleet(starts(1, lambda n: ticket), queue("q"))

    async def test(engine):
        with pytest.raises(Refusal, match=code):
            await engine.start(fleet.starts[0])

    living(fleet, test)
    assert fleet.journals == {}


def test_the_list_of_runs_says_which_wait():
    fleet = Fleet(starts(2, lambda n: Ticket("q")), queue("q"))

    async def test(engine):
        for start in fleet.starts:
            await engine.start(start)
        await rounds()
        return [(run.id, run.phase, run.queue, run.admitted_at) for run in await engine.shelf.runs()]

    assert living(fleet, test) == [("r01", "queued", "q", None), ("r00", "running", "q", 0.0)]


def test_an_effect_of_no_queue_is_not_touched_by_any():
    fleet = Fleet([Start("r00", document(ONE), None)], queue("q")).live()
    intents = [fact for fact in fleet.journals["r00"] if isinstance(fact, Intended)]
    assert [fact.queue for fact in intents] == [""]
