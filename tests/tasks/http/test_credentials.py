"""Credentials and secrets: how they are sent, and that nothing that comes back holds one."""

import asyncio
import base64
import hashlib
import json

import pytest

from dirigent.model.fault import AUTHORIZATION, VALIDATION
from dirigent.model.run.effect import Done
from dirigent.tasks.http.call import HttpPerformer
from tasks.http.loopback import (
    always,
    call,
    client_of,
    order_of,
    request_of,
    response,
    secret,
    serving,
    vault_of,
)

CANARY = "canary/+ 'ä\"-7fQ2"


def test_basic_authentication_is_sent_at_once():
    authentication = {"scheme": "basic", "username": "ä", "password": secret()}
    _, server = call(always(), authentication=authentication, vault=vault_of(token="pä:ss"))
    sent = server.seen[0].headers["authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")).decode() == "ä:pä:ss"


def test_a_bearer_token_is_sent_at_once():
    authentication = {"scheme": "bearer", "token": secret()}
    _, server = call(always(), authentication=authentication, vault=vault_of(token="abc.def"))
    assert server.seen[0].headers["authorization"] == "Bearer abc.def"


def test_digest_authentication_answers_the_challenge():
    def md5(text):
        return hashlib.md5(text.encode()).hexdigest()

    def reply(seen):
        sent = seen.headers.get("authorization", "")
        if not sent:
            return response(401, headers=[("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')])
        fields = dict(part.strip().split("=", 1) for part in sent.removeprefix("Digest ").split(","))
        fields = {name: value.strip('"') for name, value in fields.items()}
        a1, a2 = md5("joe:hunter2"), md5("POST:/pay")
        a1 = md5("joe:r:hunter2")
        wanted = md5(f"{a1}:n:{fields['nc']}:{fields['cnonce']}:auth:{a2}")
        return response(200 if fields["response"] == wanted else 403, {"paid": True})

    outcome, server = call(
        reply,
        "post",
        "/pay",
        body={"sum": 5},
        has_body=True,
        authentication={"scheme": "digest", "username": "joe", "password": secret()},
        vault=vault_of(token="hunter2"),
    )
    assert outcome == Done({"paid": True})
    assert server.seen[0].body == server.seen[1].body


def echo(status):
    """Reply with everything that came, in the encodings that servers use."""

    def reply(seen):
        raw = seen.raw.decode()
        both = {"raw": raw, "base64": base64.b64encode(seen.raw).decode(), raw[:40]: seen.headers}
        return response(status, both, [("X-Echo", base64.b64encode(seen.body).decode())])

    return reply


PLACES = {
    "path": lambda: {"path": "/a/"},
    "query": lambda: {"query": {"q": secret()}},
    "header": lambda: {"headers": {"X-A": secret()}},
    "body": lambda: {"body": {"a": [secret(before="x")]}, "has_body": True},
    "form": lambda: {
        "body": {"a": secret()},
        "has_body": True,
        "headers": {"content-type": "application/x-www-form-urlencoded"},
    },
    "basic": lambda: {"authentication": {"scheme": "basic", "username": "joe", "password": secret()}},
    "bearer": lambda: {"authentication": {"scheme": "bearer", "token": secret()}},
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("status", [200, 302, 500])
@pytest.mark.parametrize("output", ["content", "raw", "response"])
def test_no_secret_leaves_the_performer_in_any_encoding(place, status, output):
    text = "canary-7fQ2_xyz" if place in {"bearer", "header"} else CANARY
    outcome, _ = call(
        echo(status),
        "post",
        vault=vault_of(token=text),
        output=output,
        redirect=status == 302,
        **PLACES[place](),
    )
    shown = repr(outcome)
    for form in (text, json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        assert form not in shown
    strings = [shown]
    if output == "raw" and isinstance(outcome, Done):
        # Whoever decodes what came back must not find it either.
        strings.append(base64.b64decode(outcome.output + "===", validate=False).decode(errors="replace"))
    for shift in range(3):
        assert base64.b64encode(b" " * shift + text.encode()).decode()[4:-4] not in shown
    assert all(text not in string for string in strings)


def test_credentials_that_are_no_secrets_are_not_echoed_into_a_fault_either():
    authentication = {"scheme": "basic", "username": "joe", "password": "plain-in-the-document"}
    outcome, server = call(lambda seen: response(500, seen.headers), authentication=authentication)
    sent = server.seen[0].headers["authorization"].removeprefix("Basic ")
    assert sent not in outcome.fault.detail
    assert "(hidden)" in outcome.fault.detail


@pytest.mark.parametrize("before", range(470, 500, 7))
def test_half_a_secret_does_not_stand_where_an_error_page_is_cut(before):
    body = b"." * before + b"canary-canary-canary-canary"
    reply = always(500, body, content_type="text/plain")
    outcome, _ = call(reply, headers={"X-A": secret()}, vault=vault_of(token="canary-canary-canary-canary"))
    assert "canary" not in outcome.fault.detail


def test_a_secret_in_the_endpoint_is_shown_by_its_name():
    async def scenario():
        async with serving(always(500)) as server:
            performer = HttpPerformer(client_of(server.host), vault_of(token="s3cr3t"))
            request = request_of(secret(before=f"{server.url}/hooks/", after="/x"), "post")
            return await performer.perform(order_of(request)), server

    outcome, server = asyncio.run(scenario())
    assert server.seen[0].target == "/hooks/s3cr3t/x"
    assert "/hooks/(secret token)/x" in outcome.fault.detail
    assert "s3cr3t" not in outcome.fault.detail


def test_a_telling_parameter_is_hidden_even_when_it_is_no_declared_secret():
    outcome, server = call(always(500), path="/a?access_token=abcdef&page=2", query={"sig": "xyz"})
    assert server.seen[0].target == "/a?access_token=abcdef&page=2&sig=xyz"
    assert "access_token=(hidden)&page=2&sig=(hidden)" in outcome.fault.detail


def test_credentials_in_a_url_are_refused_and_not_repeated():
    request = request_of("https://joe:hunter2@api.example/")
    outcome = asyncio.run(HttpPerformer(client_of(), vault_of()).perform(order_of(request)))
    assert outcome.fault.type == VALIDATION
    assert "hunter2" not in repr(outcome)


def test_a_secret_without_a_value_is_an_authorization_fault_with_the_remedy():
    outcome, server = call(always(), headers={"X-A": secret("absent")})
    assert outcome.fault.type == AUTHORIZATION
    assert "E6001" in outcome.fault.detail
    assert server.seen == []
