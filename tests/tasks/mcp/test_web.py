"""MCP over streamable HTTP: sessions, JSON and events, and servers that do not keep to it."""

import asyncio
import json

import pytest

from dirigent.model.fault import AUTHORIZATION, COMMUNICATION, RUNTIME, VALIDATION
from dirigent.model.program import OnDoubt
from dirigent.model.run.effect import Broken, Done, Doubt
from dirigent.tasks.mcp import McpPerformer
from dirigent.tasks.process import Surroundings
from tasks.http.loopback import KEY, client_of, credentials_of, order_of, response, secret, serving
from tasks.mcp.server import answer

CALL = {"method": "tools/call", "parameters": {"name": "add", "arguments": {"a": 1, "b": 2}}}
SESSION = ("Mcp-Session-Id", "s-1")


def events(*messages, ending="\n", more=b""):
    lines = [b": a comment", b""]
    for message in messages:
        lines += [b"event: message", b"data: " + json.dumps(message).encode(), b""]
    body = ending.encode().join(lines) + ending.encode() + more
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + body


def well(seen):
    """Answer as a good server does, with a session."""
    if seen.method == "DELETE":
        return response(200)
    reply = answer(seen.content)
    return response(202) if reply is None else response(200, reply, [SESSION])


def but(method, reply):
    """Answer well, except to one method."""
    return lambda seen: (
        reply(seen) if seen.method == "POST" and seen.content.get("method") == method else well(seen)
    )


async def outcome_of(reply, request=CALL, *, vault=None, order=None, headers=None, **more):
    async with serving(reply) as server:
        http = {"endpoint": server.url + "/mcp", "headers": headers or {}}
        performer = McpPerformer(
            client_of(server.host), vault or credentials_of(), Surroundings("/nowhere", "/", {})
        )
        given = {**request, "transport": {"http": http}, **more}
        outcome = await performer.perform(order_of(given, function="mcp", **(order or {})))
    return outcome, server


def call(*arguments, **named):
    return asyncio.run(outcome_of(*arguments, **named))


def test_a_session_is_opened_used_once_and_ended():
    outcome, server = call(well)
    assert outcome.output["structuredContent"] == {"sum": 3}
    asked = [seen.content.get("method") if seen.body else seen.method for seen in server.seen]
    assert asked == ["initialize", "notifications/initialized", "tools/call", "DELETE"]
    assert server.seen[0].content["params"]["protocolVersion"] == "2025-06-18"
    assert server.seen[0].content["params"]["clientInfo"]["name"] == "dirigent"
    assert "mcp-session-id" not in server.seen[0].headers
    assert all(seen.headers["mcp-session-id"] == "s-1" for seen in server.seen[1:])
    assert all(seen.headers["mcp-protocol-version"] == "2025-06-18" for seen in server.seen[1:])
    assert "text/event-stream" in server.seen[2].headers["accept"]


def test_the_effect_is_named_in_the_call_and_nowhere_else():
    _, server = call(well)
    assert server.seen[2].content["params"]["_meta"] == {"dirigent/effect": KEY}
    assert server.seen[2].content["id"] == KEY
    assert ["idempotency-key" in seen.headers for seen in server.seen[:3]] == [False, False, True]


@pytest.mark.parametrize(
    ("method", "parameters", "member"),
    [
        ("tools/list", {}, "tools"),
        ("prompts/list", {"cursor": "c"}, "prompts"),
        ("prompts/get", {"name": "hello"}, "messages"),
        ("resources/list", None, "resources"),
        ("resources/read", {"uri": "file:///a"}, "contents"),
        ("resources/templates/list", {}, "resourceTemplates"),
    ],
)
def test_every_method_gives_its_result(method, parameters, member):
    outcome, server = call(well, {"method": method, "parameters": parameters})
    assert member in outcome.output
    assert server.seen[2].content["params"] == (parameters or {})


def test_a_server_without_sessions_is_not_asked_to_end_one():
    outcome, server = call(
        lambda seen: response(202) if "id" not in seen.content else response(200, answer(seen.content))
    )
    assert isinstance(outcome, Done)
    assert len(server.seen) == 3


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_an_answer_may_come_as_events_behind_others_and_the_stream_may_stay_open(ending):
    def slow(seen):
        note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}
        return events(
            note,
            {"jsonrpc": "2.0", "id": "other", "result": 0},
            answer(seen.content),
            ending=ending,
            more=b": more",
        )

    outcome, _ = call(but("tools/call", slow))
    assert outcome.output["structuredContent"] == {"sum": 3}


