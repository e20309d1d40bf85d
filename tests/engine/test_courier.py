"""The courier: every event at every sink, in order, at least once, through deaths and through failures."""

from __future__ import annotations

import asyncio

import pytest

from dirigent.engine.events import courier as couriers
from dirigent.engine.events.courier import Courier, Route, parcels
from dirigent.model.events.cursor import Cursor, fits
from dirigent.model.events.listening import Arrived
from dirigent.ports.events import Undelivered
from dirigent.testing import Crash, Fuse, FusedStore, MemoryDisk, MemoryStore, VirtualClock

REAL_SECONDS = 60


def event(n, kind="paid", source="/shop"):
    return {"specversion": "1.0", "id": str(n), "source": source, "type": kind, "data": n}


class Sink:
    """Keeps what it gets, and fails or dies as it is told."""

    def __init__(self, fuse=None, failures=0):
        self.got, self.fuse, self.failures, self.asked = [], fuse, failures, 0

    async def send(self, events):
        self.asked += 1
        if self.fuse is not None:
            self.fuse.burn("before sending")
        if self.failures:
            self.failures -= 1
            raise Undelivered("not today")
        self.got.append([each["id"] for each in events])
        if self.fuse is not None:
            self.fuse.burn("after sending")

    @property
    def ids(self):
        return [each for parcel in self.got for each in parcel]


