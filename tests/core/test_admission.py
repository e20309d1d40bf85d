"""What a queue lets go keeps its laws in every life, and a queue that breaks one is caught."""

import heapq
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings

from core.lines import Broken, Life, events, limits
from dirigent.core.admission import Line
from dirigent.model.queue import Limits, Rate
from dirigent.model.run.ticket import Ticket

often = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}


def live(make, chosen, happened):
    life = Life(chosen, make)
    life.live(happened)
    life.finish()


@settings(max_examples=100, **often)
@given(limits, events)
def test_whatever_happens_the_laws_of_a_queue_hold(chosen, happened):
    live(Line, chosen, happened)


@pytest.mark.slow
@settings(max_examples=3000, **often)
@given(limits, events)
def test_whatever_happens_the_laws_of_a_queue_hold_in_many_lives(chosen, happened):
    live(Line, chosen, happened)


class OneTooMany(Line):
    def _room(self):
        self.limits = replace(self.limits, concurrency=self.limits.concurrency + 1)
        try:
            return super()._room()
        finally:
            self.limits = replace(self.limits, concurrency=self.limits.concurrency - 1)


class ForgetsTheRate(Line):
    def _settle(self, now):
        self._began.clear()
        super()._settle(now)


class SameKeyAgain(Line):
    def _take_turn(self, key, since):
        heapq.heappush(self._turns, (0.0, False, 0, key))


class LowestFirst(Line):
    def _line_up(self, item, ticket, since):
        super()._line_up(item, replace(ticket, priority=-ticket.priority), since)


class NoDelay(Line):
    def join(self, item, ticket):
        super().join(item, replace(ticket, not_before=0.0))


class ForgetsTurns(Line):
    def passed(self, at, key=""):
        super().passed(at, key)
        self._served.clear()


class NeverLooksAgain(Line):
    def again(self, now):
        return None


class Loses(Line):
    def join(self, item, ticket):
        if not (ticket.key == "b" and self._running):
            super().join(item, ticket)


# `b` has waited while `a` had a turn, and an engine that comes after a crash must know.
CRASHED = [
    *[("join", 0, "a", 0.0)] * 3,
    ("wait", 1.0),
    ("join", 0, "b", 0.0),
    ("wait", 1.0),
    ("end", 0),
    ("crash",),
    ("end", 0),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    "planted",
    [OneTooMany, ForgetsTheRate, SameKeyAgain, LowestFirst, NoDelay, ForgetsTurns, NeverLooksAgain, Loses],
)
def test_a_queue_that_breaks_a_law_is_caught(planted):
    @settings(max_examples=1000, derandomize=True, database=None, report_multiple_bugs=False, **often)
    @given(limits, events)
    @example(Limits(1), CRASHED)
    def search(chosen, happened):
        live(planted, chosen, happened)

    with pytest.raises(Broken):
        search()


def line(concurrency=1, rate=None):
    return Line(Limits(concurrency, rate))


def test_keys_take_turns_however_long_the_line_of_one_is():
    queue = line()
    for number in range(100):
        queue.join((number,), Ticket("q", key="greedy", since=0.0))
    queue.join((100,), Ticket("q", key="modest", since=1.0))
    order = []
    for _ in range(3):
        order += [item[0] for item in queue.admit(2.0)]
        queue.left((order[-1],))
    assert order == [0, 100, 1]


def test_a_clock_that_is_set_back_neither_lets_more_begin_nor_stops_the_queue():
    queue = line(10, Rate(2, 60.0))
    for number in range(4):
        queue.join((number,), Ticket("q", since=0.0))
    assert len(list(queue.admit(10_000.0))) == 2
    assert list(queue.admit(100.0)) == []
    assert queue.again(100.0) == 160.0
    assert len(list(queue.admit(160.0))) == 2


def test_what_was_let_go_and_did_not_begin_takes_no_room():
    queue = line(1, Rate(1, 60.0))
    queue.join((1,), Ticket("q"))
    queue.join((2,), Ticket("q"))
    assert list(queue.admit(5.0)) == [(1,)]
    queue.withdrew((1,), 5.0)
    assert list(queue.admit(6.0)) == [(2,)]


def test_a_line_in_which_nobody_is_left_keeps_nothing():
    queue = line(5)
    for number in range(1000):
        queue.join((number,), Ticket("q", key=str(number)))
        queue.left(next(iter(queue.admit(float(number)))))
    assert not queue.running
    assert not queue._ready
    assert len(queue._served) <= 1
    assert not queue._turns
