"""What a message is for the expressions of a document: its payload, its headers, and what it belongs to."""

import pytest

from dirigent.tasks.asyncapi.site import CORRELATION, inbound


@pytest.mark.parametrize(
    ("content", "payload"),
    [(b'{"n": 1}', {"n": 1}), (b"null", None), (b"plain", "plain"), (b"\xff\x00", "/wA="), (b"", "")],
)
def test_a_payload_is_json_else_text_else_base64(content, payload):
    assert inbound(content, {"x": "y"}) == {"payload": payload, "headers": {"x": "y"}}


def test_what_the_protocol_says_of_correlation_comes_first():
    found = inbound(b"1", {"correlationId": "of the headers"}, "of the protocol")
    assert found["correlationId"] == "of the protocol"


@pytest.mark.parametrize("name", [*CORRELATION, "X-Correlation-ID", "correlationId"])
def test_else_a_header_says_it_however_it_is_spelt(name):
    assert inbound(b"1", {"other": "x", name: "order-7"})["correlationId"] == "order-7"
