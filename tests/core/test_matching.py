"""Which events fit what somebody waits for: attributes, regular expressions, expressions, correlation."""

from __future__ import annotations

import pytest

from core.simulation import TOOLS
from dirigent.core.events.matching import Needs, closes, equal, match, narrowed, plain, satisfied, types
from dirigent.model.events.listening import Correlation, EventFilter, Match, Quorum, Strategy
from dirigent.model.values import Expression

ALL, ANY, ONE = Quorum.ALL, Quorum.ANY, Quorum.ONE


def event(kind="paid", data=None, **more):
    return {"specversion": "1.0", "id": "1", "source": "https://s", "type": kind, "data": data, **more}


def strategy(quorum, *filters, until=None):
    return Strategy(quorum, tuple(filters), until)


def given(correlate=None, **attributes):
    return EventFilter(attributes, correlate or {})


def judged(want, *args, **more):
    return match(want, event(*args, **more), TOOLS.language)


def one(**attributes):
    return plain(strategy(ONE, given(**attributes)))


@pytest.mark.parametrize(
    ("attributes", "fits"),
    [
        ({"type": "paid"}, True),
        ({"type": "paid.not"}, False),
        ({"type": "p.id"}, False),
        ({"type": "pa[hi]d"}, True),
        ({"type": "^pa.*$"}, True),
        ({"type": "ai"}, False),
        ({"source": "https://s"}, True),
        ({"subject": "x"}, False),
        ({"data": {"amount": 7}}, True),
        ({"data": {"amount": True}}, False),
        ({"data": Expression(".amount > 5")}, True),
        ({"data": Expression(".amount > 50")}, False),
        ({"data": Expression(".amount.deep")}, False),
        ({"data": {"amount": Expression(".amount")}}, True),
        ({"id": Expression('"1"')}, True),
        ({"id": Expression('"2"')}, False),
    ],
)
def test_an_event_fits_when_every_attribute_does(attributes, fits):
    found = judged(one(**attributes), data={"amount": 7})
    assert found == (Match(0) if fits else None)


def test_what_a_document_computes_is_no_regular_expression():
    assert judged(one(subject="a+"), subject="aa") == Match(0)
    assert judged(one(subject="a+"), subject="a+") == Match(0)


def test_any_without_filters_takes_everything():
    want = plain(strategy(ANY))
    assert types(want) is None
    assert judged(want, "whatever") == Match(0)


def test_all_takes_one_event_for_each_filter():
    want = plain(strategy(ALL, given(type="a"), given(type="a"), given(type="b")))
    first = judged(want, "a")
    want = narrowed(want, first)
    assert (first.number, want.open, satisfied(want, 1)) == (0, (1, 2), False)
    second = judged(want, "a")
    want = narrowed(want, second)
    assert (second.number, judged(want, "a")) == (1, None)
    want = narrowed(want, judged(want, "b"))
    assert satisfied(want, 3)


def test_events_that_end_the_listening_come_first_and_do_not_count():
    until = strategy(ALL, given(type="b"), given(type="c"))
    want = plain(strategy(ANY, until=until))
    assert types(want) is None
    assert not satisfied(want, 5)
    found = judged(want, "b")
    assert closes(want, found)
    want = narrowed(want, found)
    assert not satisfied(want, 0)
    again = judged(want, "b")
    assert not closes(want, again), "the second counts, for it ends nothing any more"
    assert satisfied(narrowed(want, judged(want, "c")), 0)


def test_the_first_event_says_what_the_others_have_in_common():
    room = {"room": Correlation(Expression(".roomid"))}
    want = plain(strategy(ALL, given(room, type="t"), given(room, type="h")))
    assert judged(want, "t") is None, "an event that says nothing of the correlation does not fit"
    found = judged(want, "t", roomid="a")
    assert found.keys == {"room": "a"}
    want = narrowed(want, found)
    assert judged(want, "h", roomid="b") is None
    assert judged(want, "h", roomid="a").number == 1


def test_what_is_expected_is_known_from_the_start():
    want = plain(strategy(ONE, given({"order": Correlation(Expression(".data.order"), 7, expected=True)})))
    assert judged(want, data={"order": 8}) is None
    assert judged(want, data={"order": 7}).keys == {"order": 7}


def test_what_only_the_worker_can_evaluate_is_asked_for_and_then_known():
    want = one(data=Expression('[.[] | ltrimstr("x")] | getpath([0]) == "y"'))
    found = judged(want, data=["xy"])
    if isinstance(found, Needs):
        answered = match(want, event(data=["xy"]), TOOLS.language, {found.slot: (True,)})
        assert answered == Match(0)
        assert match(want, event(data=["xy"]), TOOLS.language, {found.slot: (False,)}) is None


def test_only_literal_types_are_known_beforehand():
    assert types(one(type="a.b")) == {"a.b"}
    assert types(one(type="a.*")) is None
    assert types(one(source="s")) is None
    assert types(plain(strategy(ALL, given(type="a"), given(type="b")))) == {"a", "b"}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        ([1, {"a": None}], [1, {"a": None}], True),
        ({"a": 0}, {"a": False}, False),
        ({"a": 1}, {"b": 1}, False),
        ([1], [1, 2], False),
        ("1", 1, False),
        ({}, [], False),
    ],
)
def test_values_are_compared_as_json(one, other, same):
    assert equal(one, other) is same
    assert equal(other, one) is same
