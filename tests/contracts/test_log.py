"""The log of events: once by source and id, in one order, and with the facts that say so."""

import asyncio

import pytest

from contracts.facts import begin
from dirigent.model.events import listening
from dirigent.model.events.cursor import Cursor
from dirigent.model.events.listening import Quorum, Sought, Want
from dirigent.model.problem import Refusal
from dirigent.model.run.journal import Emitted, Ended, Heard, Listening, Unheard
from dirigent.ports import AWAKE
from stores.samples import AT, PAY, in_loop

WANT = Want(Quorum.ONE, (Sought((listening.Test("type", "paid"),)),), (0,))
SHIP = "/do/2/ship"


def event(n, kind="paid", **more):
    return {"specversion": "1.0", "id": str(n), "source": "/shop", "type": kind, "data": {"n": 2**70}, **more}


async def log_of(store):
    """The log of an opened store."""
    opened = getattr(store, "opened", None)
    return (await opened() if callable(opened) else store).log


def ids(found):
    return [each.event["id"] for each in found]


@in_loop
async def test_an_event_is_in_the_log_once_and_in_order(store):
    await begin(store)
    log = await log_of(store)
    assert await log.log_end() == (0, 0)
    assert await log.take_events([(AT, event(1)), (AT, event(1)), (AT, event(2))]) == [True, False, True]
    assert await log.take_events([(AT, event(2)), (AT, event(3, source="/x", subject="s"))]) == [False, True]
    found = await log.events(0.0, (0, 0), 10)
    assert ids(found) == ["1", "2", "3"]
    assert found[2].event == event(3, source="/x", subject="s")
    assert [each.run for each in found] == ["", "", ""]
    assert found[2].place == await log.log_end()
    assert ids(await log.events(0.0, found[0].place, 1)) == ["2"]
    assert ids(await log.events(found[0].at + 1e9, (0, 0), 10)) == []


@in_loop
async def test_events_are_found_by_their_types(store):
    await begin(store)
    log = await log_of(store)
    await log.take_events([(AT, event(n, kind)) for n, kind in enumerate(["a", "b", "c", "a", "b"])])
    assert ids(await log.events(0.0, (0, 0), 10, {"a", "b"})) == ["0", "1", "3", "4"]
    assert ids(await log.events(0.0, (0, 0), 3, {"b", "c"})) == ["1", "2", "4"]
    assert await log.events(0.0, (0, 0), 10, ()) == []


@in_loop
async def test_what_a_run_emits_is_in_the_log_with_its_fact_and_once(store):
    await begin(store)
    log = await log_of(store)
    await store.append("r", 1, [Emitted(AT, PAY, 1, event(1)), Emitted(AT, SHIP, 1, event(2))])
    await store.append("r", 3, [Emitted(AT, PAY, 2, event(1, data="other"))])
    found = await log.events(0.0, (0, 0), 10)
    assert [(each.event, each.run, each.at) for each in found] == [(event(1), "r", AT), (event(2), "r", AT)]
    assert await log.take_events([(AT, event(2))]) == [False]


@in_loop
async def test_who_listens_is_known_as_long_as_he_does(store):
    await begin(store)
    await begin(store, "other")
    log = await log_of(store)
    await store.append("r", 1, [Listening(AT, PAY, 1, WANT, AT), Listening(AT, SHIP, 2, WANT, AT - 1)])
    await store.append("other", 1, [Listening(AT, PAY, 1, WANT, AT)])
    found = {(each.run, each.position): each for each in await log.listeners()}
    assert set(found) == {("r", PAY), ("r", SHIP), ("other", PAY)}
    assert (found["r", SHIP].attempt, found["r", SHIP].since, found["r", SHIP].want) == (2, AT - 1, WANT)
    # Heard and listening again in one append: it listens.
    await store.append("r", 3, [Heard(AT, PAY, 1, event(1), AT, 0), Listening(AT, PAY, 1, WANT, AT + 1)])
    await store.append("other", 2, [Unheard(AT, PAY, 1), Ended(AT, "cancelled")])
    await store.append("r", 5, [Heard(AT, SHIP, 2, event(1), AT, 0)])
    (left,) = await log.listeners()
    assert (left.run, left.position, left.since) == ("r", PAY, AT + 1)


