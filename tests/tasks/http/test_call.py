"""What the performer of `http` sends, gives back, and says when a call has no good end."""

import asyncio
import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dirigent.model.fault import AUTHORIZATION, COMMUNICATION, VALIDATION
from dirigent.model.run.effect import Broken, Done
from dirigent.tasks.http.call import HttpPerformer
from dirigent.tasks.http.client import Bounds
from dirigent.tasks.http.message import call_of, outgoing_of
from tasks.http.loopback import (
    KEY,
    always,
    call,
    client_of,
    order_of,
    request_of,
    serving,
    vault_of,
)

# What comes back.


def test_json_is_parsed_when_the_content_type_says_so():
    outcome, _ = call(always(200, {"id": 1, "name": "Rex"}))
    assert outcome == Done({"id": 1, "name": "Rex"})


@pytest.mark.parametrize("content_type", ["application/problem+json; charset=utf-8", "text/json"])
def test_every_kind_of_json_is_json(content_type):
    assert call(always(200, [1.0, 2], content_type=content_type))[0] == Done([1.0, 2])


def test_another_content_type_gives_text_by_its_charset():
    outcome, _ = call(always(200, "Grüße".encode("latin-1"), content_type="text/plain; charset=ISO-8859-1"))
    assert outcome == Done("Grüße")


def test_an_empty_answer_gives_null():
    assert call(always(204))[0] == Done(None)


def test_raw_gives_the_bytes_in_base64():
    outcome, _ = call(always(200, b"\x00\xff", content_type="image/png"), output="raw")
    assert outcome == Done(base64.b64encode(b"\x00\xff").decode())


def test_response_gives_the_whole_exchange():
    outcome, server = call(
        always(201, {"id": 7}, [("X-Tag", "a"), ("X-Tag", "b")]),
        "post",
        "/pets?dry=1",
        body={"name": "Rex"},
        has_body=True,
        output="response",
        headers={"X-Api-Key": "k"},
    )
    shown = outcome.output
    assert shown["statusCode"] == 201
    assert shown["content"] == {"id": 7}
    assert shown["headers"]["x-tag"] == "a, b"
    assert shown["request"]["method"] == "POST"
    assert shown["request"]["uri"] == f"{server.url}/pets?dry=1"
    assert shown["request"]["headers"]["x-api-key"] == "(hidden)"
    assert shown["request"]["headers"]["idempotency-key"] == KEY


@pytest.mark.parametrize("body", [b"{nope", b"[1", b'{"a":1}x', b"NaN", b"1e999", b"[" * 5000 + b"]" * 5000])
def test_json_that_is_none_breaks_the_call_and_leaves_an_unsafe_one_in_doubt(body):
    outcome, _ = call(always(200, body), "post")
    assert outcome.fault.type == COMMUNICATION
    assert "says that it is JSON" in outcome.fault.detail
    assert outcome.fault.doubtful


def test_half_a_surrogate_pair_becomes_the_mark_of_a_lost_character():
    outcome, _ = call(always(200, b'["\\ud800x", "\\ud83d\\ude00", "\\\\ud800"]'))
    assert outcome == Done(["�x", "😀", "\\ud800"])


# Errors of the server.


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 429, 500, 503])
def test_an_error_status_is_a_communication_fault_with_that_status(status):
    outcome, server = call(always(status, {"why": "sold out"}), "post", "/orders?q=1")
    assert isinstance(outcome, Broken)
    assert outcome.fault.type == COMMUNICATION
    assert outcome.fault.status == status
    assert outcome.fault.detail.startswith(f"POST {server.url}/orders?q=1: answered {status}")
    assert "sold out" in outcome.fault.detail
    assert not outcome.fault.doubtful


def test_only_the_beginning_of_an_error_page_is_shown_and_nothing_that_steers_a_terminal():
    outcome, _ = call(always(500, b"\x1b[2J" + b"x" * 5000, content_type="text/html"))
    assert outcome.fault.detail.count("x") < 520
    assert "\x1b" not in outcome.fault.detail


def test_a_redirect_is_an_error_unless_it_is_wanted():
    outcome, server = call(always(302, headers=[("Location", "http://127.0.0.1:1/away")]))
    assert outcome.fault.status == 302
    assert "127.0.0.1:1/away" in outcome.fault.detail
    assert len(server.seen) == 1


