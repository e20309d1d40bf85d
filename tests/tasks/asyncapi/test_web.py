"""Documents of both versions, filters and ends of subscriptions, over HTTP and WebSocket."""

import asyncio
import json

import pytest
from aiohttp import web

from dirigent.model.fault import COMMUNICATION, CONFIGURATION, EXPRESSION, VALIDATION
from dirigent.model.run.effect import Done
from dirigent.tasks.asyncapi.document import Choice, place_of
from dirigent.tasks.http.failure import CallFailed
from tasks.asyncapi.rig import Rig, three
from tasks.http.loopback import KEY, response, serving

TWO = {
    "asyncapi": "2.6.0",
    "servers": {
        "far": {"url": "amqp://far.example/v", "protocol": "amqp"},
        "near": {
            "url": "mqtt://{stage}.example:{port}",
            "protocol": "secure-mqtt",
            "variables": {"stage": {"default": "dev"}, "port": {"enum": ["8884"]}},
            "bindings": {"mqtt": {"qos": 1}},
        },
    },
    "channels": {"orders/{id}": {"parameters": {"id": {"default": "7"}}, "bindings": {"mqtt": {"qos": 2}}}},
}


def test_the_server_of_a_document_of_version_2_is_the_first_or_the_wanted_one():
    first = place_of(TWO, "", "orders/{id}", Choice())
    assert (first.server.protocol, first.server.host, first.server.port, first.server.path) == (
        *("amqp", "far.example", 5672),
        "/v",
    )
    wanted = place_of(TWO, "", "orders/{id}", Choice(protocol="mqtt5"))
    assert (wanted.server.host, wanted.server.port, wanted.server.tls) == ("dev.example", 8884, True)
    assert (wanted.address, wanted.bindings) == ("orders/7", {"qos": 2})
    named = place_of(TWO, "", "orders/{id}", Choice("near", {"stage": "live"}, "amqp"))
    assert named.server.host == "live.example"


@pytest.mark.parametrize(
    ("document", "choice", "words"),
    [
        ({"asyncapi": "1.0.0"}, Choice(), "AsyncAPI `1.0.0`"),
        (three("http", 1) | {"operations": {}}, Choice(), "no operation `go`"),
        (three("pigeon", 1), Choice(), "`pigeon`"),
        (three("pulsar", 1), Choice(), "`pulsar`"),
        (three("http", 1), Choice("other"), "no server `other`"),
        (three("http", 1), Choice(protocol="ws"), "speaks `ws`"),
        (three("http", 1, "a/{b}"), Choice(), "variable `b`"),
        (three("http", "x"), Choice(), "`x`"),
    ],
)
def test_a_document_that_does_not_fit_is_refused_by_name(document, choice, words):
    with pytest.raises(CallFailed) as failure:
        place_of(document, "go", "", choice)
    assert failure.value.fault.type in {CONFIGURATION, VALIDATION}
    assert words in failure.value.fault.detail


def play(tmp_path, reply, scene, protocol="http"):
    async def whole():
        async with serving(reply) as server:
            return await scene(Rig(tmp_path, three(protocol, server.port), server.port)), server

    return asyncio.run(whole())


def lines(*payloads):
    return lambda seen: response(
        200,
        b"".join(json.dumps(each).encode() + b"\n" for each in payloads),
        content_type="application/x-ndjson",
    )


def test_a_message_over_http_is_a_request_under_the_name_of_its_effect(tmp_path):
    def scene(rig):
        return rig.call(message={"payload": {"b": 1, "a": 2}, "headers": {"x-a": "1"}})

    outcome, server = play(tmp_path, lambda seen: response(200, {"taken": True}), scene)
    assert outcome == Done({"taken": True})
    assert (server.seen[0].method, server.seen[0].target, server.seen[0].body) == (
        "POST",
        "/orders",
        b'{"a":2,"b":1}',
    )
    assert server.seen[0].headers["idempotency-key"] == KEY
    assert server.seen[0].headers["x-a"] == "1"


def test_a_refusal_is_a_communication_error_with_its_status(tmp_path):
    outcome, _ = play(tmp_path, lambda seen: response(503), lambda rig: rig.call(message={"payload": {}}))
    assert (outcome.fault.type, outcome.fault.status) == (COMMUNICATION, 503)


NUMBERS = [{"n": number} for number in range(6)]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"amount": 2}, [0, 1]),
        ({"amount": 2, "only": ".payload.n >= 3"}, [3, 4]),
        ({"until": ".payload.n == 4"}, [0, 1, 2, 3]),
        ({"while": ".payload.n < 2"}, [0, 1, 2]),
    ],
)
def test_a_subscription_takes_what_its_filter_lets_through_and_ends_as_it_says(tmp_path, given, taken):
    async def scene(rig):
        outcome = await rig.take(**given)
        await rig.durable()
        return outcome

    outcome, _ = play(tmp_path, lines(*NUMBERS), scene)
    assert [message["payload"]["n"] for message in outcome.output] == taken


@pytest.mark.parametrize("text", [".payload.n + 1", ".payload | error", "("])
def test_a_condition_that_is_none_is_an_expression_error(tmp_path, text):
    outcome, _ = play(tmp_path, lines(*NUMBERS), lambda rig: rig.take(only=text, amount=1))
    assert outcome.fault.type == EXPRESSION


def test_a_stream_that_ends_too_early_is_a_communication_error(tmp_path):
    outcome, _ = play(tmp_path, lines(*NUMBERS), lambda rig: rig.take(amount=7))
    assert outcome.fault.type == COMMUNICATION


def test_a_request_that_is_none_is_refused(tmp_path):
    both = {"message": {"payload": {}}, "subscription": {"consume": {"amount": 1}}}
    for request in ({}, both, {"subscription": {"consume": {"amount": 0}}}, {"operation": "", **both}):
        outcome, server = play(tmp_path, lines(), lambda rig, request=request: rig.call(**request))
        assert outcome.fault.type == VALIDATION
        assert server.seen == []


def test_frames_of_a_socket_are_messages_and_a_message_is_a_frame(tmp_path):
    got = []

    async def orders(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if "X-Send" not in request.headers:
            for each in NUMBERS:
                await socket.send_json(each)
        got.extend([message.data async for message in socket])
        return socket

    async def whole():
        app = web.Application()
        app.router.add_get("/orders", orders)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        rig = Rig(tmp_path, three("ws", port), port)
        sent = await rig.call(message={"payload": {"a": 1}, "headers": {"X-Send": "1"}})
        taken = await rig.take(amount=2)
        await rig.durable()
        await runner.cleanup()
        return sent, taken

    sent, taken = asyncio.run(whole())
    assert sent == Done(None)
    assert got[:1] == ['{"a":1}']
    assert [message["payload"]["n"] for message in taken.output] == [0, 1]