def test_a_ping_of_the_server_is_answered_and_all_else_refused():
    def asking(seen):
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        sample = {"jsonrpc": "2.0", "id": 2, "method": "sampling/createMessage"}
        return events(ping, sample, answer(seen.content))

    outcome, server = call(but("tools/call", asking))
    assert isinstance(outcome, Done)
    replies = [seen.content for seen in server.seen if seen.body and "method" not in seen.content]
    assert replies[0] == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert replies[1]["error"]["code"] == -32601


def test_the_clients_name_and_the_version_are_those_of_the_document():
    client = {"name": "shop", "version": "2.0"}
    _, server = call(well, {**CALL, "client": client, "protocolVersion": "2025-03-26"})
    opening = server.seen[0].content["params"]
    assert opening["clientInfo"] == client
    assert opening["protocolVersion"] == "2025-03-26"
    assert server.seen[2].headers["mcp-protocol-version"] == "2025-03-26"


def test_a_server_may_choose_another_version_that_is_known():
    def older(seen):
        reply = answer(seen.content)
        reply["result"]["protocolVersion"] = "2024-11-05"
        return response(200, reply)

    _, server = call(but("initialize", older))
    assert server.seen[2].headers["mcp-protocol-version"] == "2024-11-05"


@pytest.mark.parametrize(
    ("result", "words"), [({"protocolVersion": "1999-01-01"}, "1999-01-01"), ({}, "did not say")]
)
def test_a_version_that_nobody_knows_ends_the_call_before_it_was_made(result, words):
    outcome, _ = call(
        but("initialize", lambda seen: response(200, {**answer(seen.content), "result": result}))
    )
    assert outcome.fault.type == COMMUNICATION
    assert words in outcome.fault.detail
    assert not outcome.fault.doubtful


def test_an_error_of_the_server_is_a_runtime_error_without_doubt():
    error = {"code": -32602, "message": "Unknown tool", "data": {"name": "add"}}
    reply = {"jsonrpc": "2.0", "error": error}
    outcome, _ = call(but("tools/call", lambda seen: response(200, {**reply, "id": seen.content["id"]})))
    assert outcome.fault.type == RUNTIME
    assert "-32602: Unknown tool" in outcome.fault.detail
    assert not outcome.fault.doubtful


def test_an_error_under_another_status_is_the_servers_error_too():
    reply = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "Bad Request"}}
    outcome, _ = call(but("tools/call", lambda seen: response(400, reply)))
    assert outcome.fault.type == RUNTIME
    assert "Bad Request" in outcome.fault.detail


def test_a_tool_that_fails_is_a_runtime_error_in_its_own_words():
    outcome, _ = call(well, {"method": "tools/call", "parameters": {"name": "nothing"}})
    assert outcome.fault.type == RUNTIME
    assert "no such tool" in outcome.fault.detail


@pytest.mark.parametrize("status", [401, 404, 500])
def test_a_status_without_a_message_is_a_communication_error_with_that_status(status):
    outcome, _ = call(but("tools/call", lambda seen: response(status, b"nope", content_type="text/plain")))
    assert (outcome.fault.type, outcome.fault.status) == (COMMUNICATION, status)
    assert "nope" in outcome.fault.detail
    assert not outcome.fault.doubtful


@pytest.mark.parametrize(
    "reply",
    [
        response(200, b"hello", content_type="text/html"),
        response(200, b"{nope"),
        response(200, [1, 2]),
        response(200, {"id": KEY, "result": {}}),
        response(200, {"jsonrpc": "2.0", "id": "other", "result": {}}),
        response(202),
        events(),
        events({"jsonrpc": "2.0", "id": "other", "result": {}}),
        b"",
        b"garbage\r\n\r\n",
    ],
)
def test_rubbish_is_a_communication_error_and_leaves_the_tool_in_doubt(reply):
    outcome, _ = call(but("tools/call", lambda seen: reply))
    assert outcome.fault.type == COMMUNICATION
    assert outcome.fault.doubtful
    assert "tools/call" in outcome.fault.detail


def test_rubbish_to_a_reading_method_leaves_no_doubt():
    outcome, _ = call(but("tools/list", lambda seen: response(200, b"{nope")), {"method": "tools/list"})
    assert not outcome.fault.doubtful


def test_an_answer_beyond_the_limit_is_refused():
    outcome, _ = call(but("tools/call", lambda seen: response(200, b'"' + b"x" * 70_000 + b'"')))
    assert "more than 65536 bytes" in outcome.fault.detail