class Post:
    """What survives: the disk, the clock, and who complained."""

    def __init__(self, *events, fuse=None):
        self.disk, self.clock, self.said = MemoryDisk(), VirtualClock(0.0, patience=200), []
        self.fuse = fuse or Fuse()
        self.coming = list(events)

    def courier(self, *routes, kind=Courier):
        log = FusedStore(MemoryStore(self.disk), self.fuse).log
        return kind(log, self.clock, routes, lambda *said: self.said.append(said), "me")

    async def deliver(self, courier):
        """Serve until every sink has all there is."""
        serving = [asyncio.ensure_future(courier.serve(route)) for route in courier.routes]
        settling = asyncio.ensure_future(courier.settle(REAL_SECONDS))
        done, left = await asyncio.wait({settling, *serving}, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        for task in done:
            task.result()


def run(work):
    return asyncio.run(asyncio.wait_for(work, REAL_SECONDS))


def route(sink, batch=1, **more):
    return Route(Cursor("out", **more), sink, batch)


async def filled(post, sink, count=5, **more):
    """A courier whose sink was declared, and then came the events."""
    courier = post.courier(route(sink, **more))
    await courier.open()
    await courier.log.log.take_events([(0.0, event(n)) for n in range(count)])
    return courier


def test_events_are_delivered_in_order_and_those_before_the_sink_are_not():
    post, sink = Post(), Sink()

    async def test():
        await MemoryStore(post.disk).log.take_events([(0.0, event(99))])
        await post.deliver(await filled(post, sink))

    run(test())
    assert sink.got == [["0"], ["1"], ["2"], ["3"], ["4"]]


def test_a_batch_holds_no_more_than_it_may():
    post, sink = Post(), Sink()

    async def test():
        await post.deliver(await filled(post, sink, batch=2))

    run(test())
    assert sink.got == [["0", "1"], ["2", "3"], ["4"]]


def test_a_batch_is_sent_before_it_is_too_heavy(monkeypatch):
    monkeypatch.setattr(couriers.limits, "EVENTS_REQUEST_BYTES", 200)
    page = [Arrived((0, n), 0.0, {**event(n), "data": "x" * 50}) for n in range(1, 5)]
    found = list(parcels(page, route(Sink(), batch=10)))
    assert [len(events) for events, _ in found] == [1, 1, 1, 1]
    assert [end for _, end in found] == [(0, 1), (0, 2), (0, 3), (0, 4)]


def test_what_is_not_for_a_sink_is_passed_over_and_the_cursor_with_it():
    post, sink = Post(), Sink()

    async def test():
        courier = post.courier(route(sink, types=("a.*",), sources=("/shop*",)))
        await courier.open()
        kinds = [("a.x", "/shop"), ("b", "/shop"), ("a.y", "/other"), ("a.z", "/shop/2"), ("b", "/shop")]
        await courier.log.log.take_events([(0.0, event(n, *each)) for n, each in enumerate(kinds)])
        await post.deliver(courier)
        return await courier.log.cursors()

    (cursor,) = run(test())
    assert sink.ids == ["0", "3"]
    assert cursor.place == (0, 5)


@pytest.mark.parametrize(
    ("text", "patterns", "fit"),
    [
        ("com.example.paid", ("*",), True),
        ("com.example.paid", ("com.example.*",), True),
        ("com.example.paid", ("com.example",), False),
        ("a?b", ("a?b",), True),
        ("axb", ("a?b",), False),
        ("a[1]", ("a[1]",), True),
        ("x.status-changed.v1", ("*",), False),
        ("x.status-changed.v1", ("*", "*status-changed*"), True),
    ],
)
def test_a_pattern_is_text_in_which_a_star_stands_for_any(text, patterns, fit):
    assert fits(text, patterns) is fit


class MovesFirst(Courier):
    """Moves the cursor before it delivers."""

    async def round(self, route):
        place = await self.log.claim(route.cursor.sink, self.holder, 1.0)
        page = await self.log.events(0.0, place, 9)
        for events, end in parcels(page, route):
            await self.log.advance(route.cursor.sink, self.holder, end)
            if events:
                await self._send(route, events)
        return bool(page)


def through_every_death(kind, batch):
    """Die at each place in turn; return what was lost, what came twice, and how often somebody died."""
    lost, again, deaths = 0, 0, 0
    while True:
        fuse = Fuse(deaths + 1)
        post = Post(fuse=fuse)
        sink = Sink(fuse)
        survivors = run(lives(post, sink, kind, batch))
        order = list(dict.fromkeys(sink.ids))
        assert order == sorted(order), "the first time each came is in the order of the log"
        lost += len({"0", "1", "2", "3", "4"} - set(sink.ids))
        again += len(sink.ids) - len(set(sink.ids))
        if survivors == 1:
            return lost, again, deaths
        deaths += 1


async def lives(post, sink, kind, batch):
    """Live until all is delivered; return how many lives that took."""
    log = MemoryStore(post.disk).log
    await log.keep_cursor(Cursor("out"))
    await log.take_events([(0.0, event(n)) for n in range(5)])
    while True:
        courier = post.courier(route(sink, batch=batch), kind=kind)
        try:
            await post.deliver(courier)
        except Crash:
            post.fuse.revive()
        else:
            return post.fuse.lives


@pytest.mark.parametrize("batch", [1, 2, 9])
def test_nothing_is_lost_through_every_death(batch):
    lost, again, deaths = through_every_death(Courier, batch)
    assert lost == 0
    assert deaths >= 4
    assert again > 0, "what was under way comes again"


@pytest.mark.parametrize("batch", [1, 9])
def test_a_courier_that_moves_its_cursor_first_is_caught(batch):
    lost, _, _ = through_every_death(MovesFirst, batch)
    assert lost > 0


def test_a_sink_that_fails_is_left_alone_longer_each_time_and_then_gets_all_in_order():
    post, sink = Post(), Sink(failures=8)

    async def test():
        courier = await filled(post, sink)
        serving = asyncio.ensure_future(courier.serve(courier.routes[0]))
        while len(sink.ids) < 5:
            await post.clock.sleep_until(post.clock.now() + 1.0)
        serving.cancel()
        await asyncio.wait([serving])

    run(test())
    assert sink.ids == ["0", "1", "2", "3", "4"]
    assert sink.asked == 13
    assert post.said == [("out", "not today")], "it is said once"
    assert post.clock.now() >= 1 + 2 + 4 + 8 + 16 + 32 + 60 + 60


class Hangs(Sink):
    """Never answers."""

    async def send(self, events):
        self.asked += 1
        await asyncio.Event().wait()


def test_a_sink_that_hangs_is_one_that_fails(monkeypatch):
    monkeypatch.setattr(couriers, "SEND_SECONDS", 0.01)
    post, hangs = Post(), Hangs()

    async def test():
        courier = await filled(post, hangs)
        await post.deliver(courier)
        return await courier.log.cursors()

    (stuck,) = run(test())
    assert stuck.place == (0, 0)
    assert [(name, "longer than" in why) for name, why in post.said] == [("out", True)]


def test_a_sink_that_hangs_keeps_no_other_from_its_events():
    post, sound, hangs = Post(), Sink(), Hangs()

    async def test():
        courier = post.courier(Route(Cursor("a"), hangs), Route(Cursor("b"), sound))
        await courier.open()
        await courier.log.log.take_events([(0.0, event(n)) for n in range(3)])
        serving = [asyncio.ensure_future(courier.serve(route)) for route in courier.routes]
        await courier.routes[1].rests.wait()
        for task in serving:
            task.cancel()
        await asyncio.wait(serving)
        return await courier.log.cursors()

    stuck, moved = run(test())
    assert sound.ids == ["0", "1", "2"]
    assert (stuck.place, moved.place) == ((0, 0), (0, 3))
    assert hangs.asked == 1


def test_who_does_not_hold_a_sink_delivers_nothing():
    post, sink = Post(), Sink()

    async def test():
        courier = await filled(post, sink)

        async def held(*_):
            return None

        courier.log.claim = held
        await post.deliver(courier)

    run(test())
    assert sink.got == []


def test_who_loses_a_sink_while_he_delivers_stops():
    post, sink = Post(), Sink()

    async def test():
        courier = await filled(post, sink)

        async def lost(*_):
            return False

        courier.log.advance = lost
        return await courier.round(courier.routes[0])

    assert run(test()) is False
    assert sink.ids == ["0"]