@in_loop
async def test_the_log_outlives_its_opening(place):
    first = place.open()
    await begin(first)
    await first.append("r", 1, [Listening(AT, PAY, 1, WANT, AT)])
    await (await log_of(first)).take_events([(AT, event(1))])
    second = place.open()
    log = await log_of(second)
    assert ids(await log.events(0.0, (0, 0), 10)) == ["1"]
    assert [each.run for each in await log.listeners()] == ["r"]
    assert await log.take_events([(AT, event(1))]) == [False]


@in_loop
async def test_events_of_one_moment_are_all_there(store):
    await begin(store)
    log = await log_of(store)
    fresh = await asyncio.gather(*(log.take_events([(AT, event(n % 7))]) for n in range(20)))
    assert sum(sum(each) for each in fresh) == 7
    assert sorted(ids(await log.events(0.0, (0, 0), 50))) == [str(n) for n in range(7)]


@in_loop
async def test_the_log_forgets_the_oldest(store):
    await begin(store)
    log = await log_of(store)
    for n in range(5):
        await log.take_events([(AT + n, event(n))])
    await log.forget(0.0, 3)
    assert ids(await log.events(0.0, (0, 0), 10)) == ["2", "3", "4"]
    end = await log.log_end()
    await log.take_events([(AT + 9, event(9))])
    assert ids(await log.events(0.0, end, 10)) == ["9"], "no place is given twice"
    await log.forget(4e9, 10)
    assert await log.events(0.0, (0, 0), 10) == []


@in_loop
async def test_what_a_run_tells_is_in_the_log_with_its_facts_or_not_at_all(store):
    await begin(store)
    log = await log_of(store)
    told = [(0, event("r:1")), (1, event("r:2"))]
    await store.append("r", 1, [Listening(AT, PAY, 1, WANT, AT)], AWAKE, told)
    assert [(each.event["id"], each.run, each.at) for each in await log.events(0.0, (0, 0), 9)] == [
        ("r:1", "r", AT),
        ("r:2", "r", AT),
    ]
    with pytest.raises(Refusal, match="E5001"):
        await store.append("r", 1, [Unheard(AT, PAY, 1)], AWAKE, [(1, event("r:3"))])
    facts = [Emitted(AT, SHIP, n, event(f"e:{n}")) for n in (1, 2)]
    await store.append("r", 2, facts, AWAKE, [(n, event(f"t:{n}")) for n in (0, 1, 2)])
    assert ids(await log.events(0.0, (0, 0), 9)) == ["r:1", "r:2", "t:0", "e:1", "t:1", "e:2", "t:2"]


@in_loop
async def test_a_cursor_is_remembered_and_only_goes_forward(place):
    first = place.open()
    await begin(first)
    log = await log_of(first)
    await log.take_events([(AT, event(n)) for n in range(3)])
    places = [each.place for each in await log.events(0.0, (0, 0), 9)]
    assert await log.cursors() == []
    assert await log.claim("out", "me", 60) is None
    await log.keep_cursor(Cursor("out", places[0], ("a.*",), owner="shop"))
    assert await log.claim("out", "me", 60) == places[0]
    assert await log.advance("out", "me", places[1])
    await log.keep_cursor(Cursor("out", (0, 0), ("b.*",), ("/x",)))
    later = await log_of(place.open())
    assert await later.cursors() == [Cursor("out", places[1], ("b.*",), ("/x",))]
    await later.drop_cursor("out")
    assert await later.cursors() == []


@in_loop
async def test_the_log_keeps_what_a_sink_or_a_listener_still_needs(store):
    await begin(store)
    log = await log_of(store)
    await log.take_events([(AT, event(n)) for n in range(6)])
    found = await log.events(0.0, (0, 0), 9)
    await log.keep_cursor(Cursor("slow", found[1].place))
    await log.keep_cursor(Cursor("fast", found[4].place))
    assert await log.forget(4e9, 0) == 2
    assert ids(await log.events(0.0, (0, 0), 9)) == ["2", "3", "4", "5"]
    await log.drop_cursor("slow")
    assert await log.forget(4e9, 0, needed=found[0].at) == 0
    assert await log.forget(0.0, 2, needed=4e9) == 2, "too many go, though none is too old"
    assert await log.forget(4e9, 9) == 1
    assert ids(await log.events(0.0, (0, 0), 9)) == ["5"]