@pytest.mark.parametrize("method", ["initialize", "tools/call"])
def test_a_server_that_never_answers_ends_with_a_time_out(method):
    async def never(seen):
        await asyncio.Event().wait()

    async def one():
        gate = asyncio.Event()

        async def stuck(seen):
            await gate.wait()

        async with serving(but(method, stuck)) as server:
            performer = McpPerformer(
                client_of(server.host), credentials_of(), Surroundings("/nowhere", "/", {})
            )
            request = {**CALL, "timeout": 0.2, "transport": {"http": {"endpoint": server.url}}}
            outcome = await performer.perform(order_of(request, function="mcp"))
            gate.set()
        return outcome

    outcome = asyncio.run(one())
    assert (outcome.fault.type, outcome.fault.status) == (COMMUNICATION, 408)
    assert outcome.fault.doubtful == (method == "tools/call")


def test_secrets_go_into_headers_and_parameters_and_never_come_back():
    vault = credentials_of(token="s3cret-token")
    request = {"method": "tools/call", "parameters": {"name": "echo", "arguments": {"t": secret("token")}}}

    def echo(seen):
        text = json.dumps([seen.headers["x-key"], seen.content["params"]["arguments"]])
        result = {"content": [{"type": "text", "text": text}], "isError": seen.content["id"] == "x"}
        return response(200, {"jsonrpc": "2.0", "id": seen.content["id"], "result": result})

    outcome, server = call(
        but("tools/call", echo), request, vault=vault, headers={"X-Key": secret("token", "k ")}
    )
    assert server.seen[2].headers["x-key"] == "k s3cret-token"
    assert "s3cret-token" not in repr(outcome)
    assert "(secret token)" in repr(outcome)


def test_credentials_go_with_every_message():
    bearer = {"scheme": "bearer", "token": "abc", "username": None, "password": None}
    _, server = call(well, authentication=bearer)
    assert {seen.headers["authorization"] for seen in server.seen} == {"Bearer abc"}


def test_a_host_that_is_not_declared_is_refused():
    async def refused():
        async with serving(well) as server:
            performer = McpPerformer(client_of(), credentials_of(), Surroundings("/nowhere", "/", {}))
            request = {**CALL, "transport": {"http": {"endpoint": server.url}}}
            return await performer.perform(order_of(request, function="mcp")), server

    outcome, server = asyncio.run(refused())
    assert outcome.fault.type == AUTHORIZATION
    assert server.seen == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": "tools/delete"}, "tools/delete"),
        ({"method": None}, "`method`"),
        ({"parameters": {}}, "`name`"),
        ({"parameters": [1]}, "`parameters`"),
        ({"timeout": -1}, "`timeout`"),
        ({"client": "me"}, "`client`"),
        ({"transport": {}}, "`transport`"),
        ({"transport": {"http": {"endpoint": ""}}}, "`endpoint`"),
        ({"transport": {"http": {"endpoint": "x"}, "stdio": {"command": "x"}}}, "`transport`"),
        ({"transport": {"stdio": {"command": "x", "arguments": "y"}}}, "arguments"),
        ({"transport": {"stdio": {"command": "x", "environment": {"A=B": "y"}}}}, "environment"),
        ({"transport": {"stdio": {"command": "x", "arguments": [secret()]}}}, "environment"),
    ],
)
def test_a_request_that_is_none_is_refused_before_anything_is_sent(change, words):
    outcome = call(well, {**CALL, **change})[0] if "transport" not in change else bare(change)
    assert outcome.fault.type == VALIDATION
    assert words in outcome.fault.detail


def bare(change):
    performer = McpPerformer(client_of(), credentials_of(token="t0ken"), Surroundings("/nowhere", "/", {}))
    return asyncio.run(performer.perform(order_of({**CALL, **change}, function="mcp")))


# After a crash.


def test_a_tool_in_doubt_is_held_with_evidence_and_nothing_is_sent():
    outcome, server = call(well, order={"doubtful": True})
    assert isinstance(outcome, Doubt)
    assert outcome.evidence["tool"] == "add"
    assert outcome.evidence["key"] == KEY
    assert server.seen == []


def test_a_tool_in_doubt_is_repeated_or_passed_over_as_the_author_says():
    assert isinstance(call(well, order={"doubtful": True, "on_doubt": OnDoubt.REPEAT})[0], Done)
    outcome, server = call(well, order={"doubtful": True, "on_doubt": OnDoubt.SKIP})
    assert outcome == Done(None)
    assert server.seen == []


def test_what_only_lists_is_asked_again():
    outcome, _ = call(well, {"method": "tools/list"}, order={"doubtful": True})
    assert isinstance(outcome, Done)


def test_a_repeat_is_the_same_bytes():
    first, second = (
        call(well, order={"doubtful": again, "on_doubt": OnDoubt.REPEAT})[1].seen[2].body
        for again in (False, True)
    )
    assert first == second


def test_a_failure_before_the_call_leaves_no_doubt():
    outcome, _ = call(but("initialize", lambda seen: response(500)))
    assert isinstance(outcome, Broken)
    assert not outcome.fault.doubtful
