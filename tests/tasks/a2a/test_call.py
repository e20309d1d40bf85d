"""A2A: messages, streams and cards, and agents that do not keep to the protocol."""

import asyncio
import json
from uuid import UUID

import pytest

from dirigent.model.fault import AUTHORIZATION, COMMUNICATION, CONFIGURATION, RUNTIME, VALIDATION
from dirigent.model.program import OnDoubt
from dirigent.model.protocols import a2a
from dirigent.model.run.effect import Done, Doubt
from dirigent.tasks.a2a import A2aPerformer
from dirigent.tasks.a2a.request import STREAMING
from dirigent.tasks.openapi.document import within
from tasks.http.loopback import KEY, client_of, credentials_of, order_of, response, secret, serving

SAY = {"message": {"parts": [{"kind": "text", "text": "hello"}]}}
TASK = {"kind": "task", "id": "t-1", "status": {"state": "completed"}}
BEARER = {"scheme": "bearer", "token": "abc", "username": None, "password": None}


def result(seen, value=TASK):
    return {"jsonrpc": "2.0", "id": seen.content["id"], "result": value}


def events(seen, *values, end=b""):
    parts = [b"data: " + json.dumps(result(seen, value)).encode() + b"\n\n" for value in values]
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + b"".join(parts) + end


def well(seen):
    if seen.method == "GET":
        return response(200, {"url": f"http://{seen.headers['host']}/agent"})
    if seen.content["method"] in STREAMING:
        return events(
            seen, {"kind": "status-update", "final": False}, {"kind": "status-update", "final": True}
        )
    return response(200, result(seen))


async def outcome_of(
    reply=well, method="message/send", parameters=SAY, *, folder="/nowhere", order=None, **more
):
    async with serving(reply) as server:
        credentials = more.pop("credentials", credentials_of())
        performer = A2aPerformer(client_of(server.host), credentials, within(folder))
        request = {"method": method, "parameters": parameters, "server": server.url, **more}
        if isinstance(request.get("agentCard"), str):
            request["agentCard"] = {
                "endpoint": request["agentCard"].replace("URL", server.url),
                "authentication": None,
            }
        outcome = await performer.perform(order_of(request, function="a2a", **(order or {})))
    return outcome, server


def call(*arguments, **named):
    return asyncio.run(outcome_of(*arguments, **named))


@pytest.mark.parametrize("method", a2a.METHODS)
def test_every_method_is_sent_under_its_name_and_gives_its_result(method):
    outcome, server = call(well, method)
    assert server.seen[0].content["method"] == method
    wanted = [{"kind": "status-update", "final": final} for final in (False, True)]
    assert outcome == Done(wanted if method in STREAMING else TASK)


def test_the_eleven_methods_are_known():
    assert len(a2a.METHODS) == len(set(a2a.METHODS)) == 11


def test_a_message_gets_an_id_made_of_the_effect_and_the_role_of_a_user():
    _, server = call()
    message = server.seen[0].content["params"]["message"]
    assert message["messageId"] == str(UUID(KEY))
    assert (message["role"], message["kind"]) == ("user", "message")
    assert server.seen[0].headers["idempotency-key"] == KEY
    assert server.seen[0].content["id"] == KEY


def test_what_the_author_gave_a_message_stays():
    message = {"messageId": "m-1", "role": "agent", "parts": []}
    _, server = call(parameters={"message": message, "configuration": {"blocking": True}})
    assert server.seen[0].content["params"]["message"] == {"kind": "message", **message}
    assert server.seen[0].content["params"]["configuration"] == {"blocking": True}


def test_a_stream_becomes_an_array_in_its_order_and_ends_with_the_final_event():
    def stream(seen):
        values = [
            {"kind": "task", "n": 1},
            {"kind": "artifact-update", "n": 2},
            {"final": True, "n": 3},
            {"n": 4},
        ]
        return events(seen, *values)

    outcome, _ = call(stream, "message/stream")
    assert [each["n"] for each in outcome.output] == [1, 2, 3]


def test_a_stream_may_end_without_a_final_event_and_be_a_single_message():
    assert len(call(lambda seen: events(seen, {"n": 1}, {"n": 2}), "message/stream")[0].output) == 2
    assert call(lambda seen: response(200, result(seen)), "message/stream")[0] == Done([TASK])


def test_an_error_in_the_middle_of_a_stream_fails_the_call():
    def stream(seen):
        error = {"jsonrpc": "2.0", "id": seen.content["id"], "error": {"code": -32001, "message": "gone"}}
        return events(seen, {"n": 1}, end=b"data: " + json.dumps(error).encode() + b"\n\n")

    outcome, _ = call(stream, "message/stream")
    assert outcome.fault.type == RUNTIME
    assert "-32001: gone" in outcome.fault.detail


def test_a_card_says_where_the_agent_is_and_is_preferred_to_the_server():
    outcome, server = call(agentCard="URL/card.json")
    assert outcome == Done(TASK)
    assert [seen.target for seen in server.seen] == ["/card.json", "/agent"]


@pytest.mark.parametrize(
    "card",
    [
        {
            "preferredTransport": "GRPC",
            "url": "http://x",
            "additionalInterfaces": [{"transport": "JSONRPC", "url": "/a"}],
        },
        {
            "supportedInterfaces": [
                {"protocolBinding": "HTTP+JSON", "url": "/b"},
                {"protocolBinding": "JSONRPC", "url": "/a"},
            ]
        },
        {"url": "/a"},
    ],
)
def test_the_address_for_json_rpc_is_taken_from_the_card(card):
    def reply(seen):
        return response(200, card) if seen.method == "GET" else well(seen)

    _, server = call(reply, agentCard="URL/card.json")
    assert server.seen[1].target == "/a"