def test_a_wanted_redirect_is_the_result_and_is_not_followed():
    reply = always(302, headers=[("Location", "http://127.0.0.1:1/away")])
    outcome, server = call(reply, redirect=True, output="response")
    assert outcome.output["statusCode"] == 302
    assert outcome.output["headers"]["location"] == "http://127.0.0.1:1/away"
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [502, 504])
def test_a_gateways_error_leaves_an_unsafe_call_in_doubt_but_not_a_safe_one(status):
    assert call(always(status), "post")[0].fault.doubtful
    assert not call(always(status), "get")[0].fault.doubtful


@pytest.mark.parametrize(
    ("method", "headers", "doubtful"),
    [("get", {}, False), ("put", {}, False), ("post", {}, True), ("post", {"idempotency-key": "k"}, False)],
)
def test_a_lost_answer_is_a_doubt_only_for_an_unsafe_call_without_a_key(method, headers, doubtful):
    outcome, server = call(lambda seen: None, method, headers=headers)
    assert outcome.fault.type == COMMUNICATION
    assert outcome.fault.status == 500
    assert outcome.fault.doubtful is doubtful
    assert len(server.seen) == 1


def test_a_refused_connection_is_no_doubt():
    async def scenario():
        async with serving(always()) as server:
            url, host = server.url, server.host
        return await HttpPerformer(client_of(host), vault_of()).perform(order_of(request_of(url, "post")))

    outcome = asyncio.run(scenario())
    assert outcome.fault.status == 500
    assert "refused the connection" in outcome.fault.detail
    assert not outcome.fault.doubtful


def test_a_server_that_is_too_slow_gives_408_and_a_doubt():
    async def scenario():
        go = asyncio.Event()

        async def hang(seen):
            await go.wait()

        async with serving(hang) as server:
            performer = HttpPerformer(client_of(server.host, bounds=Bounds(total_seconds=0.05)), vault_of())
            outcome = await performer.perform(order_of(request_of(server.url, "post")))
            go.set()
            await server.ended.wait()
            return outcome

    outcome = asyncio.run(scenario())
    assert outcome.fault.status == 408
    assert outcome.fault.doubtful


# What is sent.


def test_an_unsafe_call_carries_the_effects_identity_as_its_key():
    for method, key in [("post", KEY), ("patch", KEY), ("put", None), ("get", None), ("delete", None)]:
        _, server = call(always(), method)
        assert server.seen[0].headers.get("idempotency-key") == key


def test_the_authors_key_wins():
    _, server = call(always(), "post", headers={"idempotency-KEY": "mine"})
    assert server.seen[0].headers["idempotency-key"] == "mine"


@pytest.mark.parametrize(
    ("body", "content_type", "sent"),
    [
        ({"b": [1, 2.5, None], "a": "ä"}, None, '{"a":"ä","b":[1,2.5,null]}'),
        ("text", None, '"text"'),
        (None, None, "null"),
        ({"a": 1}, "application/vnd.shop+json", '{"a":1}'),
        ("a,b\n1,2", "text/csv", "a,b\n1,2"),
        ("<a/>", "application/xml", "<a/>"),
        (7, "text/plain", "7"),
        ({"b": "x y", "a": [1, True], "c": None}, "application/x-www-form-urlencoded", "a=1&a=true&b=x+y"),
        ("a=1", "application/x-www-form-urlencoded", "a=1"),
    ],
)
def test_a_body_is_written_by_its_content_type(body, content_type, sent):
    headers = {"content-type": content_type} if content_type else None
    _, server = call(always(), "post", body=body, has_body=True, headers=headers)
    assert server.seen[0].body.decode() == sent
    assert server.seen[0].headers["content-type"] == (content_type or "application/json")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ({"a": 1}, "text/plain"),
        ([1], "multipart/form-data"),
        ({"a": {"base64": "?", "filename": "f"}}, "multipart/form-data"),
        ({"base64": "?"}, "image/png"),
        ({"a": {"b": 1}}, "application/x-www-form-urlencoded"),
        ([1], "application/octet-stream"),
        ("ä", "text/plain; charset=us-ascii"),
        ("a", "text/plain; charset=no-such"),
        (float("inf"), "application/json"),
    ],
)
def test_a_body_that_has_no_bytes_in_its_content_type_is_refused(body, content_type):
    outcome, server = call(always(), "post", body=body, has_body=True, headers={"content-type": content_type})
    assert outcome.fault.type == VALIDATION
    assert not outcome.fault.doubtful
    assert server.seen == []


