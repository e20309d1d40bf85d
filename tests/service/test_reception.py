"""Events of HTTP requests, in the three modes of the standard, and what none of them reads."""

from __future__ import annotations

import json

import pytest

from dirigent.model.problem import Refusal
from dirigent.service.events.reception import BATCH, STRUCTURED, events_of

EVENT = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "paid", "data": {"n": 1}}
HEADERS = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "paid"}


def test_one_event_as_json():
    headers = {"content-type": f"{STRUCTURED}; charset=utf-8"}
    assert events_of(headers, json.dumps(EVENT).encode()) == [EVENT]


def test_several_events_in_a_batch():
    assert events_of({"content-type": BATCH}, json.dumps([EVENT, EVENT]).encode()) == [EVENT, EVENT]
    assert events_of({"content-type": BATCH}, b"[]") == []


def test_one_event_in_headers():
    headers = {**HEADERS, "ce-subject": "caf%C3%A9", "ce-trace": "x", "content-type": "application/json"}
    (found,) = events_of(headers, b'{"n": 1}')
    assert found == {**EVENT, "subject": "café", "trace": "x", "datacontenttype": "application/json"}


@pytest.mark.parametrize(
    ("kind", "body", "data"),
    [
        ("text/plain", b"words", {"data": "words"}),
        ("image/png", b"\xff\x00", {"data_base64": "/wA="}),
        ("application/vnd.x+json", b"[1]", {"data": [1]}),
        ("", b"", {}),
    ],
)
def test_data_is_kept_as_what_it_is(kind, body, data):
    (found,) = events_of({**HEADERS, **({"content-type": kind} if kind else {})}, body)
    assert {
        name: found[name] for name in found if name.startswith("data") and name != "datacontenttype"
    } == data


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({}, b"", "E4103"),
        ({"content-type": "application/json"}, b"{}", "E4103"),
        ({"content-type": STRUCTURED}, b"{", "E4103"),
        ({"content-type": STRUCTURED}, b"\xff", "E4103"),
        ({"content-type": STRUCTURED}, b"[" * 100_000, "E4103"),
        ({"content-type": STRUCTURED}, b"[]", "E4100"),
        ({"content-type": BATCH}, b"{}", "E4103"),
        ({"content-type": BATCH}, b"[1]", "E4100"),
        ({"content-type": BATCH}, b"[" + b"1," * 1_000 + b"1]", "E4104"),
        ({"ce-id": "1", "ce-source": "/x", "ce-type": "t"}, b"", "E4100"),
        ({**HEADERS, "content-type": "application/json"}, b"{", "E4103"),
        ({**HEADERS, "ce-time": "now"}, b"", "E4100"),
    ],
)
def test_what_is_no_event_is_refused(headers, body, code):
    with pytest.raises(Refusal, match=code):
        events_of(headers, body)
