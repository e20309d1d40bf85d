"""What `emit` makes of its attributes: an event of CloudEvents 1.0, or words that say why not."""

from __future__ import annotations

import pytest

from dirigent.core.events.shape import check_event, made, moment, read
from dirigent.model.events.listening import Read
from dirigent.model.problem import Refusal
from dirigent.model.values import SecretRef, SecretText

GIVEN = {"source": "https://shop", "type": "paid"}


def test_an_event_gets_an_id_a_time_and_a_version_and_data_its_type():
    event = made({**GIVEN, "data": 1}, "e-1", 1.5)
    assert event == {
        **GIVEN,
        "specversion": "1.0",
        "id": "e-1",
        "time": "1970-01-01T00:00:01.500Z",
        "data": 1,
        "datacontenttype": "application/json",
    }
    check_event(event)


def test_what_is_given_is_kept_and_extensions_lie_beside():
    given = {
        **GIVEN,
        "id": "7",
        "time": "2026-03-09T12:00:00+01:00",
        "subject": None,
        "extensions": {"trace": "x"},
    }
    event = made(given, "e-1", 1.5)
    assert (event["id"], event["time"], event["trace"]) == ("7", "2026-03-09T12:00:00+01:00", "x")
    assert "subject" not in event
    assert "datacontenttype" not in event


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([], "must be objects"),
        ({**GIVEN, "extensions": [1]}, "must be objects"),
        ({"source": "x"}, "no `type`"),
        ({**GIVEN, "id": 7}, "`id` must be"),
        ({**GIVEN, "time": "2026-02-30T00:00:00Z"}, "`time` must be"),
        ({**GIVEN, "time": "12:00"}, "`time` must be"),
        ({**GIVEN, "subject": ""}, "`subject` must be"),
        ({**GIVEN, "source": "a b"}, "`source` must be"),
        ({**GIVEN, "dataschema": "x"}, "`dataschema` must be"),
        ({**GIVEN, "datacontenttype": "text"}, "`datacontenttype` must be"),
        ({**GIVEN, "specversion": "2.0"}, "`specversion` must be"),
        ({**GIVEN, "Trace": "x"}, "is no attribute"),
        ({**GIVEN, "trace": 2**40}, "32 bits"),
        ({**GIVEN, "trace": 1.5}, "32 bits"),
        ({**GIVEN, "data": 1, "data_base64": "MQ=="}, "both"),
        ({**GIVEN, "data_base64": "%"}, "base 64"),
        ({**GIVEN, "data": SecretText((SecretRef("key"),))}, "secret"),
        ({**GIVEN, "data": "x" * 1_100_000}, "larger than"),
    ],
)
def test_what_is_no_event_is_said_in_words(given, why):
    with pytest.raises(ValueError, match=why):
        made(given, "e-1", 0.0)


@pytest.mark.parametrize(
    ("more", "data", "raw"),
    [
        ({"data": {"a": 1}}, {"a": 1}, "eyJhIjoxfQ=="),
        ({"data": "text", "datacontenttype": "text/plain"}, "text", "dGV4dA=="),
        ({"data_base64": "AAE="}, "AAE=", "AAE="),
        ({}, None, None),
    ],
)
def test_an_event_is_read_in_three_ways(more, data, raw):
    event = made({**GIVEN, **more}, "e-1", 0.0)
    assert read(event, Read.DATA) == data
    assert read(event, Read.RAW) == raw
    assert read(event, Read.ENVELOPE) is event


def test_a_time_is_told_in_utc():
    assert moment(0.0) == "1970-01-01T00:00:00.000Z"


def test_the_outside_is_refused_with_a_code():
    with pytest.raises(Refusal, match="E4100"):
        check_event({"id": "1"})
