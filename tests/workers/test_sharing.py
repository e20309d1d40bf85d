"""The room of workers is shared out among engines: never more than there is, and nobody starves."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from dirigent.app.workers.sharing import Shares, deal
from dirigent.engine.crew import Crew
from dirigent.engine.queues import Queues
from dirigent.model.queue import Limits, Queue
from dirigent.model.run.ticket import Ticket
from dirigent.testing import VirtualClock
from dirigent.workers.hub import Guest, Hub
from stores.samples import in_loop


@given(st.integers(0, 40), st.lists(st.integers(0, 9), min_size=1, max_size=16))
def test_all_that_is_free_is_dealt_and_first_to_those_who_wait(free, waiting):
    dealt = deal(free, waiting)
    assert sum(dealt) == free
    if any(have > want for have, want in zip(dealt, waiting, strict=True)):
        assert all(have >= want for have, want in zip(dealt, waiting, strict=True))


@given(st.integers(0, 40), st.lists(st.integers(0, 9), min_size=1, max_size=16))
def test_of_those_who_wait_nobody_gets_two_more_than_another(free, waiting):
    dealt = deal(min(free, sum(waiting)), waiting)
    short = [have for have, want in zip(dealt, waiting, strict=True) if have < want]
    assert not short or max(dealt) <= min(short) + 1


def test_nothing_is_dealt_to_nobody():
    assert deal(3, []) == []


@dataclass
class Process:
    """Shards of one process, and one worker."""

    hub: Hub = field(default_factory=lambda: Hub(lambda value: value))
    clock: VirtualClock = field(default_factory=VirtualClock)
    engines: list = field(default_factory=list)

    def __post_init__(self):
        self.shares = Shares(self.hub, ["gpu"])

    def engine(self):
        queues = Queues({"gpu": Queue("gpu", Limits(100), workers=0)}, self.clock, Crew(), None, None)
        self.engines.append(queues)
        self.shares.join(queues)
        return queues

    def worker(self, room):
        self.hub.guests = [Guest("w", frozenset(), None, room)]
        self.shares.spread()

    def limits(self):
        return [each.line("gpu").limits.concurrency for each in self.engines]

    def begin(self, queues, name):
        """Let something begin if it may."""
        return queues.line("gpu").enter((name, "p", 1), Ticket("gpu"), self.clock.now())


@in_loop
async def test_together_no_more_begins_than_the_workers_have_room_for():
    process = Process()
    engines = [process.engine() for _ in range(5)]
    assert process.limits() == [0] * 5
    process.worker(3)
    assert sum(process.limits()) == 3
    began = [process.begin(queues, f"r{number}") for number in range(4) for queues in engines]
    assert sum(began) == 3
    process.shares.spread()
    assert sum(process.limits()) == 3


@in_loop
async def test_what_waits_gets_the_next_free_place_whoever_it_is():
    process = Process()
    first, second = process.engine(), process.engine()
    for name in ("r0", "r1"):
        first.line("gpu").occupy((name, "p", 1))
    process.worker(2)
    assert process.limits() == [2, 0]
    second.line("gpu").join(("late", "p", 1), Ticket("gpu"))
    first.line("gpu").left(("r0", "p", 1))
    process.shares.spread()
    assert process.limits() == [1, 1]
    assert list(second.line("gpu").admit(process.clock.now())) == [("late", "p", 1)]


@in_loop
async def test_a_single_place_goes_round():
    process = Process()
    engines = [process.engine() for _ in range(3)]
    process.worker(1)
    had = set()
    for _ in range(6):
        process.shares.spread()
        had.add(process.limits().index(1))
    assert had == {0, 1, 2}
    assert len(engines) == 3


@in_loop
async def test_the_place_of_an_engine_that_has_ended_goes_to_the_others():
    process = Process()
    first, second = process.engine(), process.engine()
    process.worker(4)
    first.crew.closing = True
    process.shares.spread()
    assert second.line("gpu").limits.concurrency == 4