def test_no_body_means_no_body():
    _, server = call(always(), "post")
    assert server.seen[0].body == b""
    assert "content-type" not in server.seen[0].headers


def test_the_query_is_added_to_that_of_the_endpoint():
    query = {"tag": ["a b", "ü&"], "limit": 5, "all": True, "none": None}
    _, server = call(always(), path="/find?x=1%2C2#part", query=query)
    assert server.seen[0].target == "/find?x=1%2C2&all=true&limit=5&tag=a+b&tag=%C3%BC%26"


@pytest.mark.parametrize(
    "bad",
    [
        {"headers": {"X-A": "1\r\nX-B: 2"}},
        {"headers": {"X-A\r\nX-B": "2"}},
        {"headers": {"X-A": "\x00"}},
        {"headers": {"X A": "1"}},
        {"headers": {"Host": "other.example"}},
        {"headers": {"Transfer-Encoding": "chunked"}},
        {"headers": {"content-length": "0"}},
        {"headers": {"a": "1", "A": "2"}},
        {"headers": {"a": {"b": 1}}},
        {"headers": "X-A: 1"},
        {"query": [1]},
        {"query": {"a": {"b": 1}}},
        {"output": "everything"},
        {"authentication": {"scheme": "bearer", "token": "a\r\nX-B: 2"}},
        {"authentication": {"scheme": "bearer"}},
        {"authentication": {"scheme": "basic", "username": "a:b", "password": "c"}},
        {"authentication": {"scheme": "kerberos"}},
        {"authentication": {"scheme": "bearer", "token": "t"}, "headers": {"authorization": "x"}},
        {"method": "CONNECT"},
        {"method": "GE T"},
        {"method": ""},
        {"endpoint": 5},
    ],
)
def test_a_request_that_is_malformed_is_refused_before_anything_is_sent(bad):
    async def scenario():
        async with serving(always()) as server:
            performer = HttpPerformer(client_of(server.host), vault_of())
            request = {"method": "get", "endpoint": server.url, **bad}
            return await performer.perform(order_of(request)), server

    outcome, server = asyncio.run(scenario())
    assert outcome.fault.type == VALIDATION
    assert outcome.fault.status == 400
    assert server.seen == []


def test_a_request_that_is_no_object_is_refused():
    outcome = asyncio.run(HttpPerformer(client_of(), vault_of()).perform(order_of(["get"])))
    assert outcome.fault.type == VALIDATION


def test_an_undeclared_host_is_refused_with_the_remedy():
    outcome = asyncio.run(
        HttpPerformer(client_of(), vault_of()).perform(order_of(request_of("http://127.0.0.1:1/")))
    )
    assert outcome.fault.type == AUTHORIZATION
    assert outcome.fault.status == 403
    assert "declare `127.0.0.1:1` under `policy.http.hosts`" in outcome.fault.detail


def test_the_hosts_of_the_order_are_declared_for_that_order_only():
    async def scenario():
        async with serving(always(200, 1)) as server:
            performer = HttpPerformer(client_of(), vault_of())
            request = request_of(server.url)
            first = await performer.perform(order_of(request, hosts=(server.host,)))
            return first, await performer.perform(order_of(request))

    allowed, refused = asyncio.run(scenario())
    assert allowed == Done(1)
    assert refused.fault.type == AUTHORIZATION


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Half a surrogate pair is no text that a journal could hold.
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(VALUES)
def test_the_recorded_request_gives_the_same_bytes_whatever_a_store_did_to_its_order(body):
    request = {"method": "post", "endpoint": "https://api.example/x", "body": body, "has_body": True}
    kept = json.loads(json.dumps(request, sort_keys=True))
    turned = json.loads(json.dumps(request, sort_keys=True), object_pairs_hook=lambda p: dict(reversed(p)))
    first = outgoing_of(call_of(request), KEY)
    assert first == outgoing_of(call_of(kept), KEY) == outgoing_of(call_of(turned), KEY)


def test_two_attempts_send_the_same_bytes():
    async def scenario():
        async with serving(always(503)) as server:
            performer = HttpPerformer(client_of(server.host), vault_of())
            request = request_of(server.url, "post", body={"b": 1, "a": [2]}, has_body=True)
            for attempt in (1, 2):
                await performer.perform(order_of(request, attempt=attempt))
            return server.seen

    first, second = asyncio.run(scenario())
    assert first.raw == second.raw