def test_a_card_may_be_a_file_of_the_stack(tmp_path):
    async def both():
        async with serving(well) as server:
            (tmp_path / "card.json").write_text(json.dumps({"url": server.url + "/agent"}))
            performer = A2aPerformer(client_of(server.host), credentials_of(), within(tmp_path))
            card = {"endpoint": "file://card.json", "authentication": None}
            request = {"method": "tasks/get", "parameters": {"id": "t-1"}, "agentCard": card}
            return await performer.perform(order_of(request, function="a2a"))

    assert asyncio.run(both()) == Done(TASK)


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (b"{nope", "cannot be read"),
        (b"[]", "not an object"),
        (b"{}", "no address"),
        (b'{"url": 7}', "no address"),
    ],
)
def test_a_card_that_is_none_is_a_configuration_error(card, words):
    outcome, _ = call(lambda seen: response(200, card), agentCard="URL/card.json")
    assert outcome.fault.type == CONFIGURATION
    assert words in outcome.fault.detail
    assert not outcome.fault.doubtful


def test_a_card_that_is_not_there_names_itself():
    outcome, _ = call(lambda seen: response(404), agentCard="URL/card.json")
    assert (outcome.fault.type, outcome.fault.status) == (COMMUNICATION, 404)
    assert "the agent card" in outcome.fault.detail


def test_a_fetched_card_does_not_send_credentials_to_another_host():
    async def elsewhere():
        async with serving(lambda seen: response(200, {"url": "https://other.example/agent"})) as server:
            performer = A2aPerformer(client_of(server.host), credentials_of(), within("/nowhere"))
            card = {"endpoint": server.url, "authentication": BEARER}
            request = {"method": "tasks/get", "parameters": {"id": "t"}, "agentCard": card}
            return await performer.perform(order_of(request, function="a2a"))

    outcome = asyncio.run(elsewhere())
    assert outcome.fault.type == AUTHORIZATION
    assert "other.example" in outcome.fault.detail


def test_credentials_go_to_the_server_and_never_into_a_fault():
    outcome, server = call(
        lambda seen: response(401, b"no", content_type="text/plain"), authentication=BEARER
    )
    assert server.seen[0].headers["authorization"] == "Bearer abc"
    assert "abc" not in outcome.fault.detail


def test_secrets_are_revealed_for_the_agent_and_taken_out_of_its_answer():
    message = {"message": {"parts": [{"kind": "text", "text": secret("token")}]}}
    outcome, server = call(
        lambda seen: response(200, result(seen, seen.content["params"])),
        parameters=message,
        credentials=credentials_of(token="s3cret-token"),
    )
    assert "s3cret-token" in server.seen[0].body.decode()
    assert "s3cret-token" not in repr(outcome)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"rubbish\r\n\r\n",
        response(200, b"{"),
        response(200, b"<p>", content_type="text/html"),
        response(200, {}),
    ],
)
def test_rubbish_is_a_communication_error_and_leaves_a_message_in_doubt(reply):
    outcome, _ = call(lambda seen: reply)
    assert outcome.fault.type == COMMUNICATION
    assert outcome.fault.doubtful
    assert not call(lambda seen: reply, "tasks/get")[0].fault.doubtful


@pytest.mark.parametrize("method", ["message/send", "message/stream"])
def test_an_agent_that_never_answers_ends_with_a_time_out(method):
    async def one():
        gate = asyncio.Event()

        async def stuck(seen):
            await gate.wait()

        async with serving(stuck) as server:
            performer = A2aPerformer(client_of(server.host), credentials_of(), within("/nowhere"))
            request = {"method": method, "parameters": SAY, "server": server.url, "timeout": 0.2}
            outcome = await performer.perform(order_of(request, function="a2a"))
            gate.set()
        return outcome

    outcome = asyncio.run(one())
    assert (outcome.fault.type, outcome.fault.status) == (COMMUNICATION, 408)
    assert outcome.fault.doubtful


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"method": "message/delete"}, "message/delete"),
        ({"parameters": [1]}, "`parameters`"),
        ({"parameters": {}}, "`parameters.message`"),
        ({"server": None}, "`agentCard` or `server`"),
        ({"timeout": "soon"}, "`timeout`"),
    ],
)
def test_a_request_that_is_none_is_refused_before_anything_is_sent(change, words):
    outcome, server = call(**change)
    assert outcome.fault.type == VALIDATION
    assert words in outcome.fault.detail
    assert server.seen == []


# After a crash.


def test_a_message_in_doubt_is_held_with_its_id_as_evidence():
    outcome, server = call(order={"doubtful": True})
    assert isinstance(outcome, Doubt)
    assert outcome.evidence["message_id"] == str(UUID(KEY))
    assert server.seen == []


def test_a_message_in_doubt_is_repeated_byte_for_byte_or_passed_over_as_the_author_says():
    _, first = call()
    outcome, second = call(order={"doubtful": True, "on_doubt": OnDoubt.REPEAT})
    assert outcome == Done(TASK)
    assert first.seen[0].body == second.seen[0].body
    assert call(order={"doubtful": True, "on_doubt": OnDoubt.SKIP})[0] == Done(None)


def test_what_is_no_message_is_asked_again():
    assert call(well, "tasks/cancel", {"id": "t-1"}, order={"doubtful": True})[0] == Done(TASK)
